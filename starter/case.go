package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"steward/internal/apiclient"
	"steward/internal/lifecycle"
)

// showCase writes all that a decision rests on.
func showCase(w io.Writer, v apiclient.Release) {
	r := v.Release
	fmt.Fprintf(w, "release %d of %s, %s: %s (by %s)\n", r.Number, r.Model, r.Trigger.Cause, r.Trigger.Reason, r.Trigger.Author)
	if r.Snapshot != nil {
		fmt.Fprintf(w, "data: %d rows in %d files, %s to %s (%s)\n", r.Snapshot.Rows, r.Snapshot.Files,
			r.Snapshot.From.Format("2006-01-02"), r.Snapshot.To.Format("2006-01-02"), r.Snapshot.Digest)
	}
	showMetrics(w, r)
	showSlices(w, r)
	showGates(w, r)
	for _, c := range r.Checks {
		switch {
		case c.Inconclusive:
			fmt.Fprintf(w, "data check %s is inconclusive: %s\n", c.Name, c.Observed)
		case !c.Pass:
			fmt.Fprintf(w, "data check %s did not pass: %s, expected %s\n", c.Name, c.Observed, c.Expected)
		}
	}
	if r.Cost > 0 {
		fmt.Fprintf(w, "cost so far: %s\n", lifecycle.Money(r.Cost))
	}
	if r.Evidence != nil {
		fmt.Fprintf(w, "evidence: %s\n", r.Evidence.Digest)
	}
	if o := v.Rollout; o != nil && o.Awaiting != "" {
		fmt.Fprintf(w, "the rollout waits: %s\n", o.Awaiting)
	}
}

// showMetrics compares the winner with the champion on the same rows.
func showMetrics(w io.Writer, r lifecycle.ReleaseState) {
	if r.Test == nil {
		return
	}
	deltas := map[string]lifecycle.Comparison{}
	for _, c := range r.Comparison {
		deltas[c.Metric] = c
	}
	rows := [][]string{{"METRIC", r.Winner, "CHAMPION", "DIFFERENCE"}}
	for _, name := range slices.Sorted(maps.Keys(r.Test.Metrics)) {
		if name == "rows" { // said above
			continue
		}
		row := []string{name, fmt.Sprintf("%.4f", r.Test.Metrics[name]), "-", "-"}
		if r.Champion != nil {
			if v, ok := r.Champion.Metrics[name]; ok {
				row[2] = fmt.Sprintf("%.4f", v)
			}
		}
		if c, ok := deltas[name]; ok {
			row[3] = fmt.Sprintf("%+.4f (%.0f %% interval %+.4f to %+.4f, %s)", c.Delta, 100*c.Confidence, c.Low, c.High, c.Method)
		}
		rows = append(rows, row)
	}
	fmt.Fprintf(w, "\non %d held-out rows:\n", r.Test.Rows)
	table(w, rows)
}

// worstSlices is how many of the weakest slices are shown.
const worstSlices = 5

// showSlices shows where the model is weakest; larger is better for the metrics
// that are sliced most, and the evidence has them all.
func showSlices(w io.Writer, r lifecycle.ReleaseState) {
	if r.Test == nil || len(r.Test.Slices) == 0 {
		return
	}
	var defined []lifecycle.Slice
	for _, s := range r.Test.Slices {
		if s.Undefined == "" {
			defined = append(defined, s)
		}
	}
	slices.SortFunc(defined, func(a, b lifecycle.Slice) int {
		switch {
		case a.Result < b.Result:
			return -1
		case a.Result > b.Result:
			return 1
		}
		return 0
	})
	rows := [][]string{{"LOWEST SLICES", "METRIC", "RESULT", "ROWS"}}
	for _, s := range defined[:min(worstSlices, len(defined))] {
		rows = append(rows, []string{s.Column + "=" + s.Value, s.Metric, fmt.Sprintf("%.4f", s.Result), fmt.Sprint(s.Rows)})
	}
	fmt.Fprintln(w)
	table(w, rows)
}

func showGates(w io.Writer, r lifecycle.ReleaseState) {
	rows := [][]string{{"GATE", "OUTCOME", "DETAIL"}}
	for _, v := range r.Verdicts {
		rows = append(rows, []string{v.Gate, string(v.Outcome), v.Detail})
	}
	fmt.Fprintln(w)
	table(w, rows)
	fmt.Fprintln(w)
}

// showAnswer says what became of a decision: one that does not count is said so.
func showAnswer(w io.Writer, r lifecycle.ReleaseState) {
	if n := len(r.Decisions); n > 0 {
		switch d := r.Decisions[n-1]; {
		case !d.Counted && d.Note != "":
			fmt.Fprintf(w, "recorded, but it does not count: %s\n", d.Note)
			return
		case !d.Approve:
			fmt.Fprintf(w, "recorded: release %d is rejected\n", r.Number)
			return
		}
	}
	if len(r.Awaiting) == 0 {
		fmt.Fprintf(w, "recorded; everybody who must agree has: release %d is rolled out now\n", r.Number)
		return
	}
	for _, awaited := range r.Awaiting {
		fmt.Fprintf(w, "recorded; release %d still waits for %d %s\n", r.Number, awaited.Count, awaited.Role)
	}
}
