package activities

import (
	"context"
	"fmt"
	"math"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
	"steward/internal/stats"
)

// matched counts what was found of a window's ground truth.
type matched struct {
	Files     int   `json:"files"`
	Rows      int64 `json:"rows"`      // predictions with their truth
	Nameless  int64 `json:"nameless"`  // predictions without an inference id of their own
	Conflicts int64 `json:"conflicts"` // ids whose truth was told in different ways; the last counts
}

// predictions are a window's scores by the position at which they were read.
type predictions struct {
	scores []float64
	byID   map[string]int // index into labels
	id     []int          // of each score; −1 without an id
}

// MeasureQuality measures a window again when its ground truth has matured: the
// predictions joined by inference id with what really happened, and the rules of
// the model file on that. Too few truths, too few rows, or rows of one class
// only are an inconclusive finding. The window keeps what MeasureTraffic found.
func (m *Monitoring) MeasureQuality(ctx context.Context, in lifecycle.MeasureInput) (lifecycle.Window, error) {
	r, err := m.stored(ctx, in)
	if err != nil {
		return in.Window, err
	}
	p := predictions{byID: map[string]int{}}
	seen, err := m.readCaptured(ctx, in, p.add)
	if err != nil {
		return in.Window, cloud.Wrap(err, "window %s", in.Window.ID)
	}
	labels, counts, err := m.readTruths(ctx, in, p.byID)
	if err != nil {
		return in.Window, cloud.Wrap(err, "window %s", in.Window.ID)
	}
	scored := p.join(labels, &counts)
	r.Window, r.Traffic, r.Truth = in.Window, seen, &counts
	w := &r.Window
	w.Matured, w.Rows, w.Coverage = true, seen.Rows, float64(counts.Rows)/float64(max(1, seen.Rows))
	w.Findings = withoutQuality(w.Findings)
	var why error
	if len(scored.Label) > 0 {
		w.Quality, why = measure(in.Data.Task, scored.Score, scored.Label)
	}
	w.Findings = append(w.Findings, judgeQuality(in, *w, counts, why)...)
	return m.store(ctx, in, r)
}

func (p *predictions) add(x exchange) {
	for _, s := range x.scores {
		at := -1
		if x.id != "" {
			known := false
			if at, known = p.byID[x.id]; !known {
				at = len(p.byID)
				p.byID[x.id] = at
			}
		}
		p.scores, p.id = append(p.scores, s), append(p.id, at)
	}
}

// join pairs scores with labels, NaN being none.
func (p *predictions) join(labels []float64, counts *matched) stats.Scored {
	var out stats.Scored
	for i, at := range p.id {
		switch {
		case at < 0:
			counts.Nameless++
		case !math.IsNaN(labels[at]):
			counts.Rows++
			out.Score, out.Label = append(out.Score, p.scores[i]), append(out.Label, labels[at])
		}
	}
	return out
}

func withoutQuality(all []lifecycle.Finding) []lifecycle.Finding {
	var out []lifecycle.Finding
	for _, f := range all {
		if f.Cause != lifecycle.CauseQuality {
			out = append(out, f)
		}
	}
	return out
}

func quality(outcome lifecycle.Outcome, format string, args ...any) lifecycle.Finding {
	return lifecycle.Finding{Cause: lifecycle.CauseQuality, Outcome: outcome, Detail: fmt.Sprintf(format, args...)}
}

// judgeQuality applies the rules, if there is enough to judge by. Why says what
// kept metrics from being measured, or is nil.
func judgeQuality(in lifecycle.MeasureInput, w lifecycle.Window, counts matched, why error) []lifecycle.Finding {
	least, coverage := minRows(in.Watch), in.Data.GroundTruth.MinCoverage
	switch {
	case w.Rows == 0:
		return []lifecycle.Finding{quality(lifecycle.Inconclusive, "no request was captured: there is nothing to judge")}
	case w.Coverage < coverage:
		text := fmt.Sprintf("coverage %.3f is below %g: %d of %d predictions have their truth", w.Coverage, coverage, counts.Rows, w.Rows)
		if counts.Nameless > 0 {
			text += fmt.Sprintf("; %d have no inference id of their own", counts.Nameless)
		}
		return []lifecycle.Finding{quality(lifecycle.Inconclusive, "%s", text)}
	case why != nil && !undefined(why):
		return []lifecycle.Finding{quality(lifecycle.Faulty, "%v", why)}
	case counts.Rows < least:
		return []lifecycle.Finding{quality(lifecycle.Inconclusive, "%d predictions with their truth, fewer than the %d that are needed", counts.Rows, least)}
	}
	var out []lifecycle.Finding
	for _, rule := range in.Watch.Quality {
		out = append(out, judgeRule(rule, w, counts, why))
	}
	return out
}

func judgeRule(rule lifecycle.QualityRule, w lifecycle.Window, counts matched, why error) lifecycle.Finding {
	basis := fmt.Sprintf("%d rows, coverage %.3f", counts.Rows, w.Coverage)
	if counts.Conflicts > 0 {
		basis += fmt.Sprintf(", %d ids with contradictory truth", counts.Conflicts)
	}
	value, known := w.Quality[rule.Metric]
	switch {
	case !known && why != nil:
		return quality(lifecycle.Inconclusive, "%s is undefined: %v (%s)", rule.Metric, why, basis)
	case !known:
		return quality(lifecycle.Inconclusive, "%s is not measured for this task (%s)", rule.Metric, basis)
	case rule.Min != nil && value < *rule.Min:
		return quality(lifecycle.Failed, "%s %.4g is below %g (%s)", rule.Metric, value, *rule.Min, basis)
	case rule.Max != nil && value > *rule.Max:
		return quality(lifecycle.Failed, "%s %.4g is above %g (%s)", rule.Metric, value, *rule.Max, basis)
	}
	return quality(lifecycle.Pass, "%s %.4g is within bounds (%s)", rule.Metric, value, basis)
}
