package dataset_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
)

const flightsCSV = `id,at,late,delay,from,ok
9007199254740993,2001-01-01 06:30:00,1,3.5,ORD,true
2,2001-01-02 00:00:00.25,0,,"Lima, OH",false
3,2001-01-03 00:00:00,,-1e2,00501,
`

const flightsJSONL = `{"id":9007199254740993,"at":"2001-01-01T06:30:00Z","late":1,"delay":3.5,"from":"ORD","ok":true}

{"id":2,"at":"2001-01-02T00:00:00.25Z","late":0,"from":"Lima, OH","ok":false}
{"ok":null,"id":3,"at":"2001-01-03T00:00:00Z","delay":-1e2,"from":"00501"}
`

var flightsSchema = dataset.Schema{
	{Name: "id", Type: dataset.Integer}, {Name: "at", Type: dataset.Time}, {Name: "late", Type: dataset.Integer},
	{Name: "delay", Type: dataset.Number}, {Name: "from", Type: dataset.String}, {Name: "ok", Type: dataset.Bool},
}

func flightsBatch(t testing.TB) *dataset.Batch {
	t.Helper()
	at := func(s string) time.Time {
		out, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		return out
	}
	b, err := dataset.NewBatch(flightsSchema, [][]any{
		{int64(9007199254740993), at("2001-01-01T06:30:00Z"), 1, 3.5, "ORD", true},
		{2, at("2001-01-02T00:00:00.25Z"), 0, nil, "Lima, OH", false},
		{3, at("2001-01-03T00:00:00Z"), nil, -100.0, "00501", nil},
	})
	require.NoError(t, err)
	return b
}

func flightsParquet(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, dataset.WriteParquet(&out, flightsSchema, flightsBatch(t)))
	return out.Bytes()
}

func gzipped(t *testing.T, s string) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write([]byte(s))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return out.Bytes()
}

func zstandard(t *testing.T, s string) []byte {
	z, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return z.EncodeAll([]byte(s), nil)
}

// read returns everything as one text table, with "∅" for missing.
func read(src dataset.Source, columns ...string) (dataset.Schema, [][]string, error) {
	var schema dataset.Schema
	var rows [][]string
	err := dataset.Read(context.Background(), src, columns, func(b *dataset.Batch) error {
		schema = b.Schema
		for r := range b.Rows {
			row := make([]string, len(b.Schema))
			for c := range row {
				if v, ok := b.Text(c, r); ok {
					row[c] = v
				} else {
					row[c] = "∅"
				}
			}
			rows = append(rows, row)
		}
		return nil
	})
	return schema, rows, err
}

func TestEveryFormatReadsTheSame(t *testing.T) {
	want := [][]string{
		{"9007199254740993", "2001-01-01T06:30:00Z", "1", "3.5", "ORD", "true"},
		{"2", "2001-01-02T00:00:00.25Z", "0", "∅", "Lima, OH", "false"},
		{"3", "2001-01-03T00:00:00Z", "∅", "-100", "00501", "∅"},
	}
	for _, src := range []dataset.Source{
		dataset.Bytes("f.csv", []byte(flightsCSV)),
		dataset.Bytes("bom.csv", append([]byte{0xef, 0xbb, 0xbf}, flightsCSV...)),
		dataset.Bytes("crlf.csv", []byte(strings.ReplaceAll(flightsCSV, "\n", "\r\n"))),
		dataset.Bytes("no-last-newline.csv", []byte(strings.TrimRight(flightsCSV, "\n"))),
		dataset.Bytes("f.csv.gz", gzipped(t, flightsCSV)),
		dataset.Bytes("f.jsonl", []byte(flightsJSONL)),
		dataset.Bytes("f.ndjson.zst", zstandard(t, flightsJSONL)),
		dataset.Bytes("plain-name.json", gzipped(t, flightsJSONL)),
		dataset.Bytes("s3://b/F.PARQUET", flightsParquet(t)),
	} {
		schema, rows, err := read(src)
		require.NoError(t, err, src.Name)
		require.Equal(t, flightsSchema, schema, src.Name)
		require.Equal(t, want, rows, src.Name)

		schema, rows, err = read(src, "from", "id")
		require.NoError(t, err)
		require.Equal(t, []string{"from", "id"}, schema.Names(), src.Name)
		require.Equal(t, []string{"ORD", "9007199254740993"}, rows[0])

		schema, n, err := dataset.Inspect(context.Background(), src)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		require.Equal(t, flightsSchema, schema, src.Name)
	}
}

func TestVectors(t *testing.T) {
	b := flightsBatch(t)
	require.Equal(t, []float64{9007199254740992, 2, 3}, b.Numbers(0))
	require.Equal(t, []float64{978330600, 978393600.25, 978480000}, b.Numbers(1))
	late := b.Numbers(2)
	require.True(t, math.IsNaN(late[2]))
	require.Equal(t, 1.0, b.Numbers(5)[0])
	require.True(t, b.Missing(3, 1))
	nanos, valid := b.Times(1)
	require.Equal(t, int64(978393600_250_000_000), nanos[1])
	require.True(t, valid[1])
	require.Panics(t, func() { b.Numbers(4) })
	require.Panics(t, func() { b.Times(0) })
	text, _ := b.Take([]int{2, 0}).Strings(4)
	require.Equal(t, []string{"00501", "ORD"}, text)

	_, err := dataset.NewBatch(flightsSchema[:1], [][]any{{1}, {"x"}})
	require.ErrorContains(t, err, "row 1: column id: x (string) is not a value of type integer")
	_, err = dataset.NewBatch(flightsSchema, [][]any{{1}})
	require.ErrorContains(t, err, "row 0 has 1 values, expected 6")
}

func TestInferredTypes(t *testing.T) {
	for values, want := range map[string]dataset.Type{
		"1,2,,-3": dataset.Integer, "1,2.5": dataset.Number, "nan,inf,1e3": dataset.Number, ".5,-.25": dataset.Number,
		"true,False": dataset.Bool, "true,1": dataset.String, "007,12": dataset.String,
		"99999999999999999999": dataset.String, "1_000": dataset.String, "0x1f": dataset.String, "+1": dataset.String, "-": dataset.String,
		"2001-02-28,2001-02-28 10:00": dataset.Time, "2001-02-28T10:00:00+02:00": dataset.Time, "2001-02-30": dataset.String,
		"1500-01-01": dataset.String, "a,b": dataset.String, ",": dataset.String,
	} {
		text := "pad,v\n"
		for v := range strings.SplitSeq(values, ",") {
			text += "x," + v + "\n"
		}
		schema, _, err := read(dataset.Bytes("t.csv", []byte(text)), "v")
		require.NoError(t, err, values)
		require.Equal(t, want, schema[0].Type, values)
	}
	schema, _, err := read(dataset.Bytes("t.jsonl", []byte(`{"a":"1","b":1.0,"c":"true"}`)))
	require.NoError(t, err)
	require.Equal(t, dataset.Schema{{Name: "a", Type: "string"}, {Name: "b", Type: "number"}, {Name: "c", Type: "string"}}, schema)
}

func TestBatchesAreBoundedAndInOrder(t *testing.T) {
	const n = 2*dataset.BatchRows + 10
	var text strings.Builder
	text.WriteString("n\n")
	rows := make([][]any, n)
	for i := range n {
		fmt.Fprintln(&text, i)
		rows[i] = []any{i}
	}
	schema := dataset.Schema{{Name: "n", Type: dataset.Integer}}
	b, err := dataset.NewBatch(schema, rows)
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, dataset.WriteParquet(&file, schema, b))
	for _, src := range []dataset.Source{dataset.Bytes("n.csv", []byte(text.String())), dataset.Bytes("n.parquet", file.Bytes())} {
		next, batches := int64(0), 0
		sources := []dataset.Source{src, src}
		require.NoError(t, dataset.ReadAll(context.Background(), sources, nil, func(b *dataset.Batch) error {
			require.LessOrEqual(t, b.Rows, dataset.BatchRows)
			require.Equal(t, next, b.First)
			for i, v := range b.Numbers(0) {
				require.Equal(t, float64((next+int64(i))%n), v)
			}
			next += int64(b.Rows)
			batches++
			return nil
		}))
		require.EqualValues(t, 2*n, next, src.Name)
		require.Equal(t, 6, batches)
	}
	text.WriteString(strings.Repeat("1\n", 300_000))
	long := dataset.Bytes("n.csv", []byte(text.String()))
	_, inspected, err := dataset.Inspect(context.Background(), long)
	require.NoError(t, err)
	require.EqualValues(t, -1, inspected)
	_, inspected, err = dataset.Infer(context.Background(), []dataset.Source{long, long}, nil)
	require.NoError(t, err)
	require.EqualValues(t, 2*(n+300_000), inspected)
}

func TestReadingStops(t *testing.T) {
	src := dataset.Bytes("f.csv", []byte(flightsCSV))
	stop := errors.New("stop")
	err := dataset.Read(context.Background(), src, nil, func(*dataset.Batch) error { return stop })
	require.Equal(t, stop, err)
	ctx, cancel := context.WithCancel(context.Background())
	err = dataset.Read(ctx, src, nil, func(*dataset.Batch) error { cancel(); return nil })
	require.ErrorIs(t, err, context.Canceled)

	closed := 0
	broken := dataset.Source{Name: "x.csv", Open: func(context.Context) (io.ReaderAt, int64, func() error, error) {
		return strings.NewReader(flightsCSV), int64(len(flightsCSV)), func() error { closed++; return errors.New("cannot close") }, nil
	}}
	require.ErrorContains(t, dataset.Read(context.Background(), broken, nil, func(*dataset.Batch) error { return nil }), "close x.csv: cannot close")
	require.Equal(t, 1, closed)
	err = dataset.Read(context.Background(), dataset.File("no/such.csv"), nil, nil)
	require.ErrorContains(t, err, "open no/such.csv")
}

func TestDeclaredTypesAndFilesOfOneTable(t *testing.T) {
	whole := dataset.Bytes("whole.csv", []byte("v\n1\n"))
	whole.Types = map[string]dataset.Type{"v": dataset.Number}
	schema, _, err := read(whole)
	require.NoError(t, err)
	require.Equal(t, dataset.Number, schema[0].Type)

	all := func(sources ...dataset.Source) error {
		return dataset.ReadAll(context.Background(), sources, nil, func(*dataset.Batch) error { return nil })
	}
	half := dataset.Bytes("half.csv", []byte("v\n1.5\n"))
	require.NoError(t, all(whole, half))
	whole.Types = nil
	require.NoError(t, all(whole, half))
	half.Types = map[string]dataset.Type{"v": dataset.Integer}
	require.ErrorContains(t, all(whole, half), `half.csv:2: column v: "1.5" is not of type integer, which is declared for it`)
	half.Types = map[string]dataset.Type{"v": "float"}
	require.ErrorContains(t, all(half), `half.csv: column v: type "float" is not known: use number, integer,`)
	require.ErrorContains(t, all(whole, dataset.Bytes("other.csv", []byte("w\n1\n"))), `other.csv: column "v" does not exist`)
	require.ErrorIs(t, all(), dataset.ErrEmpty)

	file := dataset.Bytes("f.parquet", flightsParquet(t))
	file.Types = map[string]dataset.Type{"id": dataset.Number, "ok": dataset.Number}
	schema, rows, err := read(file, "id", "ok")
	require.NoError(t, err)
	require.Equal(t, dataset.Number, schema[0].Type)
	require.Equal(t, []string{"2", "0"}, rows[1])
	require.Equal(t, "∅", rows[2][1])
	file.Types = map[string]dataset.Type{"from": dataset.Number}
	_, _, err = read(file)
	require.ErrorContains(t, err, "f.parquet: column from is of type string in this file, not number")
}
