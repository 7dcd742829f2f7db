package docs_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"steward/gateway"
	"steward/internal/auth"
	"steward/internal/lifecycle"
	"steward/internal/spec"
)

// unused is what a gateway needs and its description does not ask for.
type unused struct{}

func (unused) Sign(d lifecycle.Decision) (lifecycle.Decision, error)              { return d, nil }
func (unused) Read(context.Context, string) ([]lifecycle.Entry, error)            { return nil, nil }
func (unused) Bytes(context.Context, lifecycle.Evidence) (pack []byte, err error) { return nil, nil }

// requests are the methods and paths of a running gateway's description.
func requests(t *testing.T) []string {
	t.Helper()
	temporal, err := client.NewLazyClient(client.Options{Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(temporal.Close)
	raw, err := json.Marshal([]auth.User{{Subject: "ann", TokenHash: auth.Hash("token")}})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "users.json")
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	users, err := auth.Load(file)
	require.NoError(t, err)
	g, err := gateway.New(gateway.Config{Addr: "127.0.0.1:0", Temporal: temporal, Users: users, Signer: unused{},
		Ledger: unused{}, Packs: unused{}, Load: spec.Load, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- g.Serve(ctx) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-served) })

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.URL()+"/openapi.json", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer token")
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	var api struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(text, &api), string(text))
	var out []string
	for path, methods := range api.Paths {
		for method := range methods {
			out = append(out, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(out)
	return out
}

// Every request is explained, and every one that is explained exists.
func TestRequests(t *testing.T) {
	// These are not part of the described API.
	own := []string{"GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.json", "POST /v1/alerts/alertmanager"}
	page := read(t, "api.md")
	require.ElementsMatch(t, slices.Concat(requests(t), own), all("`((?:GET|POST|PUT|DELETE|PATCH) /[^`]*)`", page))
}

// Every type of error is named.
func TestErrorTypes(t *testing.T) {
	page := read(t, "api.md")
	for _, kind := range all(`(?m)^\t([A-Z][A-Za-z]+) +=`, goFiles(t, "../internal/lifecycle/errors.go", "../gateway/errors.go")) {
		require.Contains(t, page, "`"+kind+"`")
	}
}
