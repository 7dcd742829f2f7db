package dataset_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
	"steward/internal/stats"
)

func TestCSVForContainers(t *testing.T) {
	var out bytes.Buffer
	w, err := dataset.NewCSVWriter(&out, "late", []string{"from", "delay", "ok", "id", "at"})
	require.NoError(t, err)
	require.NoError(t, w.Write(flightsBatch(t), []int{0, 1}))
	require.NoError(t, w.Flush())
	require.EqualValues(t, 2, w.Rows())
	require.Equal(t, `late,from,delay,ok,id,at
1,ORD,3.5,1,9007199254740993,2001-01-01T06:30:00Z
0,"Lima, OH",,0,2,2001-01-02T00:00:00.25Z
`, out.String())
	require.ErrorContains(t, w.Write(flightsBatch(t), nil), "row 2: label late is missing")
}

func TestCSVForScoringRoundTrips(t *testing.T) {
	var out bytes.Buffer
	w, err := dataset.NewCSVWriter(&out, "", []string{"delay"})
	require.NoError(t, err)
	require.NoError(t, w.Write(flightsBatch(t), nil))
	require.NoError(t, w.Flush())
	_, rows, err := read(dataset.Bytes("s.csv", out.Bytes()))
	require.NoError(t, err)
	require.Equal(t, [][]string{{"3.5"}, {"∅"}, {"-100"}}, rows, "a row of one missing value is still a row")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWritersRefuse(t *testing.T) {
	_, err := dataset.NewCSVWriter(&bytes.Buffer{}, "a", []string{"b", "a"})
	require.ErrorContains(t, err, `"a" stands twice`)
	_, err = dataset.NewCSVWriter(&bytes.Buffer{}, "", nil)
	require.ErrorContains(t, err, "no columns to write")
	w, err := dataset.NewCSVWriter(fullDisk{}, "", []string{"delay", "late"})
	require.NoError(t, err)
	require.NoError(t, w.Write(flightsBatch(t), nil))
	require.ErrorContains(t, w.Flush(), "disk full")
	w, err = dataset.NewCSVWriter(&bytes.Buffer{}, "", []string{"dely"})
	require.NoError(t, err)
	require.ErrorContains(t, w.Write(flightsBatch(t), nil), `did you mean "delay"?`)

	require.ErrorContains(t, dataset.WriteParquet(fullDisk{}, flightsSchema, flightsBatch(t)), "disk full")
	other := dataset.Schema{{Name: "id", Type: dataset.String}}
	require.ErrorContains(t, dataset.WriteParquet(&bytes.Buffer{}, other, flightsBatch(t)),
		"column id is of type integer in the rows and string in the file")
}

func TestParquetKeepsOrderAndSelection(t *testing.T) {
	schema := dataset.Schema{flightsSchema[4], flightsSchema[0]} // not sorted by name
	var out bytes.Buffer
	w := dataset.NewParquetWriter(&out, schema)
	require.NoError(t, w.Write(flightsBatch(t), []int{2}))
	require.NoError(t, w.Write(flightsBatch(t), []int{0, 1}))
	require.NoError(t, w.Close())
	got, rows, err := read(dataset.Bytes("o.parquet", out.Bytes()))
	require.NoError(t, err)
	require.Equal(t, schema, got)
	require.Equal(t, [][]string{{"00501", "3"}, {"ORD", "9007199254740993"}, {"Lima, OH", "2"}}, rows)
}

func TestProfileOfFiles(t *testing.T) {
	src := dataset.Bytes("f.parquet", flightsParquet(t))
	p, err := dataset.Profile(context.Background(), []dataset.Source{src, src}, []string{"late", "from", "at", "ok"})
	require.NoError(t, err)
	require.EqualValues(t, 6, p.Rows)
	late, _ := p.Column("late")
	require.Equal(t, stats.Number, late.Kind)
	require.EqualValues(t, 2, late.Missing)
	require.Equal(t, 0.5, *late.Mean)
	from, _ := p.Column("from")
	require.Equal(t, stats.Category, from.Kind)
	require.EqualValues(t, 3, from.Distinct)
	at, _ := p.Column("at")
	require.Equal(t, stats.Time, at.Kind)
	require.Equal(t, 978330600.0, *at.Min)
	_, err = dataset.Profile(context.Background(), []dataset.Source{src}, []string{"nope"})
	require.ErrorContains(t, err, `column "nope" does not exist`)
}
