package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"steward/internal/plot"
	"steward/internal/stats"
)

// story tells in one sentence what changed in a column from a to b.
func story(a, b stats.ColumnProfile) string {
	var parts []string
	switch {
	case a.Count == 0 && b.Count == 0:
		return "it has no values in either table"
	case b.Count == 0:
		return "it has no values any more"
	case a.Count == 0:
		return "it has values now, and had none"
	case a.Kind == stats.Category:
		parts = categoryStory(a, b)
	case flag(a) && flag(b):
		parts = []string{flagStory(a, b)}
	default:
		parts = numberStory(a, b)
	}
	parts = append(parts, missingStory(a, b)...)
	return strings.Join(parts, "; ")
}

// flag tells whether a number is 0 or 1.
func flag(c stats.ColumnProfile) bool {
	if !c.Complete || len(c.Top) > 2 || c.Kind != stats.Number {
		return false
	}
	return !slices.ContainsFunc(c.Top, func(f stats.Frequency) bool { return f.Value != "0" && f.Value != "1" })
}

func flagStory(a, b stats.ColumnProfile) string {
	was, is := *a.Mean, *b.Mean
	return fmt.Sprintf("1 in %s of the rows, %s", plot.Percent(is), before(was, is))
}

// before says what a share was, or that it stayed.
func before(was, is float64) string {
	if plot.Percent(was) == plot.Percent(is) {
		return "as before"
	}
	return "before " + plot.Percent(was)
}

func numberStory(a, b stats.ColumnProfile) []string {
	var parts []string
	was, okA := quantileOf(a, 0.5)
	is, okB := quantileOf(b, 0.5)
	if okA && okB {
		parts = append(parts, "the typical value "+moved(was, is))
	}
	lowA, _ := quantileOf(a, 0.25)
	highA, _ := quantileOf(a, 0.75)
	lowB, _ := quantileOf(b, 0.25)
	highB, _ := quantileOf(b, 0.75)
	if lowA != lowB || highA != highB {
		parts = append(parts, fmt.Sprintf("the middle half lies between %s and %s, before between %s and %s",
			plot.Number(lowB), plot.Number(highB), plot.Number(lowA), plot.Number(highA)))
	}
	if a.Infinite != b.Infinite {
		parts = append(parts, fmt.Sprintf("%d infinite values, before %d", b.Infinite, a.Infinite))
	}
	return parts
}

// moved says how a figure changed; in percent where that helps.
func moved(was, is float64) string {
	if plot.Number(was) == plot.Number(is) {
		return "stayed " + plot.Number(is)
	}
	verb := "rose"
	if is < was {
		verb = "fell"
	}
	text := fmt.Sprintf("%s from %s to %s", verb, plot.Number(was), plot.Number(is))
	if r := change(was, is); math.Abs(r) >= 0.005 && math.Abs(r) < 10 {
		text += fmt.Sprintf(" (%+.0f %%)", 100*r)
	}
	return text
}

const (
	storyValues = 3     // values that a sentence names
	storyShare  = 0.005 // change of a share that is worth a word
)

func categoryStory(a, b stats.ColumnProfile) []string {
	var parts []string
	unseen, share := stats.Unseen(a, b)
	if n := len(unseen); n > 0 {
		shown := make([]string, 0, storyValues)
		for _, v := range unseen[:min(n, storyValues)] {
			shown = append(shown, clip(v))
		}
		more := ""
		if n > storyValues {
			more = ", …"
		}
		parts = append(parts, fmt.Sprintf("%s (%s%s) in %s of the rows", count(n, "new value", "new values"), strings.Join(shown, ", "), more, plot.Percent(share)))
	}
	for _, m := range movedMost(a, b) {
		if m.is == 0 {
			parts = append(parts, fmt.Sprintf("%s is gone, before %s", clip(m.value), plot.Percent(m.was)))
		} else {
			parts = append(parts, fmt.Sprintf("%s in %s of the rows, before %s", clip(m.value), plot.Percent(m.is), plot.Percent(m.was)))
		}
	}
	if len(parts) == 0 {
		parts = []string{"its values are as frequent as before"}
	}
	return parts
}

type shift struct {
	value   string
	was, is float64
}

// movedMost are the old values whose share changed most.
func movedMost(a, b stats.ColumnProfile) []shift {
	is := map[string]float64{}
	for _, f := range b.Top {
		is[f.Value] = float64(f.Count) / float64(b.Count)
	}
	var all []shift
	for _, f := range a.Top {
		m := shift{f.Value, float64(f.Count) / float64(a.Count), is[f.Value]}
		if m.is == 0 && !b.Complete { // it may only be rare now
			continue
		}
		if math.Abs(m.is-m.was) >= storyShare {
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(x, y shift) int { return cmp.Compare(math.Abs(y.is-y.was), math.Abs(x.is-x.was)) })
	return all[:min(len(all), storyValues)]
}

// missingStory speaks of missing values when their share changed.
func missingStory(a, b stats.ColumnProfile) []string {
	was, is := a.MissingShare(), b.MissingShare()
	if math.Abs(is-was) < storyShare {
		return nil
	}
	return []string{fmt.Sprintf("missing in %s of the rows, %s", plot.Percent(is), before(was, is))}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
