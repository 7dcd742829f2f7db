package profile

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

// folder is a processing job's, with the files given by their paths in it.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

const columns = `[{"name":"delay","type":"number"},{"name":"origin","type":"string"},{"name":"at","type":"time"}]`

func TestRun(t *testing.T) {
	dir := folder(t, map[string]string{
		columnsFile:             columns,
		"input/data/a.csv":      "late,delay,origin,at\n1,5,ATL,2001-01-01T00:00:00Z\n0,,ATL,2001-01-02T00:00:00Z\n",
		"input/data/deep/b.csv": "late,delay,origin,at\n1,7.5,12,2001-01-03T00:00:00Z\n", // an origin that looks like a number is none
	})
	var out bytes.Buffer
	require.NoError(t, Run(t.Context(), dir, &out))
	require.Equal(t, "profiled a.csv: 2 rows, 3 columns\nprofiled deep/b.csv: 1 rows, 3 columns\n", out.String())

	var a, b stats.Profile
	for name, p := range map[string]*stats.Profile{"a.csv.json": &a, "deep/b.csv.json": &b} {
		raw, err := os.ReadFile(filepath.Join(dir, output, name))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, p))
	}
	whole, err := stats.MergeProfiles(&a, &b)
	require.NoError(t, err)
	require.EqualValues(t, 3, whole.Rows)
	delay, _ := whole.Column("delay")
	require.EqualValues(t, 1, delay.Missing)
	require.InDelta(t, 6.25, *delay.Mean, 1e-12)
	origin, _ := whole.Column("origin")
	require.Equal(t, []stats.Frequency{{Value: "ATL", Count: 2}, {Value: "12", Count: 1}}, origin.Top)
}

func TestHostWithoutFiles(t *testing.T) {
	dir := folder(t, map[string]string{columnsFile: columns})
	require.NoError(t, Run(t.Context(), dir, &bytes.Buffer{}))
	require.NoDirExists(t, filepath.Join(dir, output))
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"no columns file": {nil, "the columns to profile: "},
		"no columns":      {map[string]string{columnsFile: "[]"}, "names no columns"},
		"broken columns":  {map[string]string{columnsFile: "[{"}, columnsFile},
		"absent column":   {map[string]string{columnsFile: columns, "input/data/a.csv": "late,delay,orign,at\n1,2,3,4\n"}, `did you mean "orign"?`},
		"wrong type": {map[string]string{columnsFile: columns, "input/data/a.csv": "delay,origin,at\n1,a,2001-01-01\nsoon,b,2001-01-01\n"},
			`a.csv:3: column delay: "soon" is not of type number`},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, Run(t.Context(), folder(t, c.files), &bytes.Buffer{}), c.want)
		})
	}
}
