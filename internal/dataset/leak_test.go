package dataset_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
)

var leakSchema = dataset.Schema{
	{Name: "noise", Type: dataset.Number}, {Name: "copy", Type: dataset.Number}, {Name: "gap", Type: dataset.Number},
	{Name: "class", Type: dataset.String}, {Name: "serial", Type: dataset.String}, {Name: "good", Type: dataset.Number}, {Name: "y", Type: dataset.Integer},
}

func TestLeaks(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		l := dataset.NewLeaks(leakSchema, "y", []string{"noise", "copy", "gap", "class", "serial", "good"})
		for range 4 {
			var rows [][]any
			for range 500 {
				y := r.IntN(8) / 7
				var gap any = r.NormFloat64()
				if y == 1 {
					gap = nil // missing wherever the label is 1
				}
				rows = append(rows, []any{r.NormFloat64(), -float64(y) + r.Float64()/2, gap, fmt.Sprintf("c%d", 2*r.IntN(5)+y),
					fmt.Sprint(r.Uint64()), float64(y)*2 + r.NormFloat64(), y})
			}
			b, err := dataset.NewBatch(leakSchema, rows)
			require.NoError(t, err)
			require.NoError(t, l.Add(b))
		}
		found := l.Found()
		require.Len(t, found, 3, "%v", found)
		require.Contains(t, found[0], "gap (each of its values goes with one label)", "missing is a value too")
		require.Contains(t, found[1], "class (each of its values goes with one label)")
		require.Contains(t, found[2], "copy (alone, it has an AUC of 1.0000)")
	}
}

// A rare class, or a few rows, are in few values by chance.
func TestChanceIsNoLeak(t *testing.T) {
	schema := dataset.Schema{{Name: "x", Type: dataset.Integer}, {Name: "y", Type: dataset.Integer}}
	for name, row := range map[string]func(i int) []any{
		"few":  func(i int) []any { return []any{i % 2, i % 2} },
		"rare": func(i int) []any { return []any{i % 100, map[bool]int{true: 1}[i == 5050]} },
	} {
		var rows [][]any
		for i := range map[string]int{"few": 8, "rare": 10_000}[name] {
			rows = append(rows, row(i))
		}
		if name == "rare" {
			rows = append(rows[:5051:5051], rows[5150:]...) // the value of the rare row occurs elsewhere
		}
		b, err := dataset.NewBatch(schema, rows)
		require.NoError(t, err)
		l := dataset.NewLeaks(schema, "y", []string{"x"})
		require.NoError(t, l.Add(b))
		require.Empty(t, l.Found(), name)
	}
}

func TestRepeats(t *testing.T) {
	schema := dataset.Schema{{Name: "id", Type: dataset.Integer}, {Name: "at", Type: dataset.Time}, {Name: "x", Type: dataset.Integer}, {Name: "y", Type: dataset.Integer}}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 4))
		var rows [][]any
		for i := range 400 {
			rows = append(rows, []any{i, time.Unix(int64(r.IntN(3)), 0), r.IntN(100), r.IntN(2)})
		}
		b, err := dataset.NewBatch(schema, rows)
		require.NoError(t, err)
		s := &dataset.Splitter{Split: dataset.Split{By: dataset.ByID, Column: "id", Test: 0.3, Validation: 0.1}}
		repeats := dataset.NewRepeats([]string{"at", "x", "y"}, []string{"x", "y"}, s, nil)
		require.NoError(t, repeats.Add(b))

		parts, err := s.Parts(b)
		require.NoError(t, err)
		whole, elsewhere, known, tested := map[string]bool{}, map[string]bool{}, 0, 0
		for i, row := range rows {
			whole[fmt.Sprint(row[1:])] = true
			if parts[i] != dataset.Test {
				elsewhere[fmt.Sprint(row[2:])] = true
			}
		}
		for i, row := range rows {
			if parts[i] == dataset.Test {
				if tested++; elsewhere[fmt.Sprint(row[2:])] {
					known++
				}
			}
		}
		repeated, all := repeats.Duplicates()
		require.Equal(t, [2]int{len(rows) - len(whole), len(rows)}, [2]int{repeated, all})
		gotKnown, gotTested, err := repeats.Overlap()
		require.NoError(t, err)
		require.Equal(t, [2]int{known, tested}, [2]int{gotKnown, gotTested})
	}
}
