package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// declared turns the model file's checks into those of the data, and reads the
// tables that they refer to.
func (d *Data) declared(ctx context.Context, checks []lifecycle.Check) ([]dataset.Check, error) {
	var out []dataset.Check
	for _, c := range checks {
		check, err := plainCheck(c)
		if err == nil && c.Refers != nil {
			check.Refers, err = d.readReference(ctx, *c.Refers)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, check)
	}
	return out, nil
}

func plainCheck(c lifecycle.Check) (dataset.Check, error) {
	out := dataset.Check{
		Column: c.Column, Type: dataset.Type(c.Type), Min: c.Min, Max: c.Max, MaxAge: c.MaxAge.Std(), MaxMissing: c.MaxMissing,
		In: c.In, Unique: c.Unique, Pattern: c.Pattern, Columns: c.Columns, Required: c.Required,
		Expression: c.Expression, Tolerate: c.Tolerate, Severity: dataset.Error,
	}
	if c.Severity == warn {
		out.Severity = dataset.Warning
	}
	if c.Rows != nil {
		out.Rows = &dataset.RowRange{Min: c.Rows.Min, Max: c.Rows.Max}
	}
	var err error
	if c.Earliest != "" {
		if out.Earliest, err = lifecycle.ParseInstant(c.Earliest); err != nil {
			return out, lifecycle.Fail(lifecycle.Invalid, "check of column %s: earliest: %v", c.Column, err)
		}
	}
	if c.Latest != "" {
		if out.Latest, err = lifecycle.ParseInstant(c.Latest); err != nil {
			return out, lifecycle.Fail(lifecycle.Invalid, "check of column %s: latest: %v", c.Column, err)
		}
	}
	return out, nil
}

// readReference reads the values of a column of another table.
func (d *Data) readReference(ctx context.Context, r lifecycle.Reference) (*dataset.ValueSet, error) {
	table := table{objects: d.Objects}
	for o, err := range d.Objects.Files(ctx, r.URI) {
		if errors.Is(err, cloud.ErrNotFound) {
			return nil, lifecycle.Fail(lifecycle.DataRejected, "check that refers to %s: the bucket does not exist", r.URI)
		}
		if err != nil {
			return nil, err
		}
		table.add(o.URI, o.URI, r.Format, nil)
	}
	if len(table.files) == 0 {
		return nil, lifecycle.Fail(lifecycle.DataRejected, "check that refers to %s: there are no files under it", r.URI)
	}
	set := dataset.NewValueSet(fmt.Sprintf("%s in %s", r.Column, r.URI))
	err := table.read(ctx, []string{r.Column}, func(b *dataset.Batch) error {
		set.Add(b, 0)
		return nil
	})
	return set, err
}

// checkedColumns are those that a release needs those that tell the
// part of a row, and those that checks name.
func checkedColumns(data lifecycle.Data, schema dataset.Schema, checks []dataset.Check) []string {
	columns, named := used(data), splitOf(data).Columns()
	for _, c := range checks {
		named = append(named, c.Reads()...)
	}
	for _, name := range named {
		if _, err := schema.Index(name); err == nil && !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	return columns
}

func resultOf(r dataset.CheckResult) lifecycle.CheckResult {
	out := lifecycle.CheckResult{
		Name: strings.TrimSpace(r.Column + " " + r.Name), Pass: r.Pass, Inconclusive: r.Inconclusive, Severity: stop,
		Observed: r.Observed, Expected: r.Expected, Violations: r.Violations, Examples: r.Examples,
	}
	if r.Severity == dataset.Warning {
		out.Severity = warn
	}
	return out
}
