package apiclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"steward/internal/lifecycle"
)

// Model is one line of the list of models.
type Model struct {
	Name     string           `json:"name"`
	Team     string           `json:"team"`
	Stage    lifecycle.Stage  `json:"stage"` // of the release under way, or the last
	Health   lifecycle.Health `json:"health"`
	Release  int              `json:"release"`  // that serves, or 0
	Awaiting string           `json:"awaiting"` // whom it waits for
}

// Apply declares a model by the text of its file.
func (c *Client) Apply(ctx context.Context, file []byte) (lifecycle.Applied, error) {
	var a lifecycle.Applied
	answer, err := c.do(ctx, http.MethodPost, path("v1", "models"), "application/yaml", file)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return a, fmt.Errorf("POST /v1/models: the answer is no JSON of this version's API: %w", err)
	}
	return a, nil
}

// Models lists every model.
func (c *Client) Models(ctx context.Context) ([]Model, error) {
	answer, err := call[struct {
		Models []Model `json:"models"`
	}](ctx, c, http.MethodGet, path("v1", "models"), nil)
	return answer.Models, err
}

// Model returns a model's state.
func (c *Client) Model(ctx context.Context, name string) (lifecycle.ModelState, error) {
	return call[lifecycle.ModelState](ctx, c, http.MethodGet, path("v1", "models", name), nil)
}

// Watch returns the state of a model's watch.
func (c *Client) Watch(ctx context.Context, name string) (lifecycle.WatchState, error) {
	return call[lifecycle.WatchState](ctx, c, http.MethodGet, path("v1", "models", name, "watch"), nil)
}

// Ledger returns a model's ledger, oldest entry first.
func (c *Client) Ledger(ctx context.Context, name string) ([]lifecycle.Entry, error) {
	answer, err := call[struct {
		Entries []lifecycle.Entry `json:"entries"`
	}](ctx, c, http.MethodGet, path("v1", "models", name, "ledger"), nil)
	return answer.Entries, err
}

// order is what a person asks of a model.
type order struct {
	Reason string `json:"reason"`
	Watch  bool   `json:"watch,omitempty"`
}

// Rollback brings the version back that served before.
func (c *Client) Rollback(ctx context.Context, name, reason string) (lifecycle.Ordered, error) {
	return call[lifecycle.Ordered](ctx, c, http.MethodPost, path("v1", "models", name, "rollback"), order{Reason: reason})
}

// Pause stops automatic releases and, with watch, the measuring too.
func (c *Client) Pause(ctx context.Context, name, reason string, watch bool) (lifecycle.ModelState, error) {
	return c.order(ctx, name, "pause", order{reason, watch})
}

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context, name, reason string, watch bool) (lifecycle.ModelState, error) {
	return c.order(ctx, name, "resume", order{reason, watch})
}

// Retire ends a model: its endpoint goes, its data and ledger stay.
func (c *Client) Retire(ctx context.Context, name, reason string) (lifecycle.ModelState, error) {
	return c.order(ctx, name, "retire", order{Reason: reason})
}

func (c *Client) order(ctx context.Context, name, act string, o order) (lifecycle.ModelState, error) {
	return call[lifecycle.ModelState](ctx, c, http.MethodPost, path("v1", "models", name, act), o)
}

// KPI reports a value of the business figure. A repeated id has no effect.
func (c *Client) KPI(ctx context.Context, name, id string, value float64, at time.Time) error {
	_, err := call[json.RawMessage](ctx, c, http.MethodPost, path("v1", "models", name, "kpi"),
		lifecycle.KPIReading{ID: id, Value: value, At: at})
	return err
}
