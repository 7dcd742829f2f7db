// Package events tells others what happened in the cloud, in the form of
// EventBridge: every event goes to the targets of the rules that match it, which are
// SNS topics and HTTP addresses of this machine.
//
// What belongs here: rules and delivery. What an event is about belongs to the
// service that tells of it. An event is stored in the transaction that made it
// happen, and delivered until its target has it or it is given up.
package events
