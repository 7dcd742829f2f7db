// Package policy holds the decisions of a model's life as pure functions:
// which candidate wins, whether the gates are met, who has yet to agree, what a
// rollout does next, what a window means and when a release is due. Time is an
// argument; nothing here waits, reads or writes.
package policy
