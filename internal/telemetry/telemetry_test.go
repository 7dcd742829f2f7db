package telemetry

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMetrics(t *testing.T) {
	scope, handler, closer, err := New("steward")
	require.NoError(t, err)
	sdk := Handler(scope).WithTags(map[string]string{"task_queue": "steward"})
	sdk.Counter("temporal_request").Inc(3)
	sdk.Timer("temporal_activity_execution_latency").Record(3 * time.Hour)
	require.NoError(t, closer.Close()) // hands over the last counts

	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	body := rec.Body.String()
	require.Contains(t, body, `steward_temporal_request_total{task_queue="steward"} 3`)
	require.Contains(t, body, `steward_temporal_activity_execution_latency_seconds_bucket{task_queue="steward",le="7200"} 0`)
	require.Contains(t, body, `steward_temporal_activity_execution_latency_seconds_bucket{task_queue="steward",le="21600"} 1`)
	require.Contains(t, body, `le="86400"`)
	require.Contains(t, body, "go_goroutines")
}

func TestTwoScopesInOneProcess(t *testing.T) {
	for range 2 {
		_, _, closer, err := New("steward")
		require.NoError(t, err)
		require.NoError(t, closer.Close())
	}
}

func TestRefusedMetricIsCounted(t *testing.T) {
	scope, handler, closer, err := New("steward")
	require.NoError(t, err)
	scope.Counter("twice").Inc(1)
	scope.Tagged(map[string]string{"a": "b"}).Gauge("twice_total").Update(1)
	require.NoError(t, closer.Close())
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	require.Contains(t, rec.Body.String(), "telemetry_refused_metrics_total 1")
}

func TestLoggerWritesJSONToFiles(t *testing.T) {
	var out bytes.Buffer
	log := Logger(&out, slog.LevelInfo)
	log.Debug("hidden")
	log.Info("started", "address", "127.0.0.1:1")
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), "one line of JSON: %s", out.String())
	require.Equal(t, "started", line["msg"])
	require.Equal(t, "127.0.0.1:1", line["address"])
}
