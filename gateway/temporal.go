package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"steward/internal/lifecycle"
)

// patience is how long Temporal and the workers may take for one answer.
const patience = 15 * time.Second

// run is a workflow that is spoken to, and what to say when there is none, or
// when it has ended and takes no orders any more.
type run struct{ id, missing, over string }

func modelRun(model string) run {
	return run{lifecycle.ModelID(model), fmt.Sprintf("model %s is not known; `steward status` lists the models", model),
		fmt.Sprintf("model %s is no longer alive (`steward status %s` shows why); `steward apply` declares it anew", model, model)}
}

func releaseRun(model string, n int) run {
	return run{lifecycle.ReleaseID(model, n), fmt.Sprintf("release %d of model %s is not known, or over for long; `steward status %s -o json` lists its releases", n, model, model),
		fmt.Sprintf("release %d of model %s has ended; `steward status %s` shows what serves", n, model, model)}
}

func rolloutRun(model string, n int) run {
	return run{lifecycle.RolloutID(model, n), fmt.Sprintf("release %d of model %s has no rollout under way", n, model),
		fmt.Sprintf("the rollout of release %d of model %s has ended; `steward status %s` shows what serves", n, model, model)}
}

func watchRun(model string) run {
	return run{lifecycle.WatchID(model), fmt.Sprintf("nothing of model %s is watched: it is not known, or has not been released yet", model),
		fmt.Sprintf("the watch of model %s has ended: nothing of it serves any more", model)}
}

// explain gives Temporal's NotFound our words.
func (r run) explain(err error) error {
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return refuse(lifecycle.NotFound, "%s", r.missing)
	}
	return fmt.Errorf("%s: %w", r.id, err)
}

// once is the id of the update that a key of a person stands for, or "" without
// a key. Temporal tells the updates of a run apart by their ids alone: others'
// keys, and other things asked with the same key, must not give the same id.
func once(subject, update, key string, asked ...string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join(append([]string{subject, update, key}, asked...), "\x00")))
	return hex.EncodeToString(sum[:])
}

// update asks a workflow for something and waits for its answer. Repeats with
// the same id (see once), if not empty, get the first answer.
func update[T any](ctx context.Context, c client.Client, to run, name, id string, arg any) (answer T, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: to.id, UpdateName: name, UpdateID: id, Args: []any{arg},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return answer, to.refused(ctx, c, err)
	}
	if err := handle.Get(ctx, &answer); err != nil {
		return answer, to.refused(ctx, c, err)
	}
	return answer, nil
}

// acceptedTooLate is the type that Temporal's server gives the failure of an
// update that was accepted by a run which then ended without answering it.
const acceptedTooLate = "AcceptedUpdateCompletedWorkflow"

// refused explains why an order was not taken: Temporal answers NotFound for a
// run that has ended as for one that never was.
func (r run) refused(ctx context.Context, c client.Client, err error) error {
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == acceptedTooLate {
		return refuse(lifecycle.Conflict, "%s", r.over)
	}
	var missing *serviceerror.NotFound
	if !errors.As(err, &missing) {
		return r.explain(err)
	}
	d, err := describe(ctx, c, r)
	switch {
	case err != nil:
		return err
	case d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return refuse(Unavailable, "%s has just begun anew; try again", r.id)
	}
	return refuse(lifecycle.Conflict, "%s", r.over)
}

// state asks a workflow for its state.
func state[T any](ctx context.Context, c client.Client, of run) (answer T, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	value, err := c.QueryWorkflow(ctx, of.id, "", lifecycle.StateQuery)
	if err != nil {
		return answer, of.explain(err)
	}
	if err := value.Get(&answer); err != nil {
		return answer, fmt.Errorf("state of %s: %w", of.id, err)
	}
	return answer, nil
}

// startOrApply declares a model, starting its workflow if there is none.
func startOrApply(ctx context.Context, c client.Client, a lifecycle.Apply, id string) (applied lifecycle.Applied, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	to := modelRun(a.Model.Name)
	start := c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: to.id, TaskQueue: lifecycle.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "keeps the model " + a.Model.Name + " alive",
	}, lifecycle.ModelWorkflow, lifecycle.ModelState{Model: a.Model})
	handle, err := c.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			WorkflowID: to.id, UpdateName: lifecycle.ApplyUpdate, UpdateID: id, Args: []any{a},
			WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	if err != nil {
		return applied, to.explain(err)
	}
	if err := handle.Get(ctx, &applied); err != nil {
		return applied, to.refused(ctx, c, err)
	}
	return applied, nil
}

// signal tells a workflow something; it is durable when signal returns nil.
func signal(ctx context.Context, c client.Client, to run, name string, arg any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.SignalWorkflow(ctx, to.id, "", name, arg); err != nil {
		return to.refused(ctx, c, err)
	}
	return nil
}

// describe returns what Temporal itself knows of a run.
func describe(ctx context.Context, c client.Client, of run) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	d, err := c.DescribeWorkflowExecution(ctx, of.id, "")
	if err != nil {
		return nil, of.explain(err)
	}
	return d, nil
}

// jobs are what the activities of a run that work now last said of themselves.
func jobs(ctx context.Context, c client.Client, of run) ([]lifecycle.Progress, error) {
	d, err := describe(ctx, c, of)
	if err != nil {
		return nil, err
	}
	found := []lifecycle.Progress{}
	for _, activity := range d.GetPendingActivities() {
		payloads := activity.GetHeartbeatDetails()
		if len(payloads.GetPayloads()) == 0 {
			continue
		}
		var p lifecycle.Progress
		// An activity without a job may say other things in its heartbeats.
		if err := converter.GetDefaultDataConverter().FromPayloads(payloads, &p); err == nil && p.Job != "" {
			found = append(found, p)
		}
	}
	return found, nil
}
