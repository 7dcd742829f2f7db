package activities

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
	"steward/internal/stats"
)

// truth is what happened for each row of a part, in order.
type truth struct {
	labels []float64
	slices map[string][]string // values of a column by its name
}

// columns of a truth file; those to slice by follow.
const (
	truthID    = "id"
	truthLabel = "label"
)

// missingValue stands for a missing value of a slice's column.
const missingValue = "(missing)"

func sliceColumns(wanted []lifecycle.SliceWanted) ([]string, error) {
	var columns []string
	for _, w := range wanted {
		if _, err := stats.HigherIsBetter(w.Metric); err != nil {
			return nil, lifecycle.Fail(lifecycle.Invalid, "slice by %s: %v", w.Column, err)
		}
		if !slices.Contains(columns, w.Column) {
			columns = append(columns, w.Column)
		}
	}
	return columns, nil
}

func readTruth(ctx context.Context, objects *cloud.Objects, part lifecycle.Part, columns []string) (*truth, error) {
	table := table{objects: objects, format: dataset.CSV, types: map[string]dataset.Type{truthLabel: dataset.Number}}
	for _, c := range columns {
		table.types[c] = dataset.String
	}
	if err := table.addAll(ctx, part.Truth); err != nil {
		return nil, err
	}
	t := &truth{slices: map[string][]string{}}
	err := table.read(ctx, slices.Concat([]string{truthLabel}, columns), func(b *dataset.Batch) error {
		t.labels = append(t.labels, b.Numbers(0)...)
		for i, column := range columns {
			values, valid := b.Strings(i + 1)
			for j, v := range values {
				if !valid[j] {
					v = missingValue
				}
				t.slices[column] = append(t.slices[column], v)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if int64(len(t.labels)) != part.Rows {
		return nil, lifecycle.Fail(lifecycle.JobFailed, "truth in %s has %d rows, the part %d", part.Truth, len(t.labels), part.Rows)
	}
	return t, nil
}

// readScores reads the answers of a batch transform in the order of its input:
// one number a line, as many as rows.
func readScores(ctx context.Context, objects *cloud.Objects, prefix string, rows int) ([]float64, error) {
	scores := make([]float64, 0, rows)
	for o, err := range objects.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(o.URI, ".out") {
			continue
		}
		if scores, err = appendScores(ctx, objects, o.URI, scores); err != nil {
			return nil, err
		}
	}
	if len(scores) != rows {
		return nil, lifecycle.Fail(lifecycle.JobFailed, "answers in %s have %d rows, their input %d: the serving container must answer each row by one line",
			prefix, len(scores), rows)
	}
	return scores, nil
}

func appendScores(ctx context.Context, objects *cloud.Objects, uri string, scores []float64) ([]float64, error) {
	body, err := objects.Read(ctx, uri)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	lines := bufio.NewScanner(io.TeeReader(body, pulse{ctx, "reading " + uri}))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		score, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(score) || math.IsInf(score, 0) {
			return nil, lifecycle.Fail(lifecycle.JobFailed, "answers in %s: line %d: %.80q is not a number", uri, n, text)
		}
		scores = append(scores, score)
	}
	return scores, cloud.Wrap(lines.Err(), "read %s", uri)
}

// slice measures one metric for every value of a column that has enough rows.
func (t *truth) slice(task lifecycle.Task, want lifecycle.SliceWanted, scores []float64) ([]lifecycle.Slice, error) {
	rows := map[string][]int{}
	for i, v := range t.slices[want.Column] {
		rows[v] = append(rows[v], i)
	}
	var out []lifecycle.Slice
	for _, value := range slices.Sorted(maps.Keys(rows)) {
		if len(rows[value]) < max(want.MinRows, 1) {
			continue
		}
		s, err := t.measureSlice(task, want, rows[value], scores)
		if err != nil {
			return nil, err
		}
		s.Value = value
		out = append(out, s)
	}
	return out, nil
}

func (t *truth) measureSlice(task lifecycle.Task, want lifecycle.SliceWanted, rows []int, scores []float64) (lifecycle.Slice, error) {
	s := lifecycle.Slice{Column: want.Column, Metric: want.Metric, Rows: int64(len(rows))}
	metrics, err := measure(task, pick(scores, rows), pick(t.labels, rows))
	if err != nil && !undefined(err) {
		return s, lifecycle.Fail(lifecycle.JobFailed, "slice by %s: %v", want.Column, err)
	}
	result, ok := metrics[want.Metric]
	if ok {
		s.Result = result
	} else {
		s.Undefined = cmp.Or(textOfError(err), want.Metric+" is not measured for this task")
	}
	return s, nil
}

func pick(values []float64, rows []int) []float64 {
	out := make([]float64, len(rows))
	for i, r := range rows {
		out[i] = values[r]
	}
	return out
}

func textOfError(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
