package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// Severities of a check.
const (
	stop = "stop"
	warn = "warn"
)

// CheckSnapshot runs the declared checks over a snapshot and, before them,
// those that every release needs: label, id and time are there for every row,
// no id stands twice, a binary label is 0 or 1, times are sane, and the guards
// against leakage (see guards). A label of one class only is lifecycle.DataRejected: no model
// can be trained on it. A check that the data's columns do not allow is
// lifecycle.Invalid.
func (d *Data) CheckSnapshot(ctx context.Context, in lifecycle.CheckInput) ([]lifecycle.CheckResult, error) {
	m, err := d.readManifest(ctx, in.Snapshot)
	if err != nil {
		return nil, err
	}
	checks, err := d.declared(ctx, in.Data.Checks)
	if err != nil {
		return nil, err
	}
	imported, unchecked, err := d.imported(ctx, in.Data.Constraints, m.Columns)
	if err != nil {
		return nil, err
	}
	checks = append(checks, imported...)
	at := in.At
	if at.IsZero() {
		at = time.Now() // a release that began before the workflow said when
	}
	checker, err := dataset.NewChecker(m.Columns, slices.Concat(needed(in.Data, m.Columns), checks), at)
	if err != nil {
		return nil, lifecycle.Fail(lifecycle.Invalid, "data checks: %v", err)
	}
	checker.IdentifyBy(in.Data.ID)
	label := newLabelCheck(in.Data, m.Columns)
	splitter, unsplit := d.planSplit(ctx, m, in.Data)
	if unsplit != nil && lifecycle.ErrorType(unsplit) != lifecycle.DataRejected {
		return nil, unsplit
	}
	guards := newGuards(in.Data, m.Columns, splitter, unsplit)
	err = d.readSnapshot(ctx, m, checkedColumns(in.Data, m.Columns, checks), func(b *dataset.Batch) error {
		for _, add := range []func(*dataset.Batch) error{label.add, guards.add, checker.Add} {
			if err := add(b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := label.oneClass(); err != nil {
		return nil, err
	}
	results := append(guards.results(label.suspects), timesCheck(in.Snapshot, in.Data, at))
	for _, r := range checker.Report().Checks {
		results = append(results, resultOf(r))
	}
	return append(results, unchecked...), nil
}

// needed are the checks that every release needs.
func needed(data lifecycle.Data, schema dataset.Schema) []dataset.Check {
	none := 0.0
	checks := []dataset.Check{
		{Column: data.Label, MaxMissing: &none},
		{Column: data.Time, MaxMissing: &none},
		{Column: data.ID, MaxMissing: &none, Unique: true},
	}
	if f, err := schema.Field(data.Label); data.Task == lifecycle.Binary && err == nil && f.Type != dataset.Bool {
		checks = append(checks, dataset.Check{Column: data.Label, In: []string{"0", "1"}})
	}
	return checks
}

// earliest is the first instant that an event is believed to have happened at:
// an earlier one is nearly always a wrong unit or a placeholder.
var earliest = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// timesCheck accepts times up to a day ahead of now, for clocks and time zones.
func timesCheck(s lifecycle.Snapshot, data lifecycle.Data, now time.Time) lifecycle.CheckResult {
	newest := now.UTC().Add(24 * time.Hour)
	return lifecycle.CheckResult{
		Name: data.Time + " range", Severity: stop,
		Pass:     !s.From.Before(earliest) && !s.To.After(newest),
		Observed: fmt.Sprintf("%s to %s", s.From.Format(time.RFC3339), s.To.Format(time.RFC3339)),
		Expected: fmt.Sprintf("%s or later, not in the future", earliest.Format(time.RFC3339)),
	}
}
