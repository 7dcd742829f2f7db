package workflows

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"steward/internal/lifecycle"
)

// releaseDetails is the release's page in the Temporal UI, in Markdown.
func releaseDetails(s lifecycle.ReleaseState, metrics []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s release %d: %s\n", s.Model, s.Number, s.Stage)
	fmt.Fprintf(&b, "Why: **%s**, %s (%s)\n\n", s.Trigger.Cause, s.Trigger.Reason, s.Trigger.Author)
	if s.Snapshot != nil {
		fmt.Fprintf(&b, "- data: %d rows, `%s`\n", s.Snapshot.Rows, short(s.Snapshot.Digest))
	}
	for _, c := range s.Candidates {
		fmt.Fprintf(&b, "- candidate %s: %s\n", c.Name, candidateStatus(c, s.Winner, metrics))
	}
	if s.Test != nil {
		fmt.Fprintf(&b, "- test: %s\n", metricLine(s.Test.Metrics, metrics))
	}
	for _, v := range s.Verdicts {
		fmt.Fprintf(&b, "- gate %s: **%s** (%s)\n", v.Gate, v.Outcome, v.Detail)
	}
	if s.Evidence != nil {
		fmt.Fprintf(&b, "- evidence: `%s`\n", short(s.Evidence.Digest))
	}
	for _, a := range s.Awaiting {
		fmt.Fprintf(&b, "- **waiting for %d %s**, until %s\n", a.Count, a.Role, s.ApproveBy.Format("2 Jan 2006 15:04 MST"))
	}
	for _, d := range s.Decisions {
		fmt.Fprintf(&b, "- %s: approve=%t %s\n", d.Subject, d.Approve, d.Comment)
	}
	if s.Problem != nil {
		fmt.Fprintf(&b, "- **%s**: %s\n", s.Problem.Type, s.Problem.Message)
	}
	for _, u := range s.Undone {
		fmt.Fprintf(&b, "- undone: %s\n", u)
	}
	return b.String()
}

func candidateStatus(c lifecycle.CandidateRun, winner string, metrics []string) string {
	switch {
	case c.Problem != nil:
		return "out: " + c.Problem.Message
	case c.Validation != nil && c.Name == winner:
		return "**winner**, validation " + metricLine(c.Validation.Metrics, metrics)
	case c.Validation != nil:
		return "validation " + metricLine(c.Validation.Metrics, metrics)
	case c.Model != nil:
		return fmt.Sprintf("trained in %.0f s", c.Model.Seconds)
	}
	return "job `" + c.Job + "`"
}

// metricLine shows those metrics that the model file judges by.
func metricLine(m map[string]float64, names []string) string {
	var out []string
	for _, k := range names {
		if v, ok := m[k]; ok {
			out = append(out, fmt.Sprintf("%s %.4f", k, v))
		}
	}
	return strings.Join(out, ", ")
}

// short is a digest that a person can compare at a glance.
func short(digest string) string {
	return digest[:min(len(digest), len("sha256:")+12)]
}

func rolloutDetails(s lifecycle.RolloutState) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s: release %d takes over\n", s.Model, s.Release)
	for i, step := range s.Steps {
		mark := " "
		switch {
		case step.Skipped != "":
			mark = "skipped: " + step.Skipped
		case step.Outcome != "":
			mark = string(step.Outcome)
		case i == s.Step:
			mark = "**now**"
		}
		fmt.Fprintf(&b, "1. %s %s\n", step.Name, mark)
	}
	for _, variant := range slices.Sorted(maps.Keys(s.Weights)) {
		fmt.Fprintf(&b, "- %s gets %d %%\n", variant, s.Weights[variant])
	}
	if n := len(s.Analyses); n > 0 {
		fmt.Fprintf(&b, "- last analysis: %s on %d requests %s\n", s.Analyses[n-1].Outcome, s.Analyses[n-1].Requests, s.Analyses[n-1].Detail)
	}
	if s.Awaiting != "" {
		fmt.Fprintf(&b, "- **waiting: %s**, until %s\n", s.Awaiting, s.Until.Format("2 Jan 15:04 MST"))
	}
	if s.Outcome.Problem != nil {
		fmt.Fprintf(&b, "- **%s**: %s\n", s.Outcome.Problem.Type, s.Outcome.Problem.Message)
	}
	return b.String()
}

func watchDetails(s lifecycle.WatchState) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s: watching release %d\n", s.Model.Name, s.Champion.Release)
	if s.Paused {
		b.WriteString("**paused**\n")
	}
	fmt.Fprintf(&b, "next window closes %s; %d wait for ground truth\n\n", s.Next.Format("15:04:05 MST"), len(s.Windows))
	for _, w := range slices.Backward(s.Recent) {
		fmt.Fprintf(&b, "- %s: %d rows, %s", w.To.Format("15:04:05"), w.Rows, metricLine(w.Quality, judged(s.Spec.Watch.Quality)))
		for _, f := range w.Findings {
			fmt.Fprintf(&b, "; %s %s (%s)", f.Cause, f.Outcome, f.Detail)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func judged(rules []lifecycle.QualityRule) []string {
	var out []string
	for _, r := range rules {
		out = append(out, r.Metric)
	}
	return out
}

func modelDetails(s lifecycle.ModelState) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s (%s): %s\n%s\n\n", s.Model.Name, s.Model.Team, s.Health, s.Spec.Objective.Statement)
	if s.Champion != nil {
		fmt.Fprintf(&b, "- release %d serves since %s\n", s.Champion.Release, s.Champion.Since.Format("2 Jan 2006 15:04 MST"))
		if r := s.Restored; r != nil {
			fmt.Fprintf(&b, "- %s\n", r)
		}
	}
	if s.InFlight != nil {
		fmt.Fprintf(&b, "- under way: `%s`\n", s.InFlight.Workflow)
	}
	for _, t := range s.Pending {
		fmt.Fprintf(&b, "- noted: %s, %s\n", t.Cause, t.Reason)
	}
	if s.Paused != "" {
		fmt.Fprintf(&b, "- **paused**: %s\n", s.Paused)
	}
	for _, r := range slices.Backward(s.Releases) {
		fmt.Fprintf(&b, "- release %d (%s): %s\n", r.Number, r.Trigger.Cause, r.Stage)
	}
	return b.String()
}
