package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
)

// Register makes the workflows known to a worker, under their contract names.
func Register(r worker.WorkflowRegistry) {
	for name, fn := range map[string]any{
		lifecycle.ModelWorkflow: Model, lifecycle.ReleaseWorkflow: Release,
		lifecycle.RolloutWorkflow: Rollout, lifecycle.WatchWorkflow: Watch,
	} {
		r.RegisterWorkflowWithOptions(fn, workflow.RegisterOptions{Name: name})
	}
}
