package dataset_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
)

func ptr[T any](v T) *T { return &v }

var checkedAt = time.Date(2001, 3, 1, 0, 0, 0, 0, time.UTC)

var checkSchema = dataset.Schema{
	{Name: "id", Type: dataset.String}, {Name: "n", Type: dataset.Integer},
	{Name: "x", Type: dataset.Number}, {Name: "at", Type: dataset.Time},
}

func checkBatches(t *testing.T) []*dataset.Batch {
	t.Helper()
	a, err := dataset.NewBatch(checkSchema, [][]any{{"F1", 1, 0.5, nil}, {"F2", 2, nil, nil}, {"F1", 3, -2.0, nil}})
	require.NoError(t, err)
	b, err := dataset.NewBatch(checkSchema, [][]any{{"g4", nil, 7.0, nil}, {nil, 2, 1.0, nil}})
	require.NoError(t, err)
	return []*dataset.Batch{a, b}
}

func TestChecks(t *testing.T) {
	for name, c := range map[string]struct {
		check      dataset.Check
		pass       bool
		observed   string
		violations int64
		examples   []string
	}{
		"min holds":      {dataset.Check{Column: "n", Min: ptr(1.0)}, true, "1", 0, nil},
		"min broken":     {dataset.Check{Column: "x", Min: ptr(0.6)}, false, "-2", 2, []string{"row 1 (id F1): 0.5", "row 3 (id F1): -2"}},
		"max broken":     {dataset.Check{Column: "x", Max: ptr(1.0)}, false, "7", 1, []string{"row 4 (id g4): 7"}},
		"missing holds":  {dataset.Check{Column: "x", MaxMissing: ptr(0.2)}, true, "0.2", 1, nil},
		"missing broken": {dataset.Check{Column: "x", MaxMissing: ptr(0.1)}, false, "0.2", 1, []string{"row 2 (id F2)"}},
		"all missing":    {dataset.Check{Column: "at", MaxMissing: ptr(0.0)}, false, "1", 5, []string{"row 1 (id F1)", "row 2 (id F2)", "row 3 (id F1)", "row 4 (id g4)", "row 5"}},
		"in numbers":     {dataset.Check{Column: "n", In: []string{"1.0", "2"}}, false, "1 rows break it", 1, []string{"row 3 (id F1): 3"}},
		"in strings":     {dataset.Check{Column: "id", In: []string{"F1", "F2", "g4"}}, true, "0 rows break it", 0, nil},
		"unique":         {dataset.Check{Column: "id", Unique: true}, false, "1 rows break it", 1, []string{"row 3 (id F1): F1"}},
		"pattern":        {dataset.Check{Column: "id", Pattern: "^F[0-9]$"}, false, "1 rows break it", 1, []string{"row 4 (id g4): g4"}},
		"rows hold":      {dataset.Check{Rows: &dataset.RowRange{Min: ptr(int64(5)), Max: ptr(int64(5))}}, true, "5", 0, nil},
		"too few rows":   {dataset.Check{Rows: &dataset.RowRange{Min: ptr(int64(6))}}, false, "5", 0, nil},
		"too many rows":  {dataset.Check{Rows: &dataset.RowRange{Max: ptr(int64(4))}}, false, "5", 0, nil},
	} {
		k, err := dataset.NewChecker(checkSchema, []dataset.Check{c.check}, checkedAt)
		require.NoError(t, err, name)
		k.IdentifyBy("id")
		for _, b := range checkBatches(t) {
			require.NoError(t, k.Add(b))
		}
		report := k.Report()
		require.Len(t, report.Checks, 1)
		got := report.Checks[0]
		require.Equal(t, c.pass, got.Pass, name)
		require.Equal(t, c.pass, report.Pass(), name)
		require.Equal(t, c.observed, got.Observed, name)
		require.Equal(t, c.violations, got.Violations, name)
		require.Equal(t, c.examples, got.Examples, name)
		require.Equal(t, dataset.Error, got.Severity)
		require.NotEmpty(t, got.Expected)
		require.EqualValues(t, 5, report.Rows)
		_, err = json.Marshal(report)
		require.NoError(t, err)
	}
}

func TestWarningsDoNotFail(t *testing.T) {
	k, err := dataset.NewChecker(checkSchema, []dataset.Check{
		{Column: "x", Min: ptr(0.0), Max: ptr(1.0), Severity: dataset.Warning}, {Column: "n", Min: ptr(0.0)},
	}, checkedAt)
	require.NoError(t, err)
	require.False(t, k.Report().Pass(), "no rows are no proof")
	for _, b := range checkBatches(t) {
		require.NoError(t, k.Add(b))
	}
	report := k.Report()
	require.Len(t, report.Checks, 3)
	require.False(t, report.Checks[0].Pass)
	require.True(t, report.Pass())
	other, err := dataset.NewBatch(checkSchema[:1], [][]any{{"a"}})
	require.NoError(t, err)
	require.ErrorContains(t, k.Add(other), `column "x" does not exist`)
}

func TestExamplesAreFew(t *testing.T) {
	k, err := dataset.NewChecker(checkSchema, []dataset.Check{{Column: "n", Min: ptr(100.0)}}, checkedAt)
	require.NoError(t, err)
	for range 10 {
		require.NoError(t, k.Add(checkBatches(t)[0]))
	}
	got := k.Report().Checks[0]
	require.Len(t, got.Examples, 5)
	require.EqualValues(t, 30, got.Violations)
}

func TestImpossibleChecksAreAllNamed(t *testing.T) {
	_, err := dataset.NewChecker(checkSchema, []dataset.Check{
		{Column: "idd", Unique: true},
		{},
		{Column: "n"},
		{Column: "id", Min: ptr(1.0)},
		{Column: "at", Max: ptr(1.0)},
		{Column: "n", Min: ptr(2.0), Max: ptr(1.0)},
		{Column: "n", MaxMissing: ptr(1.5)},
		{Column: "n", MaxMissing: ptr(math.NaN())},
		{Column: "n", Pattern: "x"},
		{Column: "id", Pattern: "("},
		{Column: "n", In: []string{"one"}},
		{Column: "n", Unique: true, Severity: "fatal"},
		{Rows: &dataset.RowRange{}},
		{Rows: &dataset.RowRange{Min: ptr(int64(2)), Max: ptr(int64(1))}},
		{Column: "n", Rows: &dataset.RowRange{Min: ptr(int64(2))}},
		{Column: "n", MaxAge: time.Hour},
		{Column: "at", Earliest: checkedAt, Latest: checkedAt.Add(-1)},
		{Column: "n", Type: "money"},
		{Columns: []string{"id", "n"}},
		{Columns: []string{"id", "m"}, Unique: true},
		{Column: "n", Min: ptr(1.0), Tolerate: 1},
		{Column: "n", Expression: "n > 1"},
		{Expression: "nn > 1.0"},
		{Expression: "at > 1"},
	}, checkedAt)
	for _, want := range []string{
		`check 1: column "idd" does not exist; did you mean "id"?`, "check 2: a check needs a column, or rows",
		"check 3: the check of column n says nothing", "check 4: column id is of type string: min and max are for numbers",
		"check 5: column at is of type time", "check 6: column n: min 2 is above max 1", "check 7: column n: maxMissing 1.5",
		"check 8: column n: maxMissing NaN", "check 9: column n is of type integer: a pattern is for strings",
		`check 10: column id: pattern "("`, `check 11: column n is of type integer: "one"`, `check 12: severity "fatal"`,
		"check 13: rows needs min or max", "check 14: rows: min 2 is above max 1", "check 15: rows counts the whole table",
		"check 16: column n is of type integer: earliest, latest and maxAge are for times", "check 17: column at: earliest",
		`check 18: column n: type "money" is not known`, "check 19: columns says which are unique together",
		`check 20: column "m" does not exist`, "check 21: tolerate 1 is a share",
		"check 22: column, required, columns and expression stand in checks of their own",
		`check 23: column "nn" does not exist; did you mean "n"?`, `check 24: expression "at > 1": at character 4: found no matching overload`,
	} {
		require.ErrorContains(t, err, want)
	}
}
