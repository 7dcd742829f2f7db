package activities

import (
	"context"
	"errors"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// Runs looks at other workflows.
type Runs struct{ Temporal client.Client }

// IsRunning tells whether a workflow still runs. One that Temporal does not
// know any more does not.
func (r *Runs) IsRunning(ctx context.Context, id string) (bool, error) {
	found, err := r.Temporal.DescribeWorkflowExecution(ctx, id, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return found.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}
