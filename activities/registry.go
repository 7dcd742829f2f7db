package activities

import (
	"context"
	"strconv"

	"go.temporal.io/sdk/activity"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// Registry keeps versions of models in the model registry.
type Registry struct {
	Packages *cloud.Packages
}

// Register registers the winner of a release, pending approval, in the model's
// package group, and returns the package's ARN. It makes the group if needed.
func (r *Registry) Register(ctx context.Context, in lifecycle.RegisterInput) (string, error) {
	group := lifecycle.EndpointName(in.Of.Model)
	if err := r.Packages.EnsureGroup(ctx, in.Of.Model, group); err != nil {
		return "", err
	}
	return r.Packages.Register(ctx, cloud.Package{
		Of: in.Of, Group: group, Token: activity.GetInfo(ctx).WorkflowExecution.ID + "/register",
		Image: in.Model.Image, Data: in.Model.URI, Facts: facts(in), Env: in.Model.ServingEnv(),
	})
}

// facts are the figures and the origin of a model, as the registry shows them.
func facts(in lifecycle.RegisterInput) map[string]string {
	f := map[string]string{
		"snapshot": in.Snapshot.Digest, "snapshot-rows": strconv.FormatInt(in.Snapshot.Rows, 10),
		"training-job": in.Model.Job, "model-digest": in.Model.Digest,
		in.Test.Part + "-rows": strconv.FormatInt(in.Test.Rows, 10),
	}
	if in.Model.Code != nil {
		f["code-digest"] = in.Model.Code.Digest
	}
	for name, value := range in.Test.Metrics {
		f[in.Test.Part+"-"+name] = strconv.FormatFloat(value, 'g', 6, 64)
	}
	return f
}

// SetApproval sets the approval of a package: Approved or Rejected.
func (r *Registry) SetApproval(ctx context.Context, in lifecycle.ApprovalInput) error {
	info := activity.GetInfo(ctx)
	token := info.WorkflowExecution.ID + "/" + info.WorkflowExecution.RunID + "/" + info.ActivityID
	return r.Packages.SetApproval(ctx, in.Package, in.Status, in.Reason, token)
}
