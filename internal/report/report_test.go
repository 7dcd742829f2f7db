package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

// plain has ordinary spaces before the per cent sign.
func plain(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

func numbers(values ...float64) stats.ColumnProfile {
	p := stats.NewProfiler([]stats.Field{{Name: "x", Kind: stats.Number}})
	p.AddNumbers(0, values)
	return p.Profile().Columns[0]
}

// texts makes a column of values, each as often as said; "" is missing.
func texts(counts ...any) stats.ColumnProfile {
	p := stats.NewProfiler([]stats.Field{{Name: "x", Kind: stats.Category}})
	for i := 0; i < len(counts); i += 2 {
		for range counts[i+1].(int) {
			p.AddStrings(0, []string{counts[i].(string)}, []bool{counts[i] != ""})
		}
	}
	return p.Profile().Columns[0]
}

func sequence(from, to, step float64) (out []float64) {
	for v := from; v <= to; v += step {
		out = append(out, v)
	}
	return out
}

func TestStory(t *testing.T) {
	nan := math.NaN()
	for name, tt := range map[string]struct {
		a, b stats.ColumnProfile
		want string
	}{
		"a number rises": {numbers(sequence(0, 10, 0.5)...), numbers(sequence(5, 15, 0.5)...),
			"the typical value rose from 5 to 10 (+100 %); the middle half lies between 7.5 and 12.5, before between 2.5 and 7.5"},
		"a number stays":       {numbers(sequence(0, 10, 0.5)...), numbers(sequence(0, 10, 0.5)...), "the typical value stayed 5"},
		"from zero":            {numbers(-1.5, 0, 1.5), numbers(1, 2, 3), "the typical value rose from 0 to 2; the middle half lies between 1 and 3, before between -1.5 and 1.5"},
		"a flag":               {numbers(0, 0, 0, 1), numbers(0, 1), "1 in 50 % of the rows, before 25 %"},
		"a flag stays":         {numbers(0, 1), numbers(1, 0), "1 in 50 % of the rows, as before"},
		"missing":              {numbers(0, 1, 0, 1), numbers(0, 1, nan, nan), "1 in 50 % of the rows, as before; missing in 50 % of the rows, before 0 %"},
		"infinite":             {numbers(1, 2, 3), numbers(1, 2, 3, math.Inf(1)), "the typical value stayed 2; 1 infinite values, before 0"},
		"new and moved values": {texts("a", 60, "b", 40), texts("a", 30, "b", 60, "z", 10), "1 new value (z) in 10 % of the rows; a in 30 % of the rows, before 60 %; b in 60 % of the rows, before 40 %"},
		"many new values":      {texts("a", 1), texts("p", 4, "q", 3, "r", 2, "s", 1), "4 new values (p, q, r, …) in 100 % of the rows; a is gone, before 100 %"},
		"categories stay":      {texts("a", 5, "b", 5), texts("a", 50, "b", 50), "its values are as frequent as before"},
		"a category is gone":   {texts("a", 5, "b", 5), texts("a", 5), "a in 100 % of the rows, before 50 %; b is gone, before 50 %"},
		"no values any more":   {texts("a", 5), texts("", 5), "it has no values any more"},
		"values now":           {texts("", 5), texts("a", 5), "it has values now, and had none"},
		"never any":            {numbers(nan), numbers(nan), "it has no values in either table"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, plain(story(tt.a, tt.b))) })
	}
}

// flights makes rows of two inputs, an id, a time and a label.
func flights(seed uint64, rows int, shift, rate float64, airports ...string) *stats.Profile {
	p := stats.NewProfiler([]stats.Field{{Name: "id", Kind: stats.Category}, {Name: "at", Kind: stats.Time}, {Name: "delay", Kind: stats.Number},
		{Name: "origin", Kind: stats.Category}, {Name: "late", Kind: stats.Number}})
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range rows {
		p.AddStrings(0, []string{fmt.Sprintf("%d-%d", seed, i)}, nil)
		p.AddTimes(1, []int64{int64(i) * 1e9}, []bool{true})
		p.AddNumbers(2, []float64{r.NormFloat64() + shift})
		p.AddStrings(3, []string{airports[r.IntN(len(airports))]}, nil)
		late := 0.0
		if r.Float64() < rate {
			late = 1
		}
		p.AddNumbers(4, []float64{late})
	}
	return p.Profile()
}

func compare(t *testing.T, a, b *stats.Profile, o Options) *Comparison {
	t.Helper()
	c, err := Compare(Side{Name: "old.csv", Profile: a}, Side{Name: "new.csv", Profile: b}, o)
	require.NoError(t, err)
	return c
}

func TestCompare(t *testing.T) {
	c := compare(t, flights(1, 2000, 0, 0.2, "ATL", "JFK"), flights(2, 3000, 2, 0.2, "ATL", "JFK"), Options{Label: "late"})
	require.Equal(t, "Of 2 columns, 1 moved far (PSI 0.2 or more), 1 hardly at all.", c.Summary[0])
	require.Regexp(t, `^delay: the typical value rose from .* \(PSI \d\.\d\d\)\.$`, plain(c.Summary[1]))
	require.Regexp(t, `^The label late: 1 in .* of the rows, `, plain(c.Summary[2]))
	require.Equal(t, "B has 3000 rows, A 2000 (+50 %).", c.Summary[3])
	require.Equal(t, []string{"delay", "origin"}, []string{c.Columns[0].Drift.Column, c.Columns[1].Drift.Column}, "what moved most comes first")
	require.Equal(t, "late", c.Label.Drift.Column)
	require.Equal(t, []string{"id names rows: nearly all its values differ", "at holds times, which always move on"}, c.Skipped)
	require.True(t, c.Reached(stats.Act))
	require.True(t, c.Reached(stats.Watch))
	require.False(t, c.Reached(""))
}

func TestLabelMovesAlone(t *testing.T) {
	c := compare(t, flights(1, 3000, 0, 0.2, "ATL", "JFK"), flights(2, 3000, 0, 0.35, "ATL", "JFK"), Options{Label: "late"})
	require.Equal(t, "Of 2 columns, none has moved.", c.Summary[0])
	require.Contains(t, strings.Join(c.Summary, "\n"), "what the inputs mean for the label may have changed")
	require.Equal(t, "Both have about 3000 rows.", c.Summary[len(c.Summary)-1])
	require.False(t, c.Reached(stats.Watch))
}

func TestFewRowsAreNotJudged(t *testing.T) {
	c := compare(t, flights(1, 100, 0, 0.2, "ATL", "JFK"), flights(2, 100, 3, 0.2, "ATL", "JFK"), Options{})
	require.Equal(t, "Of 3 columns, 3 cannot be judged by so few rows.", c.Summary[0])
	require.Equal(t, stats.Inconclusive, c.Worst())
	require.False(t, c.Reached(stats.Watch), "what was not measured is no verdict")
}

func TestWhatIsNotCompared(t *testing.T) {
	a := &stats.Profile{Version: stats.ProfileVersion, Rows: 231, Columns: []stats.ColumnProfile{numbers(sequence(0, 300, 1.3)...)}}
	other := numbers(sequence(0, 300, 1.3)...)
	other.Name = "y"
	b := &stats.Profile{Version: stats.ProfileVersion, Rows: 231, Columns: []stats.ColumnProfile{a.Columns[0], other}}
	require.Equal(t, []string{"y is only in new.csv"}, compare(t, a, b, Options{}).Skipped)
	require.Equal(t, []string{"x is only in old.csv", "y is only in new.csv"},
		func() []string {
			c := &Comparison{A: Side{"old.csv", a, 0}, B: Side{"new.csv", &stats.Profile{Columns: b.Columns[1:]}, 0}}
			c.comparable(Options{})
			return c.Skipped
		}())
	_, err := Compare(Side{Name: "old.csv", Profile: a}, Side{Name: "new.csv", Profile: b}, Options{ChosenBy: []string{"x"}})
	require.EqualError(t, err, "old.csv and new.csv have no column that could be compared")
	_, err = Compare(Side{Name: "old.csv", Profile: a}, Side{Name: "new.csv", Profile: b}, Options{Label: "late"})
	require.ErrorContains(t, err, "column late is not in the baseline (it has x)")
}

func TestTexts(t *testing.T) {
	a, b := flights(1, 2000, 0, 0.2, "ATL", "JFK"), flights(2, 3000, 2, 0.2, "ATL", "ORD")
	var out bytes.Buffer
	WriteComparison(&out, compare(t, a, b, Options{Label: "late"}))
	text := plain(out.String())
	require.Regexp(t, `(?m)^delay +act +\d\.\d{3} +██████████ +0\.\d{3} `, text)
	require.Regexp(t, `(?m)^origin +act .* 50\.\d %`, text, "the share of new values")
	require.Contains(t, text, "1 new value (ORD)")
	require.NotContains(t, text, "PSI\u00a0")

	out.Reset()
	WriteProfile(&out, Side{Name: "old.csv", Profile: a})
	require.Contains(t, plain(out.String()), "old.csv: 2000 rows, 5 columns\n")
	require.Regexp(t, `(?m)^at +time +0 % +~\d+ +1970-01-01 00:00 +1970-01-01 00:33`, plain(out.String()))
	require.Regexp(t, `(?m)^origin +category +0 % +2 +3 ch .*ATL \d+`, plain(out.String()))
}

func TestPages(t *testing.T) {
	a, b := flights(1, 2000, 0, 0.2, "ATL", "JFK"), flights(2, 3000, 2, 0.2, "ATL", "<script>alert(1)</script>")
	made := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	var out, again bytes.Buffer
	require.NoError(t, WriteComparisonPage(&out, compare(t, a, b, Options{Label: "late"}), made))
	require.NoError(t, WriteComparisonPage(&again, compare(t, a, b, Options{Label: "late"}), made))
	require.Equal(t, out.String(), again.String())
	require.NotContains(t, out.String(), "<script", "data is text")
	require.Equal(t, 4, strings.Count(out.String(), "<svg"), "the overview, two inputs and the label; nothing is missing")
	require.NotContains(t, out.String(), "http", "a page of its own loads nothing")
	wellFormed(t, out.String())

	out.Reset()
	require.NoError(t, WriteProfilePage(&out, Side{Name: "old.csv", Profile: a}, made))
	require.Contains(t, out.String(), "Made by steward on 1 May 2026, 12:00 UTC.")
	wellFormed(t, out.String())
}

func wellFormed(t *testing.T, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			require.NoError(t, err)
		}
	}
}

func TestWrap(t *testing.T) {
	require.Equal(t, "one two\n  three", wrap("one two three", 8))
	require.Equal(t, "before 2.9\u00a0%", wrap("before 2.9\u00a0%", 100))
	require.Equal(t, "unbreakable", wrap("unbreakable", 3))
}
