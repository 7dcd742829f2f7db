package dataset_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
)

// repeated is a file that is made as it is read: a header and many times a row.
type repeated struct {
	header, row string
	rows        int
}

func (r repeated) source(name string) dataset.Source {
	return dataset.Source{Name: name, Open: func(context.Context) (io.ReaderAt, int64, func() error, error) {
		return r, int64(len(r.header) + r.rows*len(r.row)), func() error { return nil }, nil
	}}
}

func (r repeated) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		from := r.header[min(off, int64(len(r.header))):]
		if from == "" {
			at := off - int64(len(r.header))
			if at >= int64(r.rows*len(r.row)) {
				return n, io.EOF
			}
			from = r.row[at%int64(len(r.row)):]
		}
		k := copy(p[n:], from)
		n, off = n+k, off+int64(k)
	}
	return n, nil
}

func heap() int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Reading and profiling stay within a budget, whatever the shape of the table.
func TestMemoryStaysInBudget(t *testing.T) {
	columns := make([]string, 5000)
	for i := range columns {
		columns[i] = fmt.Sprint("c", i)
	}
	long := strings.Repeat("x", 10<<20)
	for name, c := range map[string]struct {
		file   repeated
		budget int // MB beyond what there was before
	}{
		"long rows":    {repeated{"a,b\n", "1,\"" + long + "\"\n", 12}, 150},
		"many columns": {repeated{strings.Join(columns, ",") + "\n", strings.Repeat("1.5,", 4999) + "2\n", 800}, 60},
		"tiny rows":    {repeated{"a\n", "x\n", 1_500_000}, 60},
		"missing":      {repeated{"a,b,c,d\n", ",,,\n", 600_000}, 60},
	} {
		schema, _, err := dataset.Inspect(context.Background(), c.file.source("t.csv"))
		require.NoError(t, err)
		src := c.file.source("t.csv")
		src.Types = map[string]dataset.Type{}
		for _, f := range schema {
			src.Types[f.Name] = f.Type
		}
		runtime.GC()
		before, most, rows := heap(), 0, 0
		require.NoError(t, dataset.Read(context.Background(), src, nil, func(b *dataset.Batch) error {
			if rows += b.Rows; rows%100_000 < b.Rows {
				runtime.GC() // what is garbage is not held
				most = max(most, heap())
			}
			return nil
		}))
		require.Equal(t, c.file.rows, rows, name)
		require.Less(t, (most-before)>>20, c.budget, name)
	}
}

// The same file gives the same profile whatever the number of cores.
func TestProfilesDoNotDependOnCores(t *testing.T) {
	var text strings.Builder
	text.WriteString("n,s,t\n")
	for i := range 60_000 {
		fmt.Fprintf(&text, "%d.%d,s%d,2001-02-03 04:%02d:%02d\n", i%7919, i%100, i*i%10_007, i/60%60, i%60)
	}
	src := dataset.Bytes("p.csv", []byte(text.String()))
	documents := map[string]bool{}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, cores := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(cores)
		p, err := dataset.Profile(context.Background(), []dataset.Source{src, src}, nil)
		require.NoError(t, err)
		b, err := json.Marshal(p)
		require.NoError(t, err)
		documents[string(b)] = true
	}
	require.Len(t, documents, 1)
}

// A profile of text reads it once, and anew where a later value is of a wider
// type or the beginning has no value.
func TestProfilesWidenTypes(t *testing.T) {
	empty := make([]string, 200_000)
	for i := range empty {
		empty[i] = ","
	}
	for name, c := range map[string]struct {
		src  dataset.Source
		want string
		rows int
	}{
		"fraction": {longColumn("v.csv", "1.5"), "number", 300_001},
		"text":     {longColumn("v.csv", "x"), "category", 300_001},
		"empty":    {dataset.Bytes("v.csv", []byte("v,w\n"+strings.Join(empty, "\n")+"\n7,\n")), "number", 200_001},
	} {
		p, err := dataset.Profile(context.Background(), []dataset.Source{c.src}, []string{"v"})
		require.NoError(t, err, name)
		require.EqualValues(t, c.rows, p.Rows, name)
		require.EqualValues(t, c.want, p.Columns[0].Kind, name)
	}
	src := longColumn("v.csv", "x")
	src.Types = map[string]dataset.Type{"v": dataset.Integer}
	_, err := dataset.Profile(context.Background(), []dataset.Source{src}, nil)
	require.ErrorContains(t, err, `v.csv:300002: column v: "x" is not of type integer, which is declared for it`)
}
