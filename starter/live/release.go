package live

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"steward/internal/lifecycle"
)

// barWidth is the length of a bar for progress or traffic.
const barWidth = 20

// release shows the stages of the release under way, or of the last.
func (v View) release(now time.Time) *node {
	if v.Release == nil {
		return nil
	}
	r := v.Release.Release
	n := &node{text: fmt.Sprintf("release %d · %s: %s · by %s", r.Number, r.Trigger.Cause, r.Trigger.Reason, r.Trigger.Author)}
	end := now
	if r.Stage.Ended() {
		end = r.Ended
		n.text += " · " + string(r.Stage)
	}
	n.text += " · " + elapsed(end.Sub(r.Started))
	if r.Cost > 0 {
		n.text += " · cost " + lifecycle.Money(r.Cost)
	}
	for _, t := range r.Times {
		if !t.Stage.Ended() {
			n.below = append(n.below, v.stage(t, now))
		}
	}
	if r.Problem != nil {
		n.below = append(n.below, node{text: "✗ " + r.Problem.Error()})
	}
	return n
}

func (v View) stage(t lifecycle.StageTime, now time.Time) node {
	r := v.Release
	mark, end := "✓", t.End
	if t.End.IsZero() {
		mark, end = "▶", now
		if r.Release.Stage.Ended() {
			end = r.Release.Ended
		}
	}
	if t.Stage == failedIn(r.Release) {
		mark = "✗"
	}
	n := node{text: fmt.Sprintf("%s %-9s %6s  %s", mark, t.Stage, elapsed(end.Sub(t.Start)), v.outcome(t.Stage))}
	n.text = strings.TrimRight(n.text, " ")
	if t.End.IsZero() {
		for _, j := range r.Jobs {
			n.below = append(n.below, node{text: job(j, now)})
		}
	}
	return n
}

// failedIn is the stage in which a release went wrong, or "".
func failedIn(r lifecycle.ReleaseState) lifecycle.Stage {
	if r.Problem == nil {
		return ""
	}
	for _, t := range slices.Backward(r.Times) {
		if t.Stage != lifecycle.StageUndo && !t.Stage.Ended() {
			return t.Stage
		}
	}
	return ""
}

// job is one running cloud job with what it last said.
func job(j lifecycle.Progress, now time.Time) string {
	parts := []string{j.Job, j.Status}
	if j.Done > 0 {
		parts = append(parts, fmt.Sprintf("%s %3.0f %%", bar(j.Done, barWidth), 100*j.Done))
	}
	if f := figures(j.Metrics); f != "" {
		parts = append(parts, f)
	}
	if !j.Started.IsZero() {
		parts = append(parts, elapsed(now.Sub(j.Started)))
	}
	return strings.Join(parts, "  ")
}

// outcome is what a stage found, in a few words; "" while it has not.
func (v View) outcome(s lifecycle.Stage) string {
	r := v.Release.Release
	switch s {
	case lifecycle.StageSnapshot:
		if r.Snapshot != nil {
			return fmt.Sprintf("%d rows in %d files", r.Snapshot.Rows, r.Snapshot.Files)
		}
	case lifecycle.StageCheck:
		return checks(r.Checks)
	case lifecycle.StagePrepare:
		if p := r.Parts; p != nil {
			return fmt.Sprintf("train %d, validation %d, test %d rows", p.Train.Rows, p.Validation.Rows, p.Test.Rows)
		}
	case lifecycle.StageTrain:
		return candidates(r.Candidates)
	case lifecycle.StageEvaluate:
		if r.Test != nil {
			return r.Winner + " wins: " + figures(r.Test.Metrics, v.metrics()...)
		}
	case lifecycle.StageGates:
		return gates(r)
	case lifecycle.StageApproval:
		return decisions(r.Decisions)
	case lifecycle.StageUndo:
		return fmt.Sprintf("removed %d", len(r.Undone))
	}
	return ""
}

func checks(all []lifecycle.CheckResult) string {
	passed := 0
	for _, c := range all {
		if c.Pass {
			passed++
		}
	}
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d checks passed", passed, len(all))
}

func candidates(all []lifecycle.CandidateRun) string {
	var parts []string
	for _, c := range all {
		switch {
		case c.Problem != nil:
			parts = append(parts, c.Name+" failed: "+c.Problem.Message)
		case c.Model != nil:
			parts = append(parts, fmt.Sprintf("%s trained (%s)", c.Name, elapsed(time.Duration(c.Model.Seconds*float64(time.Second)))))
		}
	}
	return strings.Join(parts, ", ")
}

func gates(r lifecycle.ReleaseState) string {
	var parts []string
	for _, c := range r.Comparison {
		parts = append(parts, fmt.Sprintf("%s %+.4f [%+.4f, %+.4f] against the champion", c.Metric, c.Delta, c.Low, c.High))
	}
	for _, g := range r.Verdicts {
		if g.Outcome != lifecycle.Pass {
			parts = append(parts, fmt.Sprintf("%s: %s (%s)", g.Gate, g.Outcome, g.Detail))
		}
	}
	if len(r.Verdicts) > 0 && len(parts) == len(r.Comparison) {
		parts = append([]string{fmt.Sprintf("all %d passed", len(r.Verdicts))}, parts...)
	}
	return strings.Join(parts, "; ")
}

func decisions(all []lifecycle.Decision) string {
	var parts []string
	for _, d := range all {
		parts = append(parts, decision(d))
	}
	return strings.Join(parts, ", ")
}

func decision(d lifecycle.Decision) string {
	verb := "approved"
	if !d.Approve {
		verb = "rejected"
	}
	text := verb + " by " + d.Subject
	if !d.Counted {
		text += " (does not count: " + d.Note + ")"
	}
	return text
}
