package apiclient

import (
	"context"
	"encoding/json"
	"net/http"
)

// Ready returns nil when the gateway can do its work: its own part and
// Temporal's.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.do(ctx, http.MethodGet, path("readyz"), "", nil)
	return err
}

// Alertmanager delivers a webhook body of Prometheus's Alertmanager, version 4,
// and returns how many of its alerts were accepted.
func (c *Client) Alertmanager(ctx context.Context, body json.RawMessage) (accepted int, err error) {
	answer, err := call[struct {
		Accepted int `json:"accepted"`
	}](ctx, c, http.MethodPost, path("v1", "alerts", "alertmanager"), body)
	return answer.Accepted, err
}
