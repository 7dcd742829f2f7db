package main

import (
	"context"
	"time"

	"go.temporal.io/sdk/workflow"
)

// Names on the bare queue.
const (
	bareName     = "Bare"
	bareActivity = "Do"
	bareUpdate   = "decide"
)

// bareActivities answer at once.
type bareActivities struct {
	asked chan struct{} // gets one when a workflow will wait for its update
}

func newBareActivities() *bareActivities { return &bareActivities{make(chan struct{}, 1)} }

func (b *bareActivities) do(ctx context.Context, asks bool) error {
	if !asks {
		return nil
	}
	select {
	case b.asked <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bareWorkflow does what a plan says, and nothing else.
func bareWorkflow(ctx workflow.Context, p plan) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	decided := false
	err := workflow.SetUpdateHandler(ctx, bareUpdate, func(workflow.Context) error { decided = true; return nil })
	if err != nil {
		return err
	}
	var begun []workflow.Future
	var child workflow.Future
	for _, s := range p.Steps {
		for _, i := range s.After {
			if err := begun[i].Get(ctx, nil); err != nil {
				return err
			}
		}
		if s.Decided {
			if err := workflow.Await(ctx, func() bool { return decided }); err != nil {
				return err
			}
		}
		if s.ChildEnded {
			if err := child.Get(ctx, nil); err != nil {
				return err
			}
		}
		for range s.Start {
			begun = append(begun, workflow.ExecuteActivity(ctx, bareActivity, len(begun) == p.asks()))
		}
		if s.StartChild {
			child = workflow.ExecuteChildWorkflow(ctx, bareName, *p.Child)
		}
	}
	for _, f := range begun {
		if err := f.Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}
