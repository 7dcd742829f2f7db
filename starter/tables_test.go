package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

// csv writes rows whose delay is shifted; month tells two halves apart.
func csv(t *testing.T, path string, shift int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("id,month,delay,origin,late\n")
	for i := range 600 {
		fmt.Fprintf(&b, "f%d,%d,%d.5,%s,%d\n", i, 1+i%2, i%50+shift+i%2*40, []string{"ATL", "JFK", "ORD"}[i%3], i%5/4)
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	return path
}

func TestProfileCommand(t *testing.T) {
	g, dir := newGateway(t, nil), t.TempDir()
	one := csv(t, filepath.Join(dir, "data", "1.csv"), 0)
	csv(t, filepath.Join(dir, "data", "deep", "2.csv"), 0)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data", "_SUCCESS"), nil, 0o644))

	out, _, err := g.steward(t, "", "profile", filepath.Join(dir, "data"))
	require.NoError(t, err)
	require.Contains(t, out, "data: 1200 rows, 5 columns")
	require.Regexp(t, `(?m)^origin +category +0.% +3 `, out)

	out, _, err = g.steward(t, "", "profile", one, "--where", "month=1", "--columns", "delay", "-o", "json")
	require.NoError(t, err)
	var p stats.Profile
	require.NoError(t, json.Unmarshal([]byte(out), &p))
	require.EqualValues(t, 300, p.Rows)
	require.Len(t, p.Columns, 1)

	out, _, err = g.steward(t, "", "profile", one, "-o", "html")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(out, "<!doctype html>"))
}

func TestCompareCommand(t *testing.T) {
	g, dir := newGateway(t, nil), t.TempDir()
	a, b := csv(t, filepath.Join(dir, "a.csv"), 0), csv(t, filepath.Join(dir, "b.csv"), 100)
	out, _, err := g.steward(t, "", "compare", a, b, "--label", "late")
	require.NoError(t, err, "drift is no error unless asked")
	require.Contains(t, out, "Of 3 columns, 1 moved far")
	require.Contains(t, out, "Not compared: id names rows")

	_, _, err = g.steward(t, "", "compare", a, b, "--fail-on", "watch")
	require.Equal(t, exitDrifted, exitCode(err))
	require.EqualError(t, err, "the data has drifted: a column is at act")
	_, _, err = g.steward(t, "", "compare", a, a, "--fail-on", "watch")
	require.NoError(t, err)

	out, _, err = g.steward(t, "", "compare", a, "--where-a", "month=1", "--where-b", "month=2", "--columns", "delay,origin", "--label", "late")
	require.NoError(t, err)
	require.Contains(t, out, "a.csv where month=1 (A) against a.csv where month=2 (B)")
	require.Contains(t, out, "delay: the typical value rose from 24.5 to 65.5")

	out, _, err = g.steward(t, "", "compare", a, b, "-o", "json")
	require.NoError(t, err)
	var found struct {
		Columns []struct{ Column, Level, Story string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &found))
	require.Equal(t, "act", found.Columns[0].Level)

	out, _, err = g.steward(t, "", "compare", a, b, "-o", "html")
	require.NoError(t, err)
	require.Contains(t, out, "How far each column moved")
}

func TestTablesThatCannotBeRead(t *testing.T) {
	g, dir := newGateway(t, nil), t.TempDir()
	a := csv(t, filepath.Join(dir, "a.csv"), 0)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "empty"), 0o755))
	for name, tt := range map[string]struct {
		line []string
		code int
		want string
	}{
		"absent file":    {[]string{"profile", filepath.Join(dir, "b.csv")}, exitError, "no such file"},
		"empty folder":   {[]string{"profile", filepath.Join(dir, "empty")}, exitError, "there are no files in"},
		"no file":        {[]string{"profile"}, exitUsage, "usage: steward profile FILE..."},
		"unknown column": {[]string{"profile", a, "--columns", "dely"}, exitError, `did you mean "delay"?`},
		"no such value":  {[]string{"profile", a, "--where", "month=13"}, exitError, "no row is like that"},
		"no such where":  {[]string{"profile", a, "--where", "mnth=1"}, exitError, `did you mean "month"?`},
		"odd condition":  {[]string{"profile", a, "--where", "month"}, exitUsage, "write column=value"},
		"unknown output": {[]string{"profile", a, "-o", "xml"}, exitUsage, "text or json or html"},
		"html elsewhere": {[]string{"schema", "-o", "html"}, exitUsage, "the output is text or json"},
		"one side only":  {[]string{"compare", a}, exitUsage, "nothing to compare with"},
		"odd level":      {[]string{"compare", a, a, "--fail-on", "none"}, exitUsage, "it is watch or act"},
		"odd thresholds": {[]string{"compare", a, a, "--watch", "0.3"}, exitUsage, "--watch 0.3, --act 0.2"},
		"unknown label":  {[]string{"compare", a, a, "--label", "lat"}, exitError, "lat"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := g.steward(t, "", tt.line...)
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, tt.code, exitCode(err))
		})
	}
}
