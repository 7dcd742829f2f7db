// Package logs is the local cloud's CloudWatch Logs: groups, streams and their
// events, kept as long as the group's retention says.
//
// What belongs here: the operations, and copying what a program writes to a file
// into a stream ([Store.Follow]). How far a file was copied is recorded in the
// same transaction as the events, so that nothing is lost or told twice when the
// cloud is killed. Memory does not grow with what is kept. Queries, subscriptions,
// metric filters and exports are not offered.
package logs
