package policy

import (
	"fmt"

	"steward/internal/lifecycle"
)

// StepName is a rollout step in words, e.g. "weight 10".
func StepName(s lifecycle.Step) string {
	switch {
	case s.Smoke != nil:
		return "smoke"
	case s.Weight != nil:
		return fmt.Sprintf("weight %d", *s.Weight)
	case s.Bake != nil:
		return "bake " + s.Bake.String()
	case s.Pause != nil:
		return "pause"
	case s.Promote != nil:
		return "promote"
	}
	return "empty"
}

// Plan is the steps of a rollout as they will be taken. Before the first
// release nothing serves, so there is no traffic to split or to bake under:
// those steps are skipped and say so. Bringing an old version back takes only
// the steps that check it and move the traffic.
func Plan(steps []lifecycle.Step, first, rollback bool) []lifecycle.StepState {
	out := make([]lifecycle.StepState, len(steps))
	for i, s := range steps {
		out[i].Name = StepName(s)
		waits := s.Weight != nil || s.Bake != nil
		switch {
		case first && waits:
			out[i].Skipped = "nothing serves yet"
		case rollback && (waits || s.Pause != nil):
			out[i].Skipped = "a rollback does not wait"
		}
	}
	return out
}

// BakeVerdict is what the analyses of one bake amount to.
type BakeVerdict string

// Verdicts on a bake.
const (
	BakeOn      BakeVerdict = "on"      // go on measuring
	BakeSound   BakeVerdict = "sound"   // enough good measurements to end the bake
	BakeFailed  BakeVerdict = "failed"  // the challenger is condemned
	BakeUnclear BakeVerdict = "unclear" // too many measurements without a verdict: ask a person
)

// Count adds an analysis to a bake's tally.
func Count(t lifecycle.BakeTally, o lifecycle.Outcome) lifecycle.BakeTally {
	t.Last = o
	switch o {
	case lifecycle.Failed:
		t.Failures, t.Unclear = t.Failures+1, 0
	case lifecycle.Pass:
		t.Passes, t.Unclear = t.Passes+1, 0
	default:
		t.Unclear++
	}
	return t
}

// Bake judges the analyses made in one bake. Only fail condemns the
// challenger. Silence never passes: a bake that does not end with a pass goes
// on until there is one or a person is asked.
func Bake(rule lifecycle.Analysis, t lifecycle.BakeTally) BakeVerdict {
	switch {
	case t.Failures >= max(1, rule.MaxFailures):
		return BakeFailed
	case t.Unclear >= max(1, rule.MaxInconclusive):
		return BakeUnclear
	case t.Passes > 0 && t.Unclear == 0:
		return BakeSound
	}
	return BakeOn
}
