package frame

import (
	"bytes"
	"compress/gzip"
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var plain = Options{MaxLevels: 10, MinLevelRows: 1}

// channelOf writes files into a fresh folder.
func channelOf(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range contents {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

func zipped(t *testing.T, text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func TestReadTypesAndValues(t *testing.T) {
	dir := channelOf(t, map[string]string{
		"a.csv":      "\ufefflate,hour,w,origin,gate,note\n1,6.5,2,JFK,7,\"a, b\"\n0,,1,,12,\n",
		"b/c.csv.gz": zipped(t, "late,hour,w,origin,gate,note\n0, 8 ,0.5,SFO,7,\"two\nlines\"\n"),
		"_SUCCESS":   "",
		".hidden":    "x",
	})
	f, err := Read(context.Background(), dir, Options{Weight: "w", Categorical: []string{"gate"}, MaxLevels: 10, MinLevelRows: 1})
	require.NoError(t, err)
	require.Equal(t, Binary, f.Schema.Task)
	require.Equal(t, []string{"hour", "origin", "gate", "note"}, f.Schema.Names())
	require.Equal(t, []float64{1, 0, 0}, f.Label)
	require.Equal(t, []float64{2, 1, 0.5}, f.Weight)
	require.Equal(t, Numeric, f.Schema.Features[0].Kind)
	require.Equal(t, []string{"JFK", "SFO"}, f.Schema.Features[1].Levels)
	require.Equal(t, []string{"12", "7"}, f.Schema.Features[2].Levels)
	require.Equal(t, []string{"a, b", "two\nlines"}, f.Schema.Features[3].Levels)
	same(t, []float64{6.5, math.NaN(), 8}, f.Columns[0])
	same(t, []float64{0, math.NaN(), 1}, f.Columns[1])
	same(t, []float64{1, 0, 1}, f.Columns[2])
	same(t, []float64{0, math.NaN(), 1}, f.Columns[3])
}

// same compares with NaN equal to NaN.
func same(t *testing.T, want, got []float64) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		if math.IsNaN(want[i]) {
			require.True(t, math.IsNaN(got[i]), "%d: %v", i, got[i])
		} else {
			require.Equal(t, want[i], got[i], "%d", i)
		}
	}
}

func TestRareAndUnseenLevels(t *testing.T) {
	dir := channelOf(t, map[string]string{"a.csv": "y,c\n0,a\n1,a\n0,b\n1,b\n1,b\n0,rare\n1,z\n1,z\n"})
	f, err := Read(context.Background(), dir, Options{MaxLevels: 2, MinLevelRows: 2})
	require.NoError(t, err)
	c := &f.Schema.Features[0]
	require.Equal(t, []string{"a", "b"}, c.Levels, "z ties with a and loses by name")
	require.True(t, c.Other)
	require.Equal(t, 3, c.Codes())
	require.Equal(t, []float64{0, 0, 1, 1, 1, 2, 2, 2}, f.Columns[0])
	require.Equal(t, 2.0, c.Code("never seen"))

	f, err = Read(context.Background(), dir, plain)
	require.NoError(t, err)
	c = &f.Schema.Features[0]
	require.False(t, c.Other)
	require.True(t, math.IsNaN(c.Code("never seen")), "without other, unseen is missing")

	path := filepath.Join(t.TempDir(), "features.json")
	require.NoError(t, f.Schema.Save(path))
	back, err := LoadSchema(path)
	require.NoError(t, err)
	require.Equal(t, f.Schema, back)
}

func TestTaskFromLabels(t *testing.T) {
	f, err := Read(context.Background(), channelOf(t, map[string]string{"a": "y,x\n0,1\n1,2\n2.5,3\n"}), plain)
	require.NoError(t, err)
	require.Equal(t, Regression, f.Schema.Task)
}

func TestReadErrors(t *testing.T) {
	binary := plain
	binary.Task = Binary
	weighted := plain
	weighted.Weight = "w"
	listed := plain
	listed.Categorical = []string{"gone"}
	for name, c := range map[string]struct {
		files   map[string]string
		options Options
		want    string
	}{
		"no files":         {nil, plain, "holds no files"},
		"empty file":       {map[string]string{"a.csv": ""}, plain, "a.csv: is empty"},
		"header only":      {map[string]string{"a.csv": "y,x\n"}, plain, "has a header but no rows"},
		"parquet":          {map[string]string{"a.csv": "PAR1rest"}, plain, "a.csv: is a Parquet file; give CSV"},
		"one class":        {map[string]string{"a.csv": "y,x\n1,2\n1,3\n"}, binary, `label "y" is 1 in all 2 rows`},
		"constant label":   {map[string]string{"a.csv": "y,x\n7,2\n7,3\n"}, plain, `label "y" is 7 in all 2 rows`},
		"weights hide it":  {map[string]string{"a.csv": "y,x,w\n1,2,1\n0,3,0\n"}, weighted, `label "y" is 1 in all`},
		"not 0 or 1":       {map[string]string{"a.csv": "y,x\n1,2\n2,3\n"}, binary, `a.csv: line 3: label "y" is "2"; a binary task has labels 0 and 1 only`},
		"label missing":    {map[string]string{"a.csv": "y,x\n1,2\n,3\n"}, plain, `a.csv: line 3: label "y" is missing`},
		"label text":       {map[string]string{"a.csv": "y,x\nyes,2\n"}, plain, `line 2: label "y": "yes" is not a finite number`},
		"infinite":         {map[string]string{"a.csv": "y,x\n1,2\n0,inf\n"}, plain, `line 3: feature "x": "inf" is not finite`},
		"too large":        {map[string]string{"a.csv": "y,x\n1,2\n0,1e999\n"}, plain, `feature "x": "1e999" is not a number`},
		"fields":           {map[string]string{"a.csv": "y,x\n1,2\n0\n"}, plain, "a.csv: line 3 has 1 fields, expected 2"},
		"quote":            {map[string]string{"a.csv": "y,x\n1,a\"b\n"}, plain, "a.csv: line 2, column"},
		"blank line":       {map[string]string{"a.csv": "y,x\n1,2\n\n0,3\n"}, plain, "a.csv: line 3 is blank"},
		"other header":     {map[string]string{"a.csv": "y,x\n1,2\n", "b.csv": "y,z\n1,2\n"}, plain, "b.csv: its columns are y, z; want y, x"},
		"twice":            {map[string]string{"a.csv": "y,x,x\n1,2,3\n"}, plain, `column "x" occurs twice`},
		"nameless":         {map[string]string{"a.csv": "y,\n1,2\n"}, plain, "column 2 has no name"},
		"no features":      {map[string]string{"a.csv": "y,w\n1,2\n"}, weighted, "has no feature columns"},
		"no weight column": {map[string]string{"a.csv": "y,x\n1,2\n"}, weighted, `column "w" is named by a hyperparameter`},
		"bad weight":       {map[string]string{"a.csv": "y,x,w\n1,2,-1\n"}, weighted, `line 2: weight "w": "-1" is not a number from 0 up`},
		"missing weight":   {map[string]string{"a.csv": "y,x,w\n1,2,\n"}, weighted, `weight "w": "" is not a number`},
		"zero weights":     {map[string]string{"a.csv": "y,x,w\n1,2,0\n"}, weighted, `weight "w" is 0 in every row`},
		"categorical":      {map[string]string{"a.csv": "y,x\n1,2\n"}, listed, `column "gone" is named by a hyperparameter`},
		"truncated gzip":   {map[string]string{"a.csv": "\x1f\x8b\x08"}, plain, "a.csv: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(context.Background(), channelOf(t, c.files), c.options)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := Read(context.Background(), filepath.Join(t.TempDir(), "none"), plain)
	require.ErrorContains(t, err, "none")
}

func TestReadStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Read(ctx, channelOf(t, map[string]string{"a.csv": "y,x\n1,2\n"}), plain)
	require.ErrorIs(t, err, context.Canceled)
}

func TestReadAs(t *testing.T) {
	o := plain
	o.Weight = "w"
	train, err := Read(context.Background(), channelOf(t, map[string]string{"a.csv": "y,w,c,x\n1,1,a,2\n0,1,b,3\n"}), o)
	require.NoError(t, err)
	valid, err := ReadAs(context.Background(), channelOf(t, map[string]string{"v.csv": "y,w,c,x\n1,2,b,2\n0,3,new,\n"}), train.Schema)
	require.NoError(t, err)
	same(t, []float64{1, math.NaN()}, valid.Columns[0])
	require.Equal(t, []float64{2, 3}, valid.Weight)
	for name, c := range map[string]struct{ text, want string }{
		"columns":   {"y,w,c\n1,1,a\n", "its columns are"},
		"no weight": {"y,c,x\n1,a,2\n", "weight column"},
		"text":      {"y,w,c,x\n1,1,a,two\n", `v.csv: line 2: feature "x": "two" is not a number`},
		"label":     {"y,w,c,x\n3,1,a,2\n", "a binary task"},
	} {
		_, err := ReadAs(context.Background(), channelOf(t, map[string]string{"v.csv": c.text}), train.Schema)
		require.ErrorContains(t, err, c.want, name)
	}
}

func TestLoadSchemaErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "features.json")
	for text, want := range map[string]string{
		`{`:              "unexpected end",
		`{"format":1}`:   "format",
		`{"format":"x"}`: `format is "x"`,
		`{"format":"steward/features/1","task":"rank"}`:                                             `task is "rank"`,
		`{"format":"steward/features/1","task":"binary"}`:                                           "features is empty",
		`{"format":"steward/features/1","task":"binary","features":[{"name":"a","type":"vector"}]}`: `features[0] "a": type is "vector"`,
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := LoadSchema(path)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, path)
	}
}
