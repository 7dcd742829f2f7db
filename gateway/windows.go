package gateway

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"steward/internal/lifecycle"
	"steward/internal/plot"
)

// Levels of the population stability index by which the model file's drift rule
// judges; drawn, not judged, here.
const (
	psiWatch = 0.1
	psiAct   = 0.2
)

// shownWindows is how many windows the table lists.
const shownWindows = 8

// windowsView is what was measured on a model, as charts and rows.
type windowsView struct {
	Metric   string // that the quality chart shows
	Quality  template.HTML
	Estimate bool // the quality chart has one
	Drift    template.HTML
	Rows     []windowView // newest first
	Total    int
}

// windowView is one window in the table.
type windowView struct {
	lifecycle.Window
	Value *float64 // of the metric, once matured
	Worst *lifecycle.Drift
}

func windowsOf(m lifecycle.ModelState) windowsView {
	windows, metric := newest(m.Windows), watchedMetric(m.Spec)
	v := windowsView{Metric: metric, Total: len(windows)}
	if len(windows) == 0 {
		return v
	}
	v.Estimate = slices.ContainsFunc(windows, func(w lifecycle.Window) bool { _, ok := w.Estimate[metric]; return ok })
	v.Quality = template.HTML(qualityChart(m, windows, metric).SVG())
	v.Drift = template.HTML(driftChart(m, windows).SVG())
	for _, w := range slices.Backward(windows[max(0, len(windows)-shownWindows):]) {
		row := windowView{Window: w, Worst: worst(w)}
		if value, ok := w.Quality[metric]; ok && w.Matured {
			row.Value = &value
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// newest keeps the last report of each window: a matured one replaces the first.
func newest(reports []lifecycle.Window) []lifecycle.Window {
	var windows []lifecycle.Window
	at := map[string]int{}
	for _, w := range reports {
		if i, ok := at[w.ID]; ok {
			windows[i] = w
			continue
		}
		at[w.ID] = len(windows)
		windows = append(windows, w)
	}
	slices.SortStableFunc(windows, func(a, b lifecycle.Window) int { return a.To.Compare(b.To) })
	return windows
}

// watchedMetric is the metric whose fall the model file watches for or, if it
// watches none, the one that selects candidates.
func watchedMetric(s lifecycle.Spec) string {
	if len(s.Watch.Quality) > 0 {
		return s.Watch.Quality[0].Metric
	}
	return s.Training.Select.Metric
}

// base is what both charts share, so that they can be read together.
func base(m lifecycle.ModelState, windows []lifecycle.Window, title string) plot.Timeline {
	c := plot.Timeline{Title: title, From: windows[0].From, To: windows[len(windows)-1].To}
	for _, w := range windows {
		if w.From.Before(c.From) {
			c.From = w.From
		}
	}
	for _, r := range m.Releases {
		if !r.Served.IsZero() {
			c.Markers = append(c.Markers, plot.Marker{At: r.Served, Label: lifecycle.Variant(r.Number)})
		}
	}
	return c
}

func qualityChart(m lifecycle.ModelState, windows []lifecycle.Window, metric string) plot.Timeline {
	c := base(m, windows, metric+" of the windows whose ground truth has matured")
	truth, estimate := plot.Series{Name: "measured"}, plot.Series{Name: "estimated", Dashed: true}
	for _, w := range windows {
		if v, ok := w.Quality[metric]; ok && w.Matured {
			truth.Points = append(truth.Points, plot.Point{At: w.To, Value: v, Mark: markOf(w, lifecycle.CauseQuality),
				Label: fmt.Sprintf("%s %s by ground truth, window %s to %s, %s rows", metric, figure(v), w.ID, w.To.UTC().Format("15:04:05"), count(w.Rows))})
		}
		if v, ok := w.Estimate[metric]; ok {
			estimate.Points = append(estimate.Points, plot.Point{At: w.To, Value: v,
				Label: fmt.Sprintf("%s %s estimated from scores, window %s", metric, figure(v), w.ID)})
		}
	}
	c.Series = []plot.Series{truth, estimate}
	for _, q := range m.Spec.Watch.Quality {
		if q.Metric != metric {
			continue
		}
		if q.Min != nil {
			c.Limits = append(c.Limits, plot.Limit{Value: *q.Min, Label: fmt.Sprintf("at least %g", *q.Min)})
		}
		if q.Max != nil {
			c.Limits = append(c.Limits, plot.Limit{Value: *q.Max, Label: fmt.Sprintf("at most %g", *q.Max)})
		}
	}
	return c
}

// markOf shows what a window's findings of one cause came to.
func markOf(w lifecycle.Window, cause lifecycle.Cause) plot.Mark {
	mark := plot.Circle
	for _, f := range w.Findings {
		switch {
		case f.Cause != cause:
		case f.Outcome == lifecycle.Failed:
			return plot.Square
		case f.Outcome != lifecycle.Pass:
			mark = plot.Triangle
		}
	}
	return mark
}

func driftChart(m lifecycle.ModelState, windows []lifecycle.Window) plot.Timeline {
	c := base(m, windows, "largest population stability index of any column")
	c.Zero = true
	c.Limits = []plot.Limit{{Value: psiWatch, Label: "watch 0.1"}, {Value: psiAct, Label: "act 0.2"}}
	drift := plot.Series{Name: "drift"}
	for _, w := range windows {
		d := worst(w)
		if d == nil {
			continue
		}
		mark := map[string]plot.Mark{"watch": plot.Triangle, "inconclusive": plot.Triangle, "act": plot.Square}[d.Level]
		drift.Points = append(drift.Points, plot.Point{At: w.To, Value: d.Value, Mark: mark,
			Label: fmt.Sprintf("PSI %s of %s, window %s to %s", figure(d.Value), d.Column, w.ID, w.To.UTC().Format("15:04:05"))})
	}
	c.Series = []plot.Series{drift}
	return c
}

// worst is the column with the largest population stability index, or nil.
func worst(w lifecycle.Window) *lifecycle.Drift {
	var found *lifecycle.Drift
	for i, d := range w.Drift {
		if strings.EqualFold(d.Measure, "psi") && (found == nil || d.Value > found.Value) {
			found = &w.Drift[i]
		}
	}
	return found
}
