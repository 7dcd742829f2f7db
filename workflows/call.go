package workflows

import (
	"context"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/activities"
)

// Activities are named through nil pointers: only the method's name is used.
var (
	data       *activities.Data
	profiling  *activities.Profiling
	training   *activities.Training
	evaluation *activities.Evaluation
	registry   *activities.Registry
	records    *activities.Records
	deployment *activities.Deployment
	monitoring *activities.Monitoring
	people     *activities.People
	runs       *activities.Runs
)

// retry goes on for as long as the activity may take: what cannot be mended by
// waiting is returned as non-retryable by the activity itself.
var retry = &temporal.RetryPolicy{
	InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
}

// quick is for calls that take seconds: records, decisions, notices. An outage
// of a day is waited out, since losing the record would be worse.
var quick = workflow.ActivityOptions{
	StartToCloseTimeout:    time.Minute,
	ScheduleToCloseTimeout: 24 * time.Hour,
	WaitForCancellation:    true, // what was begun is known before anything is undone
	RetryPolicy:            retry,
}

// job is for cloud jobs and large reads, which take minutes to days. They
// heartbeat, so a dead worker is noticed within a minute, and their jobs are
// stopped before a cancellation is believed.
var job = workflow.ActivityOptions{
	StartToCloseTimeout:    5 * 24 * time.Hour,
	ScheduleToCloseTimeout: 10 * 24 * time.Hour,
	HeartbeatTimeout:       time.Minute,
	WaitForCancellation:    true,
	RetryPolicy:            retry,
}

// head reads what grows with a model's age.
var head = workflow.ActivityOptions{
	StartToCloseTimeout:    time.Hour,
	ScheduleToCloseTimeout: 24 * time.Hour,
	HeartbeatTimeout:       time.Minute,
	RetryPolicy:            retry,
}

// told is for notices: worth an hour of trying, never worth stopping a release.
var told = workflow.ActivityOptions{
	StartToCloseTimeout:    30 * time.Second,
	ScheduleToCloseTimeout: time.Hour,
	RetryPolicy:            retry,
}

// call runs an activity under a summary that the Temporal UI shows. The types
// make a wrong argument a compile error.
func call[In, Out any](ctx workflow.Context, opts workflow.ActivityOptions, summary string,
	fn func(context.Context, In) (Out, error), in In,
) (Out, error) {
	var out Out
	opts.Summary = summary
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, opts), fn, in).Get(ctx, &out)
	return out, err
}

// do is call for an activity without a result.
func do[In any](ctx workflow.Context, opts workflow.ActivityOptions, summary string,
	fn func(context.Context, In) error, in In,
) error {
	opts.Summary = summary
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, opts), fn, in).Get(ctx, nil)
}
