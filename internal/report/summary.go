package report

import (
	"strings"

	"steward/internal/plot"
	"steward/internal/stats"
)

// Summary is one column as a line of a table; "" where a figure has no meaning.
type Summary struct {
	Column   string `json:"column"`
	Kind     string `json:"kind"`
	Missing  string `json:"missing"`
	Distinct string `json:"distinct"`
	Min      string `json:"min,omitempty"`
	Low      string `json:"q25,omitempty"`
	Median   string `json:"median,omitempty"`
	High     string `json:"q75,omitempty"`
	Max      string `json:"max,omitempty"`
	Mean     string `json:"mean,omitempty"`
	Std      string `json:"std,omitempty"`
	Top      string `json:"top,omitempty"`   // the most frequent values
	Sketch   string `json:"shape,omitempty"` // of a number's histogram
}

// Summarise puts a column into one line.
func Summarise(c stats.ColumnProfile) Summary {
	s := Summary{Column: c.Name, Kind: string(c.Kind), Missing: plot.Percent(c.MissingShare()), Distinct: distinct(c)}
	switch c.Kind {
	case stats.Category:
		s.Top = top(c, 3)
		if l := c.Lengths; l != nil {
			s.Min, s.Max, s.Mean = plot.Number(float64(l.Min))+" ch", plot.Number(float64(l.Max))+" ch", plot.Number(l.Mean)+" ch"
		}
	case stats.Time:
		if c.Earliest != nil {
			s.Min, s.Max = c.Earliest.UTC().Format(timeLayout), c.Latest.UTC().Format(timeLayout)
		}
	default:
		s.Min, s.Max, s.Mean, s.Std = number(c.Min), number(c.Max), number(c.Mean), number(c.Std)
		s.Low, s.Median, s.High = quantile(c, 0.25), quantile(c, 0.5), quantile(c, 0.75)
		s.Sketch = sparkline(c.Histogram)
	}
	return s
}

const timeLayout = "2006-01-02 15:04"

func number(v *float64) string {
	if v == nil {
		return ""
	}
	return plot.Number(*v)
}

// quantile returns the value of a rank, "" if the profile does not have it.
func quantile(c stats.ColumnProfile, rank float64) string {
	if v, ok := quantileOf(c, rank); ok {
		return plot.Number(v)
	}
	return ""
}

func quantileOf(c stats.ColumnProfile, rank float64) (float64, bool) {
	for _, q := range c.Quantiles {
		if q.Rank == rank {
			return q.Value, true
		}
	}
	return 0, false
}

func distinct(c stats.ColumnProfile) string {
	text := plot.Number(float64(c.Distinct))
	if !c.Complete {
		text = "~" + text
	}
	return text
}

// top lists the most frequent values with their shares.
func top(c stats.ColumnProfile, n int) string {
	var out []string
	for _, f := range c.Top[:min(n, len(c.Top))] {
		out = append(out, clip(f.Value)+" "+plot.Percent(float64(f.Count)/float64(max(c.Count, 1))))
	}
	return strings.Join(out, ", ")
}

// clip shortens a value for a line of text.
func clip(s string) string {
	if r := []rune(s); len(r) > 24 {
		return string(r[:23]) + "…"
	}
	return s
}

// sparkline draws a histogram in a line of text.
func sparkline(bins []stats.Bin) string {
	const levels = "▁▂▃▄▅▆▇█"
	most := int64(0)
	for _, b := range bins {
		most = max(most, b.Count)
	}
	var out strings.Builder
	for _, b := range bins {
		if b.Count == 0 {
			out.WriteByte(' ')
			continue
		}
		out.WriteRune([]rune(levels)[int(b.Count*7/most)])
	}
	return out.String()
}
