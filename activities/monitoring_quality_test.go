package activities

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// truthFile stores what happened to rows, as CSV.
func (w *watched) truthFile(name string, rows []row, flip bool) {
	var b strings.Builder
	b.WriteString("flight,ignored,late\n")
	for _, r := range rows {
		late := r.late
		if flip {
			late = 1 - late
		}
		fmt.Fprintf(&b, "%s,x,%g\n", r.id, late)
	}
	w.object(name, b.String())
}

func (w *watched) object(name, text string) {
	w.Helper()
	require.NoError(w, w.objects.Put(w.Context(), "s3://steward/truth/"+name, []byte(text)))
}

func atLeast(metric string, v float64) []lifecycle.QualityRule {
	return []lifecycle.QualityRule{{Metric: metric, Min: &v}}
}

func TestQuality(t *testing.T) {
	rows := rowsOf(400, 5, 10, 0.5)
	oneClass := rowsOf(400, 5, 10, 0.5)
	for i := range oneClass {
		oneClass[i].late = 1
	}
	for _, tt := range []struct {
		name     string
		rule     []lifecycle.QualityRule
		rows     []row
		truth    func(*watched)
		coverage float64
		want     string
	}{
		{"good", atLeast("auc", 0.8), rows, func(w *watched) { w.truthFile("a.csv", rows, false) }, 1, "quality pass: auc "},
		{"bad", atLeast("auc", 0.9999), rows, func(w *watched) { w.truthFile("a.csv", rows, false) }, 1, "is below 0.9999 (400 rows, coverage 1.000)"},
		{"above", []lifecycle.QualityRule{{Metric: "brier", Max: new(float64)}}, rows, func(w *watched) { w.truthFile("a.csv", rows, false) }, 1, "is above 0 (400 rows"},
		{"no truth", atLeast("auc", 0.6), rows, func(*watched) {}, 0, "quality inconclusive: coverage 0.000 is below 0.9: 0 of 400"},
		{"half of it", atLeast("auc", 0.6), rows, func(w *watched) { w.truthFile("a.csv", rows[:200], false) }, 0.5, "quality inconclusive: coverage 0.500 is below 0.9: 200 of 400"},
		{"in two files", atLeast("auc", 0.8), rows, func(w *watched) {
			w.truthFile("a.csv", rows[:200], false)
			w.truthFile("b.csv", rows[200:], false)
		}, 1, "quality pass"},
		{"too few", atLeast("auc", 0.8), rows[:199], func(w *watched) { w.truthFile("a.csv", rows, false) }, 1, "quality inconclusive: 199 predictions with their truth, fewer than the 200"},
		{"no traffic", atLeast("auc", 0.8), nil, func(w *watched) { w.truthFile("a.csv", rows, false) }, 0, "quality inconclusive: no request was captured"},
		{"one class", atLeast("auc", 0.8), oneClass, func(w *watched) { w.truthFile("a.csv", oneClass, false) }, 1, "quality inconclusive: auc is undefined: all labels are of one class (400 positive, 0 negative)"},
		{"metric of another task", atLeast("rmse", 0.9), rows, func(w *watched) { w.truthFile("a.csv", rows, false) }, 1, "quality inconclusive: rmse is not measured"},
		{"label that is no class", atLeast("auc", 0.8), rows, func(w *watched) {
			w.object("a.csv", "flight,late\n")
			var b strings.Builder
			b.WriteString("flight,late\n")
			for _, r := range rows {
				fmt.Fprintf(&b, "%s,2\n", r.id)
			}
			w.object("b.csv", b.String())
		}, 1, "quality error: label of row 0 is 2"},
		{"corrected later", atLeast("auc", 0.8), rows, func(w *watched) {
			w.truthFile("a.csv", rows[:100], true)
			w.later()
			w.truthFile("0.csv", rows, false)
		}, 1, "(400 rows, coverage 1.000, 100 ids with contradictory truth)"},
		{"repeated", atLeast("auc", 0.8), rows, func(w *watched) {
			w.truthFile("a.csv", rows, false)
			w.truthFile("b.csv", rows, false)
		}, 1, "(400 rows, coverage 1.000)"},
		{"as JSON lines, true and false, with a marker beside it", atLeast("auc", 0.8), rows, func(w *watched) {
			var b strings.Builder
			for _, r := range rows {
				fmt.Fprintf(&b, `{"flight":%q,"late":%v}`+"\n", r.id, r.late == 1)
			}
			w.object("a.jsonl", b.String())
			w.object("_SUCCESS", "ok")
		}, 1, "quality pass"},
		{"as Parquet", atLeast("auc", 0.8), rows, func(w *watched) { w.parquet(rows) }, 1, "quality pass"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWatched(t)
			w.traffic(tt.rows)
			tt.truth(w)
			w.in.Watch.Quality = tt.rule
			w.in.Window.Findings = []lifecycle.Finding{{Cause: lifecycle.CauseDrift, Outcome: lifecycle.Pass, Detail: "from before"},
				{Cause: lifecycle.CauseQuality, Outcome: lifecycle.Failed, Detail: "of an earlier attempt"}}
			got, err := ask(w.world, w.monitoring.MeasureQuality, w.in)
			require.NoError(t, err)
			require.Contains(t, outcomes(got.Findings), tt.want)
			require.Len(t, got.Findings, 2, "the one of the traffic stays: %v", got.Findings)
			require.Contains(t, outcomes(got.Findings), "drift pass: from before")
			require.True(t, got.Matured)
			require.InDelta(t, tt.coverage, got.Coverage, 1e-9)
			require.Equal(t, int64(len(tt.rows)), got.Rows)
		})
	}
}

// later waits until S3, which tells whole seconds, shows a later time.
func (w *watched) later() {
	w.Helper()
	before := time.Now().Truncate(time.Second)
	require.Eventually(w, func() bool { return time.Now().Truncate(time.Second).After(before) }, 5*time.Second, 5*time.Millisecond)
}

func (w *watched) parquet(rows []row) {
	w.Helper()
	var values [][]any
	for _, r := range rows {
		values = append(values, []any{r.id, int64(r.late)})
	}
	schema := dataset.Schema{{Name: "flight", Type: dataset.String}, {Name: "late", Type: dataset.Integer}}
	batch, err := dataset.NewBatch(schema, values)
	require.NoError(w, err)
	var b bytes.Buffer
	require.NoError(w, dataset.WriteParquet(&b, schema, batch))
	w.object("a.parquet", b.String())
}

// Truth that was written before the window began cannot be about it.
func TestOldTruthIsLeftOut(t *testing.T) {
	w := newWatched(t)
	rows := rowsOf(400, 5, 10, 0.5)
	w.truthFile("old.csv", rows, true)
	w.later()
	w.in.Window.From = time.Now().Truncate(time.Second)
	w.truthFile("new.csv", rows, false)
	w.traffic(rows)
	w.in.Watch.Quality = atLeast("auc", 0.8)
	got, err := ask(w.world, w.monitoring.MeasureQuality, w.in)
	require.NoError(t, err)
	require.Contains(t, outcomes(got.Findings), "quality pass")
	require.NotContains(t, outcomes(got.Findings), "contradictory")
}

func TestTruthThatCannotBeUsed(t *testing.T) {
	for _, tt := range []struct{ name, file, text, want string }{
		{"no key", "a.csv", "id,late\nf1,1\n", `column "flight" does not exist`},
		{"no label", "a.csv", "flight,was_late\nf1,1\n", `column "late" does not exist`},
		{"text", "a.csv", "flight,late\nf1,yes\n", `row 1: label late is "yes"`},
		{"unknown format", "a.xlsx", "PK", "extension does not tell the format"},
		{"broken Parquet", "a.parquet", "PAR1", "a.parquet"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWatched(t)
			w.traffic(rowsOf(10, 5, 10, 0.5))
			w.object(tt.file, tt.text)
			_, err := ask(w.world, w.monitoring.MeasureQuality, w.in)
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, "s3://steward/truth/"+tt.file)
			require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err))
		})
	}
}

// The report of a window holds both of its measurements.
func TestOneReportForBothMeasurements(t *testing.T) {
	w := newWatched(t)
	rows := rowsOf(400, 5, 10, 0.5)
	w.traffic(rows)
	w.truthFile("a.csv", rows, false)
	w.in.Watch.Quality = atLeast("auc", 0.6)
	closed, err := ask(w.world, w.monitoring.MeasureTraffic, w.in)
	require.NoError(t, err)
	w.in.Window = closed
	for range 2 { // a retry gives the same
		matured, err := ask(w.world, w.monitoring.MeasureQuality, w.in)
		require.NoError(t, err)
		require.Equal(t, closed.Report, matured.Report)
		raw, err := w.objects.Get(t.Context(), matured.Report)
		require.NoError(t, err)
		var r measurement
		require.NoError(t, json.Unmarshal(raw, &r))
		require.Equal(t, matured, r.Window)
		require.Len(t, r.Columns, 3)
		require.NotNil(t, r.Profile)
		require.Equal(t, int64(400), r.Truth.Rows)
		require.Len(t, matured.Findings, 2)
	}
}
