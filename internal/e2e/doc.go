// Package e2e drives the whole product as people and programs do: the steward
// command as a process of its own, its gateway, its console in a real browser,
// and the AWS SDK. What belongs here are tests of what only the whole can show;
// it holds nothing to import.
package e2e
