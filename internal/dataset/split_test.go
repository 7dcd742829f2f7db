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
		"way":     {same, dataset.Split{By: "luck", Column: "id", Test: .1}, `split by "luck" is not known: use time, id, group or stratified`},
		"column":  {same, dataset.Split{By: dataset.ByTime, Test: .1}, "needs the column of the time"},
		"shares":  {same, dataset.Split{By: dataset.ByID, Column: "id", Validation: .5, Test: .5}, "leave some rows to train"},
		"share":   {same, dataset.Split{By: dataset.ByID, Column: "id", Test: -.5}, "must be 0 or more"},
		"ties":    {same, dataset.Split{By: dataset.ByTime, Column: "at", Test: .2}, "too few different times"},
		"type":    {same, dataset.Split{By: dataset.ByTime, Column: "id", Test: .2}, "column id is of type integer, not time"},
		"unknown": {same, dataset.Split{By: dataset.ByTime, Column: "att", Test: .2}, `did you mean "at"?`},
		"gap":     {gap, dataset.Split{By: dataset.ByTime, Column: "at", Test: .2}, "column at: row 2 has no time"},
	} {
		_, err := dataset.PlanSplit(context.Background(), []dataset.Source{splitSource(t, c.rows)}, c.split)
		require.ErrorContains(t, err, c.want, name)
	}
	s, err := dataset.PlanSplit(context.Background(), nil, dataset.Split{By: dataset.ByID, Column: "at", Test: .2})
	require.NoError(t, err)
	_, err = s.Parts(gap)
	require.ErrorContains(t, err, "column at: row 2 has no id")
}

// Whatever the rows and the way, every row is in one part, whatever batch it
// comes in; groups stay together, and strata keep their shares.
func TestEveryRowIsInOnePart(t *testing.T) {
	schema := dataset.Schema{{Name: "at", Type: dataset.Time}, {Name: "id", Type: dataset.Integer}, {Name: "customer", Type: dataset.String}, {Name: "late", Type: dataset.Integer}}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		n := 200 + r.IntN(3000)
		rows := make([][]any, n)
		for i := range rows {
			var late any = r.IntN(7) / 6
			if r.IntN(30) == 0 {
				late = nil
			}
			rows[i] = []any{time.Unix(int64(r.IntN(n)), 0), i, fmt.Sprint("c", r.IntN(n/4)), late}
		}
		b, err := dataset.NewBatch(schema, rows)
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, dataset.WriteParquet(&out, schema, b))
		for _, split := range []dataset.Split{
			{By: dataset.ByTime, Column: "at"}, {By: dataset.ByID, Column: "id"}, {By: dataset.ByGroup, Column: "customer"},
			{By: dataset.ByStratified, Column: "id", Strata: "late"},
		} {
			split.Validation, split.Test = 0.15, 0.2
			s, err := dataset.PlanSplit(context.Background(), []dataset.Source{dataset.Bytes("s.parquet", out.Bytes())}, split)
			require.NoError(t, err)
			byPart, err := s.Rows(b)
			require.NoError(t, err)
			part := make([]dataset.Part, n)
			for p, rows := range byPart {
				for _, row := range rows {
					require.Empty(t, part[row], "row %d is in two parts", row)
					part[row] = p
				}
			}
			require.NotContains(t, part, dataset.Part(""))
			order := r.Perm(n)
			shuffled, err := s.Parts(b.Take(order))
			require.NoError(t, err)
			for i, row := range order {
				require.Equal(t, part[row], shuffled[i])
			}
			switch split.By {
			case dataset.ByGroup:
				of := map[any]dataset.Part{}
				for i, row := range rows {
					if p, seen := of[row[2]]; seen {
						require.Equal(t, p, part[i], row[2])
					}
					of[row[2]] = part[i]
				}
			case dataset.ByStratified:
				strata, tested := map[any]float64{}, map[any]float64{}
				for i, row := range rows {
					if strata[row[3]]++; part[i] == dataset.Test {
						tested[row[3]]++
					}
				}
				for class, all := range strata {
					require.InDelta(t, 0.2*all, tested[class], 0.5001, "class %v", class)
				}
			}
		}
	}
}

// A larger snapshot moves only rows next to the cuts.
func TestStratifiedSplitIsStable(t *testing.T) {
	schema := dataset.Schema{{Name: "id", Type: dataset.Integer}, {Name: "late", Type: dataset.Bool}}
	rows := make([][]any, 20_000)
	for i := range rows {
		rows[i] = []any{i, i%10 == 0}
	}
	b, err := dataset.NewBatch(schema, rows)
	require.NoError(t, err)
	plan := func(n int) *dataset.Splitter {
		p, err := dataset.NewPlanner(dataset.Split{By: dataset.ByStratified, Column: "id", Strata: "late", Validation: .1, Test: .2})
		require.NoError(t, err)
		require.Equal(t, []string{"id", "late"}, p.Columns())
		first := make([]int, n)
		for i := range first {
			first[i] = i
		}
		require.NoError(t, p.Add(b.Take(first)))
		s, err := p.Splitter()
		require.NoError(t, err)
		text, err := json.Marshal(s)
		require.NoError(t, err)
		var again dataset.Splitter
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, s, &again)
		return s
	}
	before, err := plan(18_000).Parts(b)
	require.NoError(t, err)
	after, err := plan(20_000).Parts(b)
	require.NoError(t, err)
	moved := 0
	for i := range before {
		if before[i] != after[i] {
			moved++
		}
	}
	require.Less(t, moved, 300, "of 20,000 rows")
}

func TestStrataMustBeFewAndKnown(t *testing.T) {
	b := randomRows(t, 1, 2000, 10)
	split := dataset.Split{By: dataset.ByStratified, Column: "id", Strata: "at", Test: .2}
	s, err := dataset.PlanSplit(context.Background(), []dataset.Source{splitSource(t, b)}, split)
	require.NoError(t, err)
	_, err = s.Parts(randomRows(t, 2, 2000, 20))
	require.ErrorContains(t, err, "was not there when the split was planned")
	split.Strata, split.Column = "id", "at"
	_, err = dataset.PlanSplit(context.Background(), []dataset.Source{splitSource(t, b)}, split)
	require.ErrorContains(t, err, "column id has more than 1000 different values")
	_, err = dataset.PlanSplit(context.Background(), nil, dataset.Split{By: dataset.ByStratified, Column: "id"})
	require.ErrorContains(t, err, "needs the column of the classes")
	_, err = dataset.PlanSplit(context.Background(), nil, dataset.Split{By: dataset.ByGroup})
	require.ErrorContains(t, err, "needs the column of the group")
}
