package live

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"steward/internal/lifecycle"
)

// rollout shows the steps and the traffic.
func (v View) rollout(now time.Time) *node {
	if v.Release == nil || v.Release.Rollout == nil {
		return nil
	}
	o := v.Release.Rollout
	n := &node{text: fmt.Sprintf("rollout of release %d", o.Release)}
	switch {
	case o.Outcome.Done && o.Outcome.Promoted:
		n.text += " · promoted"
	case o.Outcome.Done && o.Outcome.Problem != nil:
		n.text += " · rolled back: " + o.Outcome.Problem.Message
	}
	for _, s := range o.Steps {
		n.below = append(n.below, node{text: step(s, now)})
	}
	if len(o.Weights) > 0 && !o.Outcome.Done { // what it left may have changed since
		n.below = append(n.below, traffic(o.Weights))
	}
	for _, a := range o.Analyses[max(0, len(o.Analyses)-recent):] {
		n.below = append(n.below, node{text: analysis(a)})
	}
	return n
}

func step(s lifecycle.StepState, now time.Time) string {
	switch {
	case s.Skipped != "":
		return fmt.Sprintf("- %s (skipped: %s)", s.Name, s.Skipped)
	case s.Start.IsZero():
		return "· " + s.Name
	case s.End.IsZero():
		return fmt.Sprintf("▶ %s  %s", s.Name, elapsed(now.Sub(s.Start)))
	case s.Outcome == lifecycle.Pass || s.Outcome == "":
		return fmt.Sprintf("✓ %s  %s", s.Name, elapsed(s.End.Sub(s.Start)))
	}
	return fmt.Sprintf("✗ %s  %s  %s", s.Name, elapsed(s.End.Sub(s.Start)), s.Outcome)
}

func traffic(weights map[string]int) node {
	n := node{text: "traffic"}
	for _, variant := range slices.Sorted(maps.Keys(weights)) {
		share := weights[variant]
		n.below = append(n.below, node{text: fmt.Sprintf("%-4s %s %3d %%", variant, bar(float64(share)/100, barWidth), share)})
	}
	return n
}

func analysis(a lifecycle.Analysed) string {
	parts := []string{fmt.Sprintf("analysis %s %s, %d requests", a.At.Format(time.TimeOnly), a.Outcome, a.Requests)}
	for _, m := range a.Measured {
		parts = append(parts, reading(m))
	}
	if a.Detail != "" && a.Outcome != lifecycle.Pass {
		parts = append(parts, a.Detail)
	}
	return strings.Join(parts, " · ")
}

// reading is a share or a time, in the unit of its bound.
func reading(r lifecycle.Reading) string {
	if r.Max.Seconds {
		took := time.Duration(r.Value * float64(time.Second)).Round(100 * time.Microsecond)
		return fmt.Sprintf("%s %s of %s", r.Name, took, r.Max)
	}
	return fmt.Sprintf("%s %.3g of %s", r.Name, r.Value, r.Max)
}
