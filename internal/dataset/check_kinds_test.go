package dataset_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
)

var kindSchema = dataset.Schema{
	{Name: "id", Type: dataset.String}, {Name: "zip", Type: dataset.Integer}, {Name: "x", Type: dataset.Number},
	{Name: "code", Type: dataset.String}, {Name: "from", Type: dataset.Time}, {Name: "to", Type: dataset.Time}, {Name: "ok", Type: dataset.Bool},
}

// report runs checks over five rows in two batches.
func report(t *testing.T, checks ...dataset.Check) dataset.Report {
	t.Helper()
	k, err := dataset.NewChecker(kindSchema, checks, checkedAt)
	require.NoError(t, err)
	k.IdentifyBy("id")
	day := func(n int) time.Time { return time.Date(2001, 2, n, 0, 0, 0, 0, time.UTC) }
	for _, rows := range [][][]any{
		{{"a", 1, 1.0, "10", day(1), day(2), true}, {"b", 2, 2.5, "x", day(3), day(2), false}, {"c", 1, nil, "10", day(4), nil, nil}},
		{{"d", nil, 4.0, nil, nil, day(5), true}, {"e", 2, 2.5, "7", day(28), day(28), true}},
	} {
		b, err := dataset.NewBatch(kindSchema, rows)
		require.NoError(t, err)
		require.NoError(t, k.Add(b))
	}
	return k.Report()
}

func TestKindsOfChecks(t *testing.T) {
	refers := func(values ...any) *dataset.ValueSet {
		set := dataset.NewValueSet("zips")
		for _, v := range values {
			b, err := dataset.NewBatch(dataset.Schema{{Name: "z", Type: dataset.String}}, [][]any{{v}})
			require.NoError(t, err)
			set.Add(b, 0)
		}
		return set
	}
	at := func(day, hour int) time.Time { return time.Date(2001, 2, day, hour, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		check      dataset.Check
		pass       bool
		observed   string
		violations int64
		examples   []string
	}{
		"earliest holds":  {dataset.Check{Column: "from", Earliest: at(1, 0)}, true, "2001-02-01T00:00:00Z", 0, nil},
		"earliest broken": {dataset.Check{Column: "from", Earliest: at(2, 0)}, false, "2001-02-01T00:00:00Z", 1, []string{"row 1 (id a): 2001-02-01T00:00:00Z"}},
		"latest broken":   {dataset.Check{Column: "from", Latest: at(27, 0)}, false, "2001-02-28T00:00:00Z", 1, []string{"row 5 (id e): 2001-02-28T00:00:00Z"}},
		"fresh":           {dataset.Check{Column: "from", MaxAge: 24 * time.Hour}, true, "2001-02-28T00:00:00Z", 0, nil},
		"stale":           {dataset.Check{Column: "from", MaxAge: 23 * time.Hour}, false, "2001-02-28T00:00:00Z", 0, nil},
		"refers holds":    {dataset.Check{Column: "zip", Refers: refers("1", "2", "3")}, true, "0 rows break it", 0, nil},
		"refers broken":   {dataset.Check{Column: "zip", Refers: refers("1", nil)}, false, "2 rows break it", 2, []string{"row 2 (id b): 2", "row 5 (id e): 2"}},
		"together":        {dataset.Check{Columns: []string{"zip", "x"}, Unique: true}, false, "1 rows break it", 1, []string{"row 5 (id e): zip=2, x=2.5"}},
		"together holds":  {dataset.Check{Columns: []string{"zip", "id"}, Unique: true}, true, "0 rows break it", 0, nil},
		"whole numbers":   {dataset.Check{Column: "x", Type: dataset.Integer}, false, "2 rows break it; the column is of type number", 2, []string{"row 2 (id b): 2.5", "row 5 (id e): 2.5"}},
		"tolerated":       {dataset.Check{Column: "x", Type: dataset.Integer, Tolerate: 0.5}, true, "2 rows break it; the column is of type number", 2, []string{"row 2 (id b): 2.5", "row 5 (id e): 2.5"}},
		"not tolerated":   {dataset.Check{Column: "x", Type: dataset.Integer, Tolerate: 0.49}, false, "2 rows break it; the column is of type number", 2, []string{"row 2 (id b): 2.5", "row 5 (id e): 2.5"}},
		"text as numbers": {dataset.Check{Column: "code", Type: dataset.Integer}, false, "1 rows break it; the column is of type string", 1, []string{"row 2 (id b): x"}},
		"number as text":  {dataset.Check{Column: "ok", Type: dataset.String}, false, "4 rows break it; the column is of type bool", 4, []string{"row 1 (id a): true", "row 2 (id b): false", "row 4 (id d): true", "row 5 (id e): true"}},
		"required":        {dataset.Check{Required: []string{"zip"}}, true, "of type integer", 0, nil},
		"required absent": {dataset.Check{Required: []string{"zipp"}}, false, `column "zipp" does not exist; did you mean "zip"? (columns: id, zip, x, code, from, to, ok)`, 0, nil},
		"expression":      {dataset.Check{Expression: "from <= to"}, false, "1 rows break it", 1, []string{"row 2 (id b): from=2001-02-03T00:00:00Z, to=2001-02-02T00:00:00Z"}},
		"missing is none": {dataset.Check{Expression: "x < 4 || !missing(zip)"}, false, "1 rows break it", 1, []string{"row 4 (id d): x=4, zip=(missing)"}},
		"no value":        {dataset.Check{Expression: "int(code) > 0"}, false, "1 rows break it", 1, []string{"row 2 (id b): x"}},
		"mixed":           {dataset.Check{Expression: "ok ? x * 2 >= 1 : code == 'x'"}, true, "0 rows break it", 0, nil},
	} {
		got := report(t, c.check).Checks
		require.Len(t, got, 1, name)
		require.Equal(t, c.pass, got[0].Pass, name)
		require.Equal(t, c.observed, got[0].Observed, name)
		require.Equal(t, c.violations, got[0].Violations, name)
		require.Equal(t, c.examples, got[0].Examples, name)
		require.NotEmpty(t, got[0].Expected, name)
	}
}

func TestFreshnessOfNothingFails(t *testing.T) {
	k, err := dataset.NewChecker(kindSchema, []dataset.Check{{Column: "from", MaxAge: time.Hour}}, checkedAt)
	require.NoError(t, err)
	require.Equal(t, "no time at all", k.Report().Checks[0].Observed)
	require.False(t, k.Report().Checks[0].Pass)
}

func TestReadValues(t *testing.T) {
	set, err := dataset.ReadValues(context.Background(), "airports", []dataset.Source{dataset.Bytes("a.csv", []byte("iata,name\nATL,Atlanta\nJFK,Kennedy\nATL,again\n"))}, "iata")
	require.NoError(t, err)
	require.Equal(t, 2, set.Len())
	_, err = dataset.ReadValues(context.Background(), "airports", []dataset.Source{dataset.Bytes("a.csv", []byte("iata\nATL\n"))}, "iat")
	require.ErrorContains(t, err, `did you mean "iata"?`)
}
