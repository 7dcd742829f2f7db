package main

import (
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
	"steward/workflows"
)

// bareQueue is where the peers' workflows run.
const bareQueue = "bare"

// work starts Steward's worker, whose workflows are the product's and whose
// activities are the world's, and a bare one beside it.
func (s *site) work(w *world, b *bareActivities) error {
	ours := newWorker(s.ours, lifecycle.TaskQueue)
	workflows.Register(ours)
	ours.RegisterActivity(w)
	bare := newWorker(s.bare, bareQueue)
	bare.RegisterWorkflowWithOptions(bareWorkflow, workflow.RegisterOptions{Name: bareName})
	bare.RegisterWorkflowWithOptions(sink, workflow.RegisterOptions{Name: sinkName})
	bare.RegisterActivityWithOptions(b.do, activity.RegisterOptions{Name: bareActivity})
	for _, w := range []worker.Worker{ours, bare} {
		if err := w.Start(); err != nil {
			return err
		}
		s.onClose(func() error { w.Stop(); return nil })
	}
	return nil
}

// newWorker polls as the product does.
func newWorker(c client.Client, queue string) worker.Worker {
	return worker.New(c, queue, worker.Options{
		WorkflowTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
		ActivityTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
	})
}
