package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// completed turns a job that ended otherwise into an error for people.
func completed(kind, name string, ended cloud.Ended) error {
	switch {
	case ended.Completed:
		return nil
	case ended.Stopped:
		return lifecycle.Fail(lifecycle.JobFailed, "%s %s was stopped: %s", kind, name, ended.Reason)
	}
	return lifecycle.Fail(lifecycle.JobFailed, "%s %s failed: %s", kind, name, ended.Reason)
}

// beat returns an observer of jobs that heartbeats what it sees.
func beat(ctx context.Context) func(lifecycle.Progress) {
	return func(p lifecycle.Progress) { activity.RecordHeartbeat(ctx, p) }
}

// pulse is a writer that heartbeats at every write.
type pulse struct {
	ctx  context.Context
	what string
}

func (p pulse) Write(b []byte) (int, error) {
	p.beat()
	return len(b), nil
}

func (p pulse) beat() { activity.RecordHeartbeat(p.ctx, lifecycle.Progress{Status: p.what}) }

// beatEvery is far below every heartbeat timeout.
const beatEvery = 10 * time.Second

// alive heartbeats at once and then every beatEvery, for work that takes long
// and says nothing by itself, until the function that it returns is called.
func alive(ctx context.Context, what string) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for ctx.Err() == nil {
			pulse{ctx, what}.beat()
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// cancelled tells whether the workflow wants the activity to stop, which undoes
// what it began. A worker that is merely shutting down leaves everything for
// the next attempt to attach to.
func cancelled(ctx context.Context) bool {
	return ctx.Err() != nil && temporal.IsCanceledError(context.Cause(ctx))
}

// cleanUp is how long a cancelled activity may take to undo what it began:
// SageMaker gives a job 120 seconds to stop.
const cleanUp = 3 * time.Minute

// afterCancel undoes what an activity began and returns the cancellation, or
// why undoing failed.
func afterCancel(ctx context.Context, undo func(context.Context) error) error {
	cause := context.Cause(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	if err := undo(ctx); err != nil {
		return cloud.Wrap(err, "after it was cancelled")
	}
	return cause
}

// afterFault undoes what an activity began that failed for good, and returns
// the fault, with what undoing left behind.
func afterFault(ctx context.Context, fault error, undo func(context.Context) error) error {
	if err := undo(ctx); err != nil {
		return cloud.Wrap(fault, "undoing what was begun failed too (%v)", err)
	}
	return fault
}
