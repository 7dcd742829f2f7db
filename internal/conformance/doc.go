// Package conformance holds AWS's contract against the local cloud, as a client
// sees it: what an operation answers, how it refuses, pages, repeats and limits.
// What belongs here are cases that would pass against AWS as well, over the
// SDK's clients and without a look at the insides. Every case names the
// operations that it covers; one that is offered and has no case fails a test.
// The package holds nothing to import.
//
// The same cases can be run against an AWS account: see docs/local-cloud.md.
package conformance
