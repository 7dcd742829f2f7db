package dataset_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
)

var splitSchema = dataset.Schema{{Name: "at", Type: dataset.Time}, {Name: "id", Type: dataset.Integer}}

func splitSource(t *testing.T, b *dataset.Batch) dataset.Source {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, dataset.WriteParquet(&out, splitSchema, b))
	return dataset.Bytes("s.parquet", out.Bytes())
}

func randomRows(t *testing.T, seed uint64, n, instants int) *dataset.Batch {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = []any{time.Unix(int64(r.IntN(instants)), 0), i}
	}
	b, err := dataset.NewBatch(splitSchema, rows)
	require.NoError(t, err)
	return b
}

func TestSplitByTime(t *testing.T) {
	for seed := range uint64(30) {
		b := randomRows(t, seed, 1000, 20+int(seed)*40)
		s, err := dataset.PlanSplit(context.Background(), []dataset.Source{splitSource(t, b)},
			dataset.Split{By: dataset.ByTime, Column: "at", Validation: 0.1, Test: 0.2})
		require.NoError(t, err)
		parts, err := s.Parts(b)
		require.NoError(t, err)
		latest, earliest, count := map[dataset.Part]int64{}, map[dataset.Part]int64{}, map[dataset.Part]int{}
		times, _ := b.Times(0)
		for i, p := range parts {
			if count[p] == 0 {
				latest[p], earliest[p] = times[i], times[i]
			}
			latest[p], earliest[p] = max(latest[p], times[i]), min(earliest[p], times[i])
			count[p]++
		}
		require.Less(t, latest[dataset.Train], earliest[dataset.Validation], "an instant is in one part only")
		require.Less(t, latest[dataset.Validation], earliest[dataset.Test])
		slack := 1 + 2*1000./(20+float64(seed)*40)
		require.InDelta(t, 100, count[dataset.Validation], slack*2)
		require.InDelta(t, 200, count[dataset.Test], slack*2)
	}
}

func TestSplitterSurvivesJSON(t *testing.T) {
	b := randomRows(t, 1, 500, 100)
	s, err := dataset.PlanSplit(context.Background(), []dataset.Source{splitSource(t, b)},
		dataset.Split{By: dataset.ByTime, Column: "at", Test: 0.3})
	require.NoError(t, err)
	require.Nil(t, s.ValidationFrom)
	text, err := json.Marshal(s)
	require.NoError(t, err)
	var again dataset.Splitter
	require.NoError(t, json.Unmarshal(text, &again))
	want, err := s.Parts(b)
	require.NoError(t, err)
	got, err := again.Parts(b)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NotContains(t, got, dataset.Validation)
}

func TestSplitByIDDependsOnTheIDAlone(t *testing.T) {
	split := dataset.Split{By: dataset.ByID, Column: "id", Validation: 0.1, Test: 0.2}
	s, err := dataset.PlanSplit(context.Background(), nil, split)
	require.NoError(t, err)
	b := randomRows(t, 1, 10_000, 5)
	parts, err := s.Parts(b)
	require.NoError(t, err)
	rows, err := s.Rows(b)
	require.NoError(t, err)
	require.InDelta(t, 2000, len(rows[dataset.Test]), 150)
	require.InDelta(t, 1000, len(rows[dataset.Validation]), 110)
	require.Len(t, parts, len(rows[dataset.Train])+len(rows[dataset.Validation])+len(rows[dataset.Test]))

	// The same ids as text, in another order, in another snapshot.
	text, err := dataset.NewBatch(dataset.Schema{{Name: "id", Type: dataset.String}}, [][]any{{"7"}, {"3"}, {"9999"}})
	require.NoError(t, err)
	got, err := s.Parts(text)
	require.NoError(t, err)
	require.Equal(t, []dataset.Part{parts[7], parts[3], parts[9999]}, got)
	// Fixed for ever: a change would move rows between train and test of old snapshots.
	require.Equal(t, "test train train train train train train test", fmt.Sprintf("%s %s %s %s %s %s %s %s",
		parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6], parts[7]))
}

func TestImpossibleSplits(t *testing.T) {
	same := randomRows(t, 1, 100, 1)
	gap, err := dataset.NewBatch(splitSchema, [][]any{{time.Unix(1, 0), 1}, {nil, 2}})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		rows  *dataset.Batch
		split dataset.Split
		want  string
	}{
		"way":     {same, dataset.Split{By: "luck", Column: "id", Test: .1}, `split by "luck" is not known: use time or id`},
		"column":  {same, dataset.Split{By: dataset.ByTime, Test: .1}, "needs the column of the time"},
		"shares":  {same, dataset.Split{By: dataset.ByID, Column: "id", Validation: .5, Test: .5}, "leave some rows to train"},
		"share":   {same, dataset.Split{By: dataset.ByID, Column: "id", Test: -.5}, "must be 0 or more"},
		"ties":    {same, dataset.Split{By: dataset.ByTime, Column: "at", Test: .2}, "too few different times"},
		"type":    {same, dataset.Split{By: dataset.ByTime, Column: "id", Test: .2}, "column id is of type integer, not time"},
		"unknown": {same, dataset.Split{By: dataset.ByTime, Column: "att", Test: .2}, `did you mean "at"?`},
		"gap":     {gap, dataset.Split{By: dataset.ByTime, Column: "at", Test: .2}, "column at: row 1 has no time"},
	} {
		_, err := dataset.PlanSplit(context.Background(), []dataset.Source{splitSource(t, c.rows)}, c.split)
		require.ErrorContains(t, err, c.want, name)
	}
	s, err := dataset.PlanSplit(context.Background(), nil, dataset.Split{By: dataset.ByID, Column: "at", Test: .2})
	require.NoError(t, err)
	_, err = s.Parts(gap)
	require.ErrorContains(t, err, "column at: row 1 has no id")
}
