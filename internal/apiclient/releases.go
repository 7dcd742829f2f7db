package apiclient

import (
	"context"
	"net/http"

	"steward/internal/lifecycle"
)

// Release is a release with what only its run knows: the jobs that work now,
// and its rollout once there is one.
type Release struct {
	Release lifecycle.ReleaseState  `json:"release"`
	Jobs    []lifecycle.Progress    `json:"jobs"`
	Rollout *lifecycle.RolloutState `json:"rollout,omitempty"`
}

// Decision is a person's answer; Digest is that of the evidence they saw.
type Decision struct {
	Approve bool   `json:"approve"`
	Digest  string `json:"digest"`
	Comment string `json:"comment,omitempty"`
}

func releasePath(model string, n int, more ...any) string {
	return path(append([]any{"v1", "models", model, "releases", n}, more...)...)
}

// StartRelease asks for a new release.
func (c *Client) StartRelease(ctx context.Context, model, reason string) (lifecycle.Ordered, error) {
	return call[lifecycle.Ordered](ctx, c, http.MethodPost, path("v1", "models", model, "releases"), order{Reason: reason})
}

// Release returns release n of a model.
func (c *Client) Release(ctx context.Context, model string, n int) (Release, error) {
	return call[Release](ctx, c, http.MethodGet, releasePath(model, n), nil)
}

// Decide approves or rejects release n.
func (c *Client) Decide(ctx context.Context, model string, n int, d Decision) (lifecycle.ReleaseState, error) {
	return call[lifecycle.ReleaseState](ctx, c, http.MethodPost, releasePath(model, n, "decision"), d)
}

// Cancel stops release n; what it made is removed.
func (c *Client) Cancel(ctx context.Context, model string, n int, reason string) (lifecycle.ReleaseState, error) {
	return call[lifecycle.ReleaseState](ctx, c, http.MethodPost, releasePath(model, n, "cancel"), order{Reason: reason})
}

// Rollout promotes or aborts the rollout of release n.
func (c *Client) Rollout(ctx context.Context, model string, n int, promote bool, comment string) (lifecycle.RolloutState, error) {
	return call[lifecycle.RolloutState](ctx, c, http.MethodPost, releasePath(model, n, "rollout"), struct {
		Promote bool   `json:"promote"`
		Comment string `json:"comment"`
	}{promote, comment})
}

// Evidence returns the exact bytes of a release's evidence manifest.
func (c *Client) Evidence(ctx context.Context, model string, n int) ([]byte, error) {
	return c.do(ctx, http.MethodGet, releasePath(model, n, "evidence"), "", nil)
}
