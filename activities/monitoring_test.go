package activities

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/stretchr/testify/require"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
	"steward/internal/stats"
)

// row is one prediction of a window: two features, the answer, the truth.
type row struct {
	id          string
	amount      float64
	origin      string
	score, late float64
}

// rowsOf draws rows: amounts around mean, origins A and B, scores that know the
// truth as well as skill says (0: not at all).
func rowsOf(n int, seed uint64, mean, skill float64) []row {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]row, n)
	for i := range out {
		late := float64(r.IntN(2))
		score := (1-skill)*r.Float64() + skill*(0.25+late/2)
		out[i] = row{fmt.Sprintf("f%d", i), mean + r.NormFloat64(), []string{"A", "B"}[r.IntN(2)], score, late}
	}
	return out
}

// watched is a champion with its baseline, and a window around now.
type watched struct {
	*world
	in lifecycle.MeasureInput
}

func newWatched(t *testing.T) *watched {
	w := newWorld(t)
	past := rowsOf(2000, 1, 10, 0.5)
	p := stats.NewProfiler([]stats.Field{{Name: "amount", Kind: stats.Number}, {Name: "origin", Kind: stats.Category}, {Name: "at", Kind: stats.Time}})
	var scores strings.Builder
	for _, r := range past {
		p.AddNumbers(0, []float64{r.amount})
		p.AddStrings(1, []string{r.origin}, nil)
		p.AddNumbers(2, []float64{1e9})
		fmt.Fprintln(&scores, r.score)
	}
	raw, err := json.Marshal(p.Profile())
	require.NoError(t, err)
	w.put("releases/3/scores/test/part-0.csv.out", scores.String())
	now := time.Now().UTC().Truncate(time.Second)
	return &watched{w, lifecycle.MeasureInput{
		Of: lifecycle.Of{Model: testModel, Release: 3},
		Champion: lifecycle.Champion{
			Release: 3, Test: lifecycle.Evaluation{Rows: 2000, Scores: modelURI(testBucket, testModel, "releases/3/scores/test/")},
			Parts: lifecycle.Parts{Baseline: w.put("releases/3/baseline.json", string(raw)), Features: []string{"amount", "origin", "at"}},
		},
		Data: lifecycle.Data{Task: lifecycle.Binary, Label: "late", GroundTruth: lifecycle.GroundTruth{
			URI: "s3://steward/truth/", Key: "flight", MinCoverage: 0.9}},
		Watch:  lifecycle.Watch{MinRows: 200, Drift: "auto"},
		Window: lifecycle.Window{ID: "3-7", Release: 3, From: now.Add(-30 * time.Minute), To: now.Add(30 * time.Minute)},
	}}
}

// line is a captured request as SageMaker writes it.
func line(id string, at time.Time, encoding, input, output string) string {
	if encoding == "BASE64" {
		input, output = base64.StdEncoding.EncodeToString([]byte(input)), base64.StdEncoding.EncodeToString([]byte(output))
	}
	side := func(mode, data string) map[string]string {
		return map[string]string{"observedContentType": "text/csv", "mode": mode, "data": data, "encoding": encoding}
	}
	raw, err := json.Marshal(map[string]any{
		"captureData":   map[string]any{"endpointInput": side("INPUT", input), "endpointOutput": side("OUTPUT", output)},
		"eventMetadata": map[string]string{"eventId": "e", "inferenceId": id, "inferenceTime": at.Format(time.RFC3339)},
		"eventVersion":  "0",
	})
	if err != nil {
		panic(err) // maps of strings always marshal
	}
	return string(raw) + "\n"
}

func (r row) csv() string    { return fmt.Sprintf("%g,%s,2001-01-01T00:00:00Z\n", r.amount, r.origin) }
func (r row) answer() string { return fmt.Sprintf("%g\n", r.score) }

// capture stores lines in the hour of a request.
func (w *watched) capture(name string, at time.Time, lines ...string) {
	w.Helper()
	uri := captureURI(testBucket, testModel) + "/steward-fraud/r3/" + at.UTC().Format("2006/01/02/15/") + name + ".jsonl"
	require.NoError(w, w.objects.Put(w.Context(), uri, []byte(strings.Join(lines, ""))))
}

// traffic captures rows in the middle of the window, half of them as base64.
func (w *watched) traffic(rows []row) {
	at := w.in.Window.From.Add(w.in.Window.To.Sub(w.in.Window.From) / 2)
	var lines []string
	for i, r := range rows {
		lines = append(lines, line(r.id, at, []string{"CSV", "BASE64"}[i%2], r.csv(), r.answer()))
	}
	w.capture("traffic", at, lines...)
}

// read reads the window's captured traffic, as part of an activity.
func (w *watched) read(use func(exchange)) (captured, error) {
	return ask(w.world, func(ctx context.Context, in lifecycle.MeasureInput) (captured, error) {
		return w.monitoring.readCaptured(ctx, in, use)
	}, w.in)
}

func outcomes(findings []lifecycle.Finding) string {
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s %s: %s", f.Cause, f.Outcome, f.Detail))
	}
	return strings.Join(out, "\n")
}

func TestTrafficThatIsAsItWas(t *testing.T) {
	w := newWatched(t)
	w.traffic(rowsOf(600, 2, 10, 0.5))
	got, err := ask(w.world, w.monitoring.MeasureTraffic, w.in)
	require.NoError(t, err)
	require.Equal(t, "drift pass: none of 3 columns moved", outcomes(got.Findings))
	require.Equal(t, int64(600), got.Rows)
	require.Len(t, got.Drift, 3, "two features and the prediction, but not the time: %v", got.Drift)
	require.InDelta(t, 0.5, got.Estimate["base_rate"], 0.05)

	raw, err := w.objects.Get(t.Context(), got.Report)
	require.NoError(t, err)
	require.Equal(t, "s3://steward/models/fraud/windows/3-7.json", got.Report)
	var r measurement
	require.NoError(t, json.Unmarshal(raw, &r))
	require.Equal(t, got, r.Window)
	require.Len(t, r.Columns, 3)
	require.Equal(t, int64(600), r.Profile.Rows)
}

func TestDrift(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rows   []row
		change func(*watched)
		want   string
	}{
		{"inputs and predictions", rowsOf(600, 2, 12, 0.95), nil, "drift fail: 2 of 3 columns moved: amount (psi "},
		{"new category", func() []row {
			rows := rowsOf(600, 2, 10, 0.5)
			for i := range rows {
				if i%3 == 0 {
					rows[i].origin = "C"
				}
			}
			return rows
		}(), nil, "drift fail: 1 of 3 columns moved: origin (unseen 0.333)"},
		{"not judged", rowsOf(600, 2, 12, 0.95), func(w *watched) { w.in.Watch.Drift = "off" }, ""},
		{"too few", rowsOf(199, 2, 12, 0.95), nil, "drift inconclusive: 199 rows, fewer than the 200"},
		{"too few, though not judged", rowsOf(30, 2, 12, 0.95), func(w *watched) { w.in.Watch.Drift = "off" }, "drift inconclusive: 30 rows"},
		{"none", nil, nil, "drift inconclusive: no request was captured"},
		{"before and after", rowsOf(600, 2, 10, 0.5), func(w *watched) {
			w.in.Window.From, w.in.Window.To = w.in.Window.To, w.in.Window.To.Add(time.Hour)
		}, "drift inconclusive: no request was captured"},
		{"nobody was served", rowsOf(600, 2, 10, 0.5), func(w *watched) {
			w.in.Watch.Services = []lifecycle.Level{{Name: "errors", Max: lifecycle.Bound{Value: 0.01}}}
		}, "drift pass: none of 3 columns moved\nalert inconclusive: 0 requests"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWatched(t)
			w.traffic(tt.rows)
			if tt.change != nil {
				tt.change(w)
			}
			got, err := ask(w.world, w.monitoring.MeasureTraffic, w.in)
			require.NoError(t, err)
			require.Contains(t, outcomes(got.Findings), tt.want)
			require.Equal(t, tt.want == "", len(got.Findings) == 0, "%v", got.Findings)
		})
	}
}

func TestWhatBelongsToAWindow(t *testing.T) {
	w := newWatched(t)
	from, to := w.in.Window.From, w.in.Window.To
	good := rowsOf(1, 1, 10, 0.5)[0]
	at := func(id string, when time.Time) string { return line(id, when, "CSV", good.csv(), good.answer()) }
	w.capture("a", from, at("too early", from.Add(-time.Second)), at("first", from))
	w.capture("b", to.Add(time.Hour), at("last, delivered late", to.Add(-time.Second)), at("too late", to))
	w.capture("c", from, at(smokeID+"1", from), "\n")
	w.capture("d", from, line("two rows", from, "CSV", good.csv()+good.csv(), good.answer()+good.answer()))
	w.capture("e", from,
		"not json\n",
		line("fields", from, "CSV", "1,2\n", "0.5\n"),
		line("answers", from, "CSV", good.csv(), "0.5\n0.5\n"),
		line("text", from, "CSV", good.csv(), "late\n"),
		line("nan", from, "CSV", good.csv(), "NaN\n"),
		line("json", from, "JSON", `{"amount":1}`, "0.5\n"))
	var ids []string
	seen, err := w.read(func(x exchange) { ids = append(ids, x.id) })
	require.NoError(t, err)
	require.Equal(t, []string{"first", "", "last, delivered late"}, ids)
	require.Equal(t, captured{Rows: 4, Requests: 9, Unread: 6, Example: seen.Example}, seen)
	require.Contains(t, seen.Example, "e.jsonl line 1")

	got, err := ask(w.world, w.monitoring.MeasureTraffic, w.in)
	require.NoError(t, err)
	require.Contains(t, outcomes(got.Findings), "drift inconclusive: 6 of 9 requests could not be understood")
}

// The whole way: an endpoint that is asked, SageMaker's own capture, and the
// service levels from CloudWatch.
func TestTrafficOfARealEndpoint(t *testing.T) {
	w := newWatched(t)
	_, err := ask(w.world, w.deployment.Deploy, deploy(3, serve(w.release(3, "good"), 100)))
	require.NoError(t, err)
	for i := range 220 {
		_, err := w.deployment.Endpoints.Invoke(t.Context(), "steward-fraud", "r3", fmt.Sprint("f", i), []byte("0.25,A,2001-01-01T00:00:00Z\n"))
		require.NoError(t, err)
	}
	w.in.Watch.Services = []lifecycle.Level{{Name: "errors", Max: lifecycle.Bound{Value: 0}}, {Name: "p99", Max: lifecycle.Bound{Value: 30, Seconds: true}}}
	require.Eventually(t, func() bool {
		seen, err := w.read(func(exchange) {})
		return err == nil && seen.Rows == 220
	}, 20*time.Second, 50*time.Millisecond)
	got, err := ask(w.world, w.monitoring.MeasureTraffic, w.in)
	require.NoError(t, err)
	require.Contains(t, outcomes(got.Findings), "drift fail: 3 of 3 columns moved")
	require.Contains(t, outcomes(got.Findings), "alert pass: errors 0 is within 0; p99 ")
	require.Len(t, got.Services, 2)

	w.in.Watch.MinRows = 221
	got, err = ask(w.world, w.monitoring.MeasureTraffic, w.in)
	require.NoError(t, err)
	require.Contains(t, outcomes(got.Findings), "alert inconclusive: 220 requests, fewer than the 221 that are needed")
}

// What keeps the service levels from being read says nothing about the inputs.
func TestDriftIsMeasuredWithoutMetrics(t *testing.T) {
	w := newWatched(t)
	w.traffic(rowsOf(600, 2, 12, 0.95))
	w.in.Watch.Services = []lifecycle.Level{{Name: "errors", Max: lifecycle.Bound{Value: 0.01}}}
	w.cfg.Credentials = credentials.NewStaticCredentialsProvider("key", "a wrong secret", "")
	w.monitoring.Metrics = cloud.NewMetrics(cloudwatch.NewFromConfig(w.cfg))
	got, err := ask(w.world, w.monitoring.MeasureTraffic, w.in)
	require.NoError(t, err)
	require.Contains(t, outcomes(got.Findings), "drift fail: 2 of 3 columns moved")
	require.Contains(t, outcomes(got.Findings), "alert error: metrics of endpoint steward-fraud, variant r3: ")
	require.NotEmpty(t, got.Report)
}
