// Package worker is the process that does the work: it connects to Temporal,
// registers the workflows and the activities with what they need, runs them,
// and drains when told to stop.
package worker
