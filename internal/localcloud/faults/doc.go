// Package faults decides which calls of the local cloud go wrong, and how:
// rules name calls by service, operation and resource, and say how often.
//
// What belongs here is the decision, which is deterministic under a seed. What a
// fault does to a request belongs to package wire.
package faults
