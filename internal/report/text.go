package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"steward/internal/plot"
	"steward/internal/stats"
)

// WriteProfile writes a table's profile for a terminal.
func WriteProfile(w io.Writer, s Side) {
	fmt.Fprintf(w, "%s: %d rows, %d columns\n\n", s.Name, s.Profile.Rows, len(s.Profile.Columns))
	rows := [][]string{{"COLUMN", "KIND", "MISSING", "DISTINCT", "MIN", "25 %", "MEDIAN", "75 %", "MAX", "MEAN", "STD", "VALUES"}}
	for _, c := range s.Profile.Columns {
		l := Summarise(c)
		rows = append(rows, []string{l.Column, l.Kind, l.Missing, l.Distinct, l.Min, l.Low, l.Median, l.High, l.Max, l.Mean, l.Std, l.Sketch + l.Top})
	}
	table(w, rows)
}

// WriteComparison writes a comparison for a terminal: in words, then in figures.
func WriteComparison(w io.Writer, c *Comparison) {
	fmt.Fprintf(w, "%s (A) against %s (B)\n\n", c.A.Name, c.B.Name)
	for _, s := range c.Summary {
		fmt.Fprintln(w, wrap(s, 100))
	}
	fmt.Fprintln(w)
	rows := [][]string{{"COLUMN", "LEVEL", "PSI", "", "KS", "W1/σ", "JS", "NEW", "MISSING", "MEDIAN A", "MEDIAN B", "A", "B"}}
	for _, col := range c.all() {
		d := col.Drift
		rows = append(rows, []string{d.Column, level(d.Level), fmt.Sprintf("%.3f", d.PSI), bar(d.PSI, c.Act), figure(d, d.KS), figure(d, d.Wasserstein),
			fmt.Sprintf("%.3f", d.JS), share(d.Unseen), signed(d.Missing), col.A.Median, col.B.Median, col.A.Sketch, col.B.Sketch})
	}
	table(w, rows)
	fmt.Fprintf(w, "\nPSI is judged: %s is watched, %s has moved far; fewer than 200 rows, and what chance explains, are not.\n",
		plot.Number(c.Watch), plot.Number(c.Act))
	for _, s := range c.Skipped {
		fmt.Fprintf(w, "Not compared: %s.\n", s)
	}
}

// all are the columns, with the label last.
func (c *Comparison) all() []Column {
	if c.Label == nil {
		return c.Columns
	}
	return append(c.Columns[:len(c.Columns):len(c.Columns)], *c.Label)
}

func level(l stats.Level) string {
	if l == stats.None {
		return "-"
	}
	return string(l)
}

// bar draws a PSI against what counts as far.
func bar(psi, act float64) string {
	const cells = 10
	n := min(int(psi/act*cells/2+0.5), cells)
	return strings.Repeat("█", n) + strings.Repeat("·", cells-n)
}

// figure is a measure that only numbers have.
func figure(d stats.Drift, v float64) string {
	if d.Kind != stats.Number {
		return ""
	}
	return fmt.Sprintf("%.3f", v)
}

func share(v float64) string {
	if v == 0 {
		return ""
	}
	return plot.Percent(v)
}

func signed(v float64) string {
	switch text := plot.Percent(v); {
	case text == plot.Percent(0):
		return ""
	case v > 0:
		return "+" + text
	default:
		return text
	}
}

func table(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	_ = t.Flush() // w itself keeps its error
}

// wrap breaks a sentence into lines.
func wrap(text string, width int) string {
	var out strings.Builder
	at := 0
	for i, word := range strings.Split(text, " ") {
		n := len([]rune(word))
		switch {
		case i > 0 && at+1+n > width:
			out.WriteString("\n  ")
			at = 2
		case i > 0:
			out.WriteByte(' ')
			at++
		}
		out.WriteString(word)
		at += n
	}
	return out.String()
}
