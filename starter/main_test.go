package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/apiclient"
	"steward/internal/lifecycle"
	"steward/starter/live"
)

// gateway answers by "METHOD path" and keeps the bodies that it got.
type gateway struct {
	*httptest.Server
	answers map[string]string
	status  map[string]int
	bodies  map[string]string
}

func newGateway(t *testing.T, answers map[string]string) *gateway {
	t.Helper()
	g := &gateway{answers: answers, status: map[string]int{}, bodies: map[string]string{}}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := r.Method + " " + r.URL.Path
		raw, _ := io.ReadAll(r.Body)
		g.bodies[line] = string(raw)
		answer, ok := g.answers[line]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"type":"NotFound","message":"`+line+` is not known"}`)
			return
		}
		if code := g.status[line]; code != 0 {
			w.WriteHeader(code)
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(g.Close)
	return g
}

// steward runs the command as a person would, without a terminal.
func (g *gateway) steward(t *testing.T, stdin string, line ...string) (stdout, stderr string, err error) {
	t.Helper()
	t.Setenv("STEWARD_HOME", filepath.Join(t.TempDir(), "none"))
	t.Setenv("STEWARD_TOKEN", "secret")
	t.Setenv("STEWARD_GATEWAY", g.URL)
	var out, errs bytes.Buffer
	root := newRoot(&out, &errs)
	root.SetArgs(line)
	root.SetIn(strings.NewReader(stdin))
	err = root.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

func waiting() apiclient.Release {
	return apiclient.Release{Release: lifecycle.ReleaseState{
		Model: "m", Number: 2, Stage: lifecycle.StageApproval, Winner: "trees",
		Trigger:    lifecycle.Trigger{Cause: lifecycle.CauseDrift, Reason: "moved", Author: "steward"},
		Test:       &lifecycle.Evaluation{Rows: 500, Metrics: map[string]float64{"auc": 0.72}, Slices: []lifecycle.Slice{{Column: "origin", Value: "ATL", Metric: "auc", Result: 0.61, Rows: 90}}},
		Champion:   &lifecycle.Evaluation{Metrics: map[string]float64{"auc": 0.66}},
		Comparison: []lifecycle.Comparison{{Metric: "auc", Delta: 0.06, Low: 0.04, High: 0.08, Confidence: 0.95, Method: "delong"}},
		Verdicts:   []lifecycle.Verdict{{Gate: "auc at least 0.65", Outcome: lifecycle.Pass, Detail: "0.72"}},
		Evidence:   &lifecycle.Evidence{Digest: "sha256:e1"},
		Awaiting:   []lifecycle.Awaited{{Role: lifecycle.ProductManager, Count: 1}},
	}}
}

func TestApproveShowsAndSendsTheSameDigest(t *testing.T) {
	g := newGateway(t, map[string]string{
		"GET /v1/models/m":                        toJSON(t, lifecycle.ModelState{InFlight: &lifecycle.InFlight{Release: 2}}),
		"GET /v1/models/m/releases/2":             toJSON(t, waiting()),
		"POST /v1/models/m/releases/2/decision":   `{"number":2,"stage":"rollout"}`,
		"POST /v1/models/m/releases/2/rollout":    `{}`,
		"GET /v1/models/early/releases/1":         `{"release":{"number":1,"stage":"train"}}`,
		"GET /v1/models/quiet":                    `{}`,
		"GET /v1/models/bake/releases/1":          `{"release":{"number":1},"rollout":{"awaiting":"go on?"}}`,
		"POST /v1/models/bake/releases/1/rollout": `{}`,
	})
	const decision = "POST /v1/models/m/releases/2/decision"

	out, _, err := g.steward(t, "y\n", "approve", "m", "--comment", "agreed")
	require.NoError(t, err)
	for _, shown := range []string{"sha256:e1", "auc at least 0.65", "0.7200", "0.6600", "+0.0600", "origin=ATL", "drift: moved"} {
		require.Contains(t, out, shown)
	}
	require.JSONEq(t, `{"approve":true,"digest":"sha256:e1","comment":"agreed"}`, g.bodies[decision])

	delete(g.bodies, decision)
	_, _, err = g.steward(t, "n\n", "approve", "m", "2")
	require.ErrorContains(t, err, "nothing was done")
	_, _, err = g.steward(t, "", "approve", "m", "2", "--digest", "sha256:other")
	require.Equal(t, exitRefused, exitCode(err))
	require.NotContains(t, g.bodies, decision, "nobody approved")

	_, _, err = g.steward(t, "", "reject", "m", "2", "--yes", "--comment", "worse")
	require.NoError(t, err)
	require.JSONEq(t, `{"approve":false,"digest":"sha256:e1","comment":"worse"}`, g.bodies[decision])

	_, _, err = g.steward(t, "", "approve", "bake", "1", "--yes")
	require.NoError(t, err)
	require.JSONEq(t, `{"promote":true,"comment":""}`, g.bodies["POST /v1/models/bake/releases/1/rollout"])

	for _, early := range [][]string{{"approve", "early", "1", "--yes"}, {"approve", "quiet", "--yes"}} {
		_, _, err = g.steward(t, "", early...)
		require.Equal(t, exitRefused, exitCode(err), "%v", err)
	}
}

func TestExitCodes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "model.yaml")
	require.NoError(t, os.WriteFile(file, []byte("kind: Nothing\n"), 0o600))
	g := newGateway(t, map[string]string{
		"GET /v1/models":             `{"models":[{"name":"m"}]}`,
		"POST /v1/models/m/releases": `{"type":"Conflict","message":"a release is under way"}`,
		"POST /v1/models/m/pause":    `{"type":"Denied","message":"ana may not"}`,
		"POST /v1/models/m/resume":   `{"type":"Unavailable","message":"Temporal does not answer"}`,
	})
	g.status = map[string]int{"POST /v1/models/m/releases": 409, "POST /v1/models/m/pause": 403, "POST /v1/models/m/resume": 503}
	for _, tt := range []struct {
		line []string
		want int
		says string
	}{
		{[]string{"status"}, exitOK, ""},
		{[]string{"status", "nobody"}, exitNotFound, "not known"},
		{[]string{"release", "m"}, exitRefused, "a release is under way"},
		{[]string{"pause", "m", "--reason", "freeze"}, exitRefused, "ana may not"},
		{[]string{"resume", "m"}, exitUnreachable, "Temporal does not answer"},
		{[]string{"status", "--gateway", "http://127.0.0.1:1"}, exitUnreachable, "cannot be reached"},
		{[]string{"pause", "m"}, exitUsage, "--reason is missing"},
		{[]string{"retire", "m"}, exitUsage, "--reason is missing"},
		{[]string{"reject", "m", "--yes"}, exitUsage, "--comment is missing"},
		{[]string{"approve", "m", "two"}, exitUsage, `release "two"`},
		{[]string{"cancel", "m"}, exitUsage, "usage: steward cancel NAME RELEASE"},
		{[]string{"cancel", "m", "0", "--reason", "r"}, exitUsage, `release "0"`},
		{[]string{"status", "--nonsense"}, exitUsage, "nonsense"},
		{[]string{"nonsense"}, exitUsage, "nonsense"},
		{[]string{"status", "-o", "yaml"}, exitUsage, "yaml"},
		{[]string{"status", "--as", "nobody"}, exitUsage, "nobody"},
		{[]string{"watch", "m", "--until", "done"}, exitUsage, "done"},
		{[]string{"watch", "m", "--every", "0s"}, exitUsage, "--every 0s"},
		{[]string{"watch", "m", "--every", "-1s"}, exitUsage, "--every -1s"},
		{[]string{"apply", file}, exitUsage, "kind"},
		{[]string{"apply", "/nonexistent.yaml"}, exitError, "no such file"},
		{[]string{"traffic", "--file", "x.csv"}, exitUsage, "--endpoint is missing"},
		{[]string{"traffic"}, exitUsage, "--file is missing"},
		{[]string{"dev", "--without", "temporal"}, exitError, `no part "temporal"`},
	} {
		t.Run(strings.Join(tt.line, " "), func(t *testing.T) {
			t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
			_, _, err := g.steward(t, "", tt.line...)
			require.Equal(t, tt.want, exitCode(err), "%v", err)
			if tt.want != exitOK {
				require.ErrorContains(t, err, tt.says)
			}
		})
	}
}

func TestRetireAsks(t *testing.T) {
	g := newGateway(t, map[string]string{"POST /v1/models/m/retire": `{}`, "GET /v1/models/m": `{"gone":"2026-01-01T00:00:00Z"}`})
	_, question, err := g.steward(t, "no\n", "retire", "m", "--reason", "old")
	require.ErrorContains(t, err, "nothing was done")
	require.Contains(t, question, "Retire m?")
	require.NotContains(t, question, "under way")
	g.answers["GET /v1/models/m"] = `{"inFlight":{"release":3}}`
	_, question, err = g.steward(t, "no\n", "retire", "m", "--reason", "old")
	require.ErrorContains(t, err, "nothing was done")
	require.Contains(t, question, "Release 3, which is under way, ends with it")
	require.NotContains(t, g.bodies, "POST /v1/models/m/retire")
	g.answers["GET /v1/models/m"] = `{"gone":"2026-01-01T00:00:00Z"}`
	_, _, err = g.steward(t, "", "retire", "m", "--reason", "old", "--yes")
	require.NoError(t, err)
	require.JSONEq(t, `{"reason":"old"}`, g.bodies["POST /v1/models/m/retire"])
}

func TestStatus(t *testing.T) {
	g := newGateway(t, map[string]string{
		"GET /v1/models": `{"models":[{"name":"m","team":"t","stage":"approval","health":"good","release":2,"awaiting":"operator"}]}`})
	out, _, err := g.steward(t, "", "status")
	require.NoError(t, err)
	require.Equal(t, "MODEL  TEAM  HEALTH  SERVES     STAGE     WAITS FOR\nm      t     good    release 2  approval  operator\n", out)
	out, _, err = g.steward(t, "", "status", "-o", "json")
	require.NoError(t, err)
	require.JSONEq(t, `[{"name":"m","team":"t","stage":"approval","health":"good","release":2,"awaiting":"operator"}]`, out)
	g.answers["GET /v1/models"] = `{"models":[]}`
	out, _, err = g.steward(t, "", "status")
	require.NoError(t, err)
	require.Contains(t, out, "no model is alive")
}

func TestWatchUntil(t *testing.T) {
	state := func(stage lifecycle.Stage) string {
		return toJSON(t, lifecycle.ModelState{Model: lifecycle.Metadata{Name: "m"}, Last: 1,
			Releases: []lifecycle.ReleaseSummary{{Number: 1, Stage: stage, Problem: &lifecycle.Problem{Type: "JobFailed", Message: "exit 1"}}}})
	}
	for stage, want := range map[lifecycle.Stage]int{lifecycle.StageReleased: exitOK, lifecycle.StageFailed: exitError} {
		g := newGateway(t, map[string]string{"GET /v1/models/m": state(stage)})
		for _, until := range []string{untilReleased, untilEnded} {
			out, _, err := g.steward(t, "", "watch", "m", "--until", until)
			require.Equal(t, want, exitCode(err), "%v", err)
			require.Contains(t, out, "so far   release 1 ended: "+string(stage))
		}
		out, _, _ := g.steward(t, "", "watch", "m", "--until", untilEnded, "-o", "json")
		var v live.View
		require.NoError(t, json.Unmarshal([]byte(out), &v))
		require.Equal(t, 1, v.Model.Last)
	}
	g := newGateway(t, map[string]string{"GET /v1/models/m": `{}`})
	_, _, err := g.steward(t, "", "watch", "m", "--until", untilEnded)
	require.ErrorContains(t, err, "nothing to wait for")
}

// Temporal may be slow from the first look on; a gateway that is not there is told
// at once.
func TestWatchWaitsForTemporal(t *testing.T) {
	looks := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if looks++; looks < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"type":"Unavailable","message":"Temporal does not answer"}`)
			return
		}
		_, _ = io.WriteString(w, `{"retired": {"author": "oli", "reason": "replaced"}, "gone": "2026-03-01T00:00:00Z"}`)
	}))
	g := &gateway{Server: server}
	out, warned, err := g.steward(t, "", "watch", "m", "--every", "1ms")
	require.NoError(t, err)
	require.Contains(t, out, "retired by oli: replaced")
	require.Equal(t, 1, strings.Count(warned, "Temporal does not answer; trying again"))
	server.Close()
	_, _, err = g.steward(t, "", "watch", "m", "--every", "1ms")
	require.Equal(t, exitUnreachable, exitCode(err), "%v", err)
}

func TestWatchEndsWithTheModel(t *testing.T) {
	g := newGateway(t, map[string]string{"GET /v1/models/m": `{"retired": {"author": "oli", "reason": "replaced"}, "gone": "2026-03-01T00:00:00Z"}`})
	out, _, err := g.steward(t, "", "watch", "m")
	require.NoError(t, err)
	require.Contains(t, out, "retired by oli: replaced")
}

// A rollback is over when it is, not when the version it brings back was released.
func TestWatchUntilTheRollbackIsOver(t *testing.T) {
	state := func(serving, back int) live.View {
		v := live.View{Model: lifecycle.ModelState{Last: 2, Champion: &lifecycle.Champion{Release: serving},
			Releases: []lifecycle.ReleaseSummary{{Number: 1, Stage: lifecycle.StageReleased}, {Number: 2, Stage: lifecycle.StageReleased}}}}
		if back > 0 {
			v.Model.InFlight = &lifecycle.InFlight{Release: back, Rollback: true}
		}
		return v
	}
	for _, until := range []string{untilReleased, untilEnded} {
		for _, of := range []int{0, 1} {
			w := watching{until: until, of: of}
			over, err := w.over(state(2, 1))
			require.False(t, over)
			require.NoError(t, err)
			over, err = w.over(state(1, 0))
			require.True(t, over)
			require.NoError(t, err)
			over, err = w.over(state(2, 0))
			require.True(t, over)
			require.ErrorContains(t, err, "the rollback to release 1 failed: release 2 serves")
			over, err = w.over(live.View{})
			require.True(t, over)
			require.ErrorContains(t, err, "nothing serves")
		}
	}
}

// A tree is drawn over the one before, whatever their lengths.
func TestRedraw(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, redraw(&out, 0, []string{"a", "b"}))
	require.NoError(t, redraw(&out, 2, []string{"c"}))
	require.Equal(t, "a\nb\n\x1b[2A\x1b[Jc\n", out.String())
}

func TestCompletion(t *testing.T) {
	g := newGateway(t, map[string]string{"GET /v1/models": `{"models":[{"name":"flight-delay","team":"rebooking"}]}`})
	out, _, err := g.steward(t, "", "__complete", "watch", "")
	require.NoError(t, err)
	require.Contains(t, out, "flight-delay\trebooking")
}

func TestSchema(t *testing.T) {
	g := newGateway(t, nil)
	out, _, err := g.steward(t, "", "schema")
	require.NoError(t, err)
	require.True(t, json.Valid([]byte(out)))
}

func TestConditions(t *testing.T) {
	got, err := conditions([]string{"month=3", "month=4", "origin=A=B", "dest="})
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"month": {"3", "4"}, "origin": {"A=B"}, "dest": {""}}, got)
	for _, wrong := range []string{"month", "=3"} {
		_, err = conditions([]string{wrong})
		require.ErrorContains(t, err, "month=3")
	}
}
