package live

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"steward/internal/lifecycle"
)

// oneLine joins the lines of a text, as a container's last words may be.
func oneLine(text string) string {
	first, rest, _ := strings.Cut(text, "\n")
	for line := range strings.Lines(rest) {
		if line = strings.TrimSpace(line); line != "" {
			first += " / " + line
		}
	}
	return first
}

// elapsed is a duration as people read it: 4s, 2m10s, 3h05m, 2d4h.
func elapsed(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}

// bar draws a share of width cells.
func bar(share float64, width int) string {
	full := min(max(int(share*float64(width)+0.5), 0), width)
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

// figures are named numbers, sorted by name: auc 0.728, log_loss 0.412; of those
// that are wanted, unless none of them is there.
func figures(m map[string]float64, wanted ...string) string {
	var all, parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		text := fmt.Sprintf("%s %.4g", name, m[name])
		all = append(all, text)
		if slices.Contains(wanted, name) {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		parts = all
	}
	return strings.Join(parts, ", ")
}

// metrics are those that the model's file judges by.
func (v View) metrics() []string {
	wanted := []string{v.Model.Spec.Training.Select.Metric}
	for _, g := range v.Model.Spec.Gates {
		wanted = append(wanted, g.Metric)
	}
	return wanted
}

// weights are the shares of traffic, the champion's variant first: r1 90 %, r2 10 %.
func weights(w map[string]int) string {
	var parts []string
	for _, variant := range slices.Sorted(maps.Keys(w)) {
		parts = append(parts, fmt.Sprintf("%s %d %%", variant, w[variant]))
	}
	return strings.Join(parts, ", ")
}

// roles are those who are waited for: 1 data-scientist, 2 operators.
func roles(awaited []lifecycle.Awaited) string {
	var parts []string
	for _, a := range awaited {
		plural := ""
		if a.Count > 1 {
			plural = "s"
		}
		parts = append(parts, fmt.Sprintf("%d %s%s", a.Count, a.Role, plural))
	}
	return strings.Join(parts, ", ")
}

// findings are what a window says of the model: of its quality always, of all
// else what is not as it should be.
func findings(w lifecycle.Window) []string {
	var parts []string
	for _, f := range w.Findings {
		if f.Cause == lifecycle.CauseQuality || f.Outcome != lifecycle.Pass {
			parts = append(parts, doubt(f))
		}
	}
	return parts
}

func doubt(f lifecycle.Finding) string { return fmt.Sprintf("%s %s: %s", f.Cause, f.Outcome, f.Detail) }

// worst is the column that moved farthest, by the order of levels then value.
func worst(drifts []lifecycle.Drift) *lifecycle.Drift {
	rank := map[string]int{"act": 3, "watch": 2, "inconclusive": 1}
	var top *lifecycle.Drift
	for i, d := range drifts {
		if top == nil || rank[d.Level] > rank[top.Level] || (rank[d.Level] == rank[top.Level] && d.Value > top.Value) {
			top = &drifts[i]
		}
	}
	return top
}

// window is what was measured on one, in a line.
func window(w lifecycle.Window) string {
	if w.Rows == 0 {
		return "no traffic, so nothing was measured"
	}
	parts := []string{fmt.Sprintf("%d rows", w.Rows)}
	if d := worst(w.Drift); d != nil {
		level := d.Level
		if level == "none" {
			level = "no drift"
		}
		parts = append(parts, fmt.Sprintf("largest %s %.3g of %s: %s", d.Measure, d.Value, d.Column, level))
	}
	if !w.Matured {
		parts = append(parts, "truth awaited")
	}
	return strings.Join(append(parts, findings(w)...), " · ")
}
