package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"steward/internal/lifecycle"
)

// quality is what a champion's windows say together: the mean AUC, weighted by
// their rows, and the largest PSI of an input.
type quality struct {
	windows, rows int64
	auc           float64
	drift         lifecycle.Drift
}

func qualityOf(windows []lifecycle.Window) (q quality) {
	for _, w := range windows {
		q.windows++
		q.rows += w.Rows
		q.auc += w.Quality["auc"] * float64(w.Rows)
		for _, d := range w.Drift {
			if d.Measure == "psi" && d.Value > q.drift.Value {
				q.drift = d
			}
		}
	}
	q.auc /= float64(q.rows)
	return q
}

// summarise prints what happened and fails if any of it did not.
func (s *story) summarise(ctx context.Context, took time.Duration) error {
	m, err := s.client.Model(ctx, model)
	if err != nil {
		return err
	}
	ledger, err := s.client.Ledger(ctx, model)
	if err != nil {
		return err
	}
	if len(m.Releases) < 2 {
		return fmt.Errorf("there are %d releases, not 2", len(m.Releases))
	}
	before, after := qualityOf(matured(m.Windows, 1)), qualityOf(matured(m.Windows, 2))
	chapter(fmt.Sprintf("What happened, in %s", took.Round(time.Second)))
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "release\tserved\tapproved by\tAUC on test\tAUC on March\twindows\trows")
	for i, q := range []quality{before, after} {
		r := m.Releases[i]
		fmt.Fprintf(t, "%d\t%s\t%s\t%.3f\t%.3f\t%d\t%d\n", r.Number, served(r),
			strings.Join(r.Approvers, ", "), r.Metrics["auc"], q.auc, q.windows, q.rows)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Println()
	for _, r := range m.Releases[:2] {
		fmt.Printf("Release %d because of %s: %s.\n", r.Number, r.Trigger.Cause, r.Trigger.Reason)
	}
	fmt.Printf("Inputs hardly moved: the largest PSI was %.3f (%s), and 0.2 would act. Only ground truth showed the fall.\n",
		before.drift.Value, before.drift.Column)
	fmt.Printf("Release 2 made up for %+.3f of AUC on March. Windows are noisy: one may still miss the bound, two in a row ask for release 3.\n", after.auc-before.auc)
	fmt.Printf("The ledger has %d entries. Console: %s/models/%s  Temporal: %s\n", len(ledger), s.stack.addresses.Gateway, model, s.stack.addresses.TemporalUI)
	return verify(m, before, after)
}

// verify holds what the program itself measured and recorded against the story.
func verify(m lifecycle.ModelState, before, after quality) error {
	var missing []error
	must := func(ok bool, what string, args ...any) {
		if !ok {
			missing = append(missing, fmt.Errorf(what, args...))
		}
	}
	for _, r := range m.Releases[:2] {
		must(r.Stage == lifecycle.StageReleased, "release %d ended as %s", r.Number, r.Stage)
		must(len(r.Approvers) == 2, "release %d was approved by %v, not by two people", r.Number, r.Approvers)
	}
	must(m.Champion != nil && m.Champion.Release == 2, "release 2 does not serve")
	must(before.windows >= 2 && after.windows >= 2, "too few windows: %d before, %d after", before.windows, after.windows)
	must(after.auc > before.auc, "AUC did not recover: %.3f before, %.3f after", before.auc, after.auc)
	return errors.Join(missing...)
}

func served(r lifecycle.ReleaseSummary) string {
	const clock = "15:04:05"
	if r.Until.IsZero() {
		return r.Served.Local().Format(clock) + " –"
	}
	return r.Served.Local().Format(clock) + " – " + r.Until.Local().Format(clock)
}
