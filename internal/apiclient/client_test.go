package apiclient

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

// request is what the gateway got.
type request struct{ line, body, token, contentType string }

// gateway answers everything with status and body, and notes what it got.
func gateway(t *testing.T, status int, body string) (*Client, *request) {
	t.Helper()
	var got request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got = request{r.Method + " " + r.URL.EscapedPath(), string(raw), r.Header.Get("Authorization"), r.Header.Get("Content-Type")}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return New(s.URL+"/", "secret"), &got
}

func TestRoutes(t *testing.T) {
	at := time.Date(2001, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		call               func(context.Context, *Client) (any, error)
		line, body, answer string
		want               any
	}{
		{func(ctx context.Context, c *Client) (any, error) { return c.Apply(ctx, []byte("kind: Model")) },
			"POST /v1/models", "kind: Model", `{"created":true,"changed":true,"digest":"sha256:1"}`,
			lifecycle.Applied{Created: true, Changed: true, Digest: "sha256:1"}},
		{func(ctx context.Context, c *Client) (any, error) { return c.Models(ctx) },
			"GET /v1/models", "", `{"models":[{"name":"m","release":2,"awaiting":"operator"}]}`,
			[]Model{{Name: "m", Release: 2, Awaiting: "operator"}}},
		{func(ctx context.Context, c *Client) (any, error) { return c.Model(ctx, "a/b") },
			"GET /v1/models/a%2Fb", "", `{"health":"good","last":3}`, lifecycle.ModelState{Health: lifecycle.HealthGood, Last: 3}},
		{func(ctx context.Context, c *Client) (any, error) { return c.Watch(ctx, "m") },
			"GET /v1/models/m/watch", "", `{"seq":4}`, lifecycle.WatchState{Seq: 4}},
		{func(ctx context.Context, c *Client) (any, error) { return c.Ledger(ctx, "m") },
			"GET /v1/models/m/ledger", "", `{"entries":[{"seq":1}]}`, []lifecycle.Entry{{Seq: 1}}},
		{func(ctx context.Context, c *Client) (any, error) { return c.StartRelease(ctx, "m", "new data") },
			"POST /v1/models/m/releases", `{"reason":"new data"}`, `{"release":2,"workflow":"model/m/release/2"}`,
			lifecycle.Ordered{Release: 2, Workflow: "model/m/release/2"}},
		{func(ctx context.Context, c *Client) (any, error) { return c.Release(ctx, "m", 2) },
			"GET /v1/models/m/releases/2", "", `{"release":{"number":2},"jobs":[{"job":"j"}]}`,
			Release{Release: lifecycle.ReleaseState{Number: 2}, Jobs: []lifecycle.Progress{{Job: "j"}}}},
		{func(ctx context.Context, c *Client) (any, error) {
			return c.Decide(ctx, "m", 2, Decision{Approve: true, Digest: "sha256:1", Comment: "good"})
		},
			"POST /v1/models/m/releases/2/decision", `{"approve":true,"digest":"sha256:1","comment":"good"}`, `{"number":2}`,
			lifecycle.ReleaseState{Number: 2}},
		{func(ctx context.Context, c *Client) (any, error) { return c.Cancel(ctx, "m", 2, "wrong data") },
			"POST /v1/models/m/releases/2/cancel", `{"reason":"wrong data"}`, `{"number":2}`, lifecycle.ReleaseState{Number: 2}},
		{func(ctx context.Context, c *Client) (any, error) { return c.Rollout(ctx, "m", 2, true, "") },
			"POST /v1/models/m/releases/2/rollout", `{"promote":true,"comment":""}`, `{"step":3}`, lifecycle.RolloutState{Step: 3}},
		{func(ctx context.Context, c *Client) (any, error) { return c.Evidence(ctx, "m", 2) },
			"GET /v1/models/m/releases/2/evidence", "", "{ exact }", []byte("{ exact }")},
		{func(ctx context.Context, c *Client) (any, error) { return c.Rollback(ctx, "m", "worse") },
			"POST /v1/models/m/rollback", `{"reason":"worse"}`, `{"release":1}`, lifecycle.Ordered{Release: 1}},
		{func(ctx context.Context, c *Client) (any, error) { return c.Pause(ctx, "m", "holidays", true) },
			"POST /v1/models/m/pause", `{"reason":"holidays","watch":true}`, `{"paused":"holidays"}`, lifecycle.ModelState{Paused: "holidays"}},
		{func(ctx context.Context, c *Client) (any, error) { return c.Resume(ctx, "m", "over", false) },
			"POST /v1/models/m/resume", `{"reason":"over"}`, `{}`, lifecycle.ModelState{}},
		{func(ctx context.Context, c *Client) (any, error) { return c.Retire(ctx, "m", "replaced") },
			"POST /v1/models/m/retire", `{"reason":"replaced"}`, `{}`, lifecycle.ModelState{}},
		{func(ctx context.Context, c *Client) (any, error) { return nil, c.KPI(ctx, "m", "k1", 0.3, at) },
			"POST /v1/models/m/kpi", `{"id":"k1","value":0.3,"at":"2001-03-01T12:00:00Z"}`, "", nil},
		{func(ctx context.Context, c *Client) (any, error) {
			return c.Alertmanager(ctx, json.RawMessage(`{"version":"4"}`))
		},
			"POST /v1/alerts/alertmanager", `{"version":"4"}`, `{"accepted":1}`, 1},
		{func(ctx context.Context, c *Client) (any, error) { return nil, c.Ready(ctx) }, "GET /readyz", "", "ok", nil},
	} {
		t.Run(tt.line, func(t *testing.T) {
			c, got := gateway(t, http.StatusOK, tt.answer)
			answer, err := tt.call(t.Context(), c)
			require.NoError(t, err)
			require.Equal(t, tt.want, answer)
			require.Equal(t, tt.line, got.line)
			require.Equal(t, tt.body, got.body)
			require.Equal(t, "Bearer secret", got.token)
		})
	}
}

func TestApplySendsYAML(t *testing.T) {
	c, got := gateway(t, http.StatusOK, `{}`)
	_, err := c.Apply(t.Context(), []byte("a: b"))
	require.NoError(t, err)
	require.Equal(t, "application/yaml", got.contentType)
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name         string
		status       int
		body         string
		kind, reason string
	}{
		{"typed", 404, `{"type":"NotFound","message":"model m is not known"}`, lifecycle.NotFound, "model m is not known"},
		{"problems", 422, `{"type":"Invalid","message":"2 problems","problems":[
			{"file":"model.yaml","line":7,"field":"spec.data.label","value":"x","message":"no such column"},{"field":"spec","message":"missing"}]}`,
			lifecycle.Invalid, "2 problems\nmodel.yaml:7: spec.data.label: no such column\nspec: missing"},
		{"not ours", 502, "<html>bad gateway</html>", "Internal", "the answer was 502 Bad Gateway: <html>bad gateway</html>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := gateway(t, tt.status, tt.body)
			_, err := c.Model(t.Context(), "m")
			require.Equal(t, tt.kind, Type(err))
			require.EqualError(t, err, tt.reason)
		})
	}
}

func TestWrongAnswer(t *testing.T) {
	c, _ := gateway(t, http.StatusOK, "<html>")
	_, err := c.Model(t.Context(), "m")
	require.ErrorContains(t, err, "no JSON of this version's API")
}

func TestUnreachable(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	_, err := New(s.URL, "").Models(t.Context())
	require.ErrorIs(t, err, ErrUnreachable)
	require.ErrorContains(t, err, s.URL)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = New(s.URL, "").Models(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrUnreachable)
}
