package report

import (
	"fmt"
	"math"
	"strings"

	"steward/internal/plot"
	"steward/internal/stats"
)

// summarise writes the sentences that come first.
func (c *Comparison) summarise() {
	n := map[stats.Level]int{}
	for _, col := range c.Columns {
		n[col.Level]++
	}
	c.say("%s", c.verdict(n))
	for _, col := range c.Columns[:min(len(c.Columns), 3)] {
		if col.Level == stats.Act || col.Level == stats.Watch {
			c.say("%s: %s (PSI %.2f%s).", col.Drift.Column, col.Story, col.PSI, because(col.Measure))
		}
	}
	if c.Label != nil {
		c.label(n)
	}
	if r := change(float64(c.A.Rows), float64(c.B.Rows)); math.Abs(r) >= 0.005 {
		c.say("B has %d rows, A %d (%+.0f %%).", c.B.Rows, c.A.Rows, 100*r)
	} else {
		c.say("Both have about %d rows.", c.B.Rows)
	}
}

func (c *Comparison) say(format string, args ...any) {
	c.Summary = append(c.Summary, fmt.Sprintf(format, args...))
}

func (c *Comparison) verdict(n map[stats.Level]int) string {
	if len(c.Columns) == 0 {
		return "Nothing but the label was compared."
	}
	all := count(len(c.Columns), "column", "columns")
	var parts []string
	if k := n[stats.Act]; k > 0 {
		parts = append(parts, fmt.Sprintf("%d moved far (PSI %s or more)", k, plot.Number(c.Act)))
	}
	if k := n[stats.Watch]; k > 0 {
		parts = append(parts, fmt.Sprintf("%d moved a little (PSI %s or more)", k, plot.Number(c.Watch)))
	}
	if k := n[stats.None]; k > 0 && len(parts) > 0 {
		parts = append(parts, fmt.Sprintf("%d hardly at all", k))
	} else if k > 0 {
		parts = append(parts, "none has moved")
	}
	if k := n[stats.Inconclusive]; k > 0 {
		parts = append(parts, fmt.Sprintf("%d cannot be judged by so few rows", k))
	}
	return fmt.Sprintf("Of %s, %s.", all, strings.Join(parts, ", "))
}

// because says what makes most of a PSI, if it is not the values themselves.
func because(measure string) string {
	switch measure {
	case "missing":
		return ", most of it by missing values"
	case "unseen":
		return ", most of it by new values"
	}
	return ""
}

// label speaks of what really happened, and of what its change means when the
// inputs do not explain it.
func (c *Comparison) label(n map[stats.Level]int) {
	l := c.Label
	c.say("The label %s: %s.", l.Drift.Column, l.Story)
	moved := l.Level == stats.Act || l.Level == stats.Watch || labelRate(c) >= 0.02
	if moved && n[stats.Act] == 0 {
		c.say("The label moved and the inputs did not move far: what the inputs mean for the label may have changed. " +
			"Only a model measured on newer labels shows that.")
	}
}

// labelRate is how far the mean of a label that is 0 or 1 moved.
func labelRate(c *Comparison) float64 {
	a, _ := c.A.Profile.Column(c.Label.Drift.Column)
	b, _ := c.B.Profile.Column(c.Label.Drift.Column)
	if !flag(a) || !flag(b) {
		return 0
	}
	return math.Abs(*b.Mean - *a.Mean)
}
