package dataset_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
)

// reading is a row of every kind of column.
type reading struct {
	ID    int64     `parquet:"id"`
	Small int32     `parquet:"small"`
	Value *float64  `parquet:"value,optional"`
	Half  float32   `parquet:"half"`
	Name  string    `parquet:"name"`
	Kind  *string   `parquet:"kind,optional,dict"`
	Code  string    `parquet:"code,dict"`
	Level float64   `parquet:"level,dict"`
	At    time.Time `parquet:"at,timestamp(microsecond)"`
	Flag  *bool     `parquet:"flag,optional"`
}

func readings(n int) []reading {
	kinds := []string{"a", "bé", ""}
	out := make([]reading, n)
	for i := range out {
		v, yes := float64(i)/8, i%2 == 0
		out[i] = reading{ID: int64(i), Small: int32(-i), Value: &v, Half: float32(i) / 2, Name: fmt.Sprint("name ", i), Kind: &kinds[i%3],
			Code: fmt.Sprint("code ", i%9000), Level: float64(i % 7), At: time.UnixMicro(int64(i) * 1e6).UTC(), Flag: &yes}
		switch i % 5 {
		case 1:
			out[i].Value, out[i].Flag = nil, nil
		case 2:
			out[i].Kind = nil
		}
	}
	return out
}

func writeReadings(t testing.TB, rows []reading, options ...parquet.WriterOption) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, parquet.Write(&out, rows, options...))
	return out.Bytes()
}

// requireReadings checks every value of a file of readings from a row on.
func requireReadings(t *testing.T, src dataset.Source, want []reading) {
	t.Helper()
	text := func(b *dataset.Batch, col, row int) string {
		v, ok := b.Text(col, row)
		if !ok {
			return "∅"
		}
		return v
	}
	next := 0
	err := dataset.Read(context.Background(), src, nil, func(b *dataset.Batch) error {
		for row := range b.Rows {
			w := want[next]
			next++
			value, kind, flag := "∅", "∅", "∅"
			if w.Value != nil {
				value, flag = fmt.Sprint(*w.Value), fmt.Sprint(*w.Flag)
			}
			if w.Kind != nil {
				kind = *w.Kind
			}
			expected := []string{fmt.Sprint(w.ID), fmt.Sprint(w.Small), value, fmt.Sprint(w.Half), w.Name, kind, w.Code, fmt.Sprint(w.Level), w.At.Format(time.RFC3339Nano), flag}
			for col, e := range expected {
				if got := text(b, col, row); got != e && got+".0" != e {
					return fmt.Errorf("row %d, column %s: %q, not %q", next-1, b.Schema[col].Name, got, e)
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, len(want), next)
}

func TestEveryCodecAndPageOfParquet(t *testing.T) {
	rows := readings(12_000)
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Brotli, &parquet.Zstd} {
		for version, page := range map[int]int{1: 2000, 2: 1 << 20} {
			content := writeReadings(t, rows, parquet.Compression(codec), parquet.DataPageVersion(version), parquet.PageBufferSize(page),
				parquet.MaxRowsPerRowGroup(9_000))
			requireReadings(t, dataset.Bytes("r.parquet", content), rows)
		}
	}
}

func TestLZ4IsRefused(t *testing.T) {
	content := writeReadings(t, readings(10), parquet.Compression(&parquet.Lz4Raw))
	_, _, err := read(dataset.Bytes("r.parquet", content))
	require.ErrorContains(t, err, "r.parquet: column id is compressed with LZ4, which cannot be read: write the file with zstd or snappy")
}

func TestRowGroupsOutsideARangeAreNotRead(t *testing.T) {
	rows := readings(40_000) // one a second, in 4 row groups
	content := writeReadings(t, rows, parquet.MaxRowsPerRowGroup(10_000), parquet.Compression(&parquet.Snappy))
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	for _, c := range []struct {
		within   dataset.Range
		from, to int
	}{
		{dataset.Range{Column: "at", Min: at(25_000)}, 20_000, 40_000},
		{dataset.Range{Column: "at", Min: at(10_000), Max: at(19_999)}, 10_000, 20_000},
		{dataset.Range{Column: "id", Max: 9_999.0}, 0, 10_000},
		{dataset.Range{Column: "small", Min: -5.0}, 0, 10_000},
		{dataset.Range{Column: "level", Min: 3.0}, 0, 40_000},
		{dataset.Range{Column: "id", Min: math.Inf(-1)}, 0, 40_000},
		{dataset.Range{Column: "at", Min: at(50_000)}, 0, 0}, // no error: the file has rows, and none of them is wanted
	} {
		var read atomic.Int64
		src := dataset.Source{Name: "r.parquet", Within: &c.within, Open: func(context.Context) (io.ReaderAt, int64, func() error, error) {
			return counting{bytes.NewReader(content), &read}, int64(len(content)), func() error { return nil }, nil
		}}
		requireReadings(t, src, rows[c.from:c.to])
		if c.to-c.from == 10_000 {
			require.Less(t, read.Load(), int64(len(content))/2, c.within)
		}
	}
	for _, bad := range []struct {
		within dataset.Range
		want   string
	}{
		{dataset.Range{Column: "nope"}, `column "nope" does not exist`},
		{dataset.Range{Column: "at", Min: 5.0}, "column at is of type time: a range of numbers cannot be wanted of it"},
		{dataset.Range{Column: "id", Min: at(5)}, "column id is of type integer: a range of times cannot be wanted of it"},
		{dataset.Range{Column: "id", Min: 5}, "column id: a range cannot end at 5 (int)"},
	} {
		src := dataset.Bytes("r.parquet", content)
		src.Within = &bad.within
		_, _, err := read(src)
		require.ErrorContains(t, err, "r.parquet: "+bad.want)
	}
}

type counting struct {
	io.ReaderAt
	read *atomic.Int64
}

func (c counting) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.read.Add(int64(n))
	return n, err
}

// A storage that fails in the middle of a file fails the reading, and is named.
func TestStorageThatFails(t *testing.T) {
	content := writeReadings(t, readings(30_000), parquet.Compression(&parquet.Uncompressed))
	csv := bytes.Repeat([]byte("v\n12\n"), 200_000)
	for name, content := range map[string][]byte{"r.parquet": content, "v.csv": csv} {
		src := dataset.Source{Name: name, Types: map[string]dataset.Type{}, Open: func(context.Context) (io.ReaderAt, int64, func() error, error) {
			return failing{bytes.NewReader(content), int64(len(content)) / 2}, int64(len(content)), func() error { return nil }, nil
		}}
		_, _, err := read(src)
		require.ErrorIs(t, err, errGone, name)
		require.ErrorContains(t, err, name+":")
	}
}

var errGone = errors.New("the storage is gone")

// failing fails around a place.
type failing struct {
	io.ReaderAt
	at int64
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off <= f.at && f.at < off+int64(len(p)) {
		return 0, errGone
	}
	return f.ReaderAt.ReadAt(p, off)
}

func TestTextsOfParquetAreUTF8(t *testing.T) {
	type row struct {
		Plain string `parquet:"plain"`
		Dict  string `parquet:"dict,dict"`
	}
	for _, bad := range []row{{"a\xff", "b"}, {"a", "b\xff"}} {
		_, _, err := read(parquetOf(t, row{"x", "y"}, bad))
		require.ErrorContains(t, err, "p.parquet: column ")
		require.ErrorContains(t, err, `\xff" is not valid UTF-8: write the file in UTF-8`)
	}
}
