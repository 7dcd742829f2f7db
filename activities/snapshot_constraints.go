package activities

import (
	"context"
	"errors"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// imported are the checks of a Model Monitor's constraints.json, and what it
// states that no check covers: that is told, since a constraint that nobody
// holds is no pass.
func (d *Data) imported(ctx context.Context, c *lifecycle.Constraints, schema dataset.Schema) ([]dataset.Check, []lifecycle.CheckResult, error) {
	if c == nil {
		return nil, nil, nil
	}
	raw, err := d.Objects.Get(ctx, c.URI)
	if errors.Is(err, cloud.ErrNotFound) {
		return nil, nil, lifecycle.Fail(lifecycle.Invalid, "data.constraints: there is no %s: correct the address, or have Model Monitor suggest a baseline", c.URI)
	}
	if err != nil {
		return nil, nil, err
	}
	read, err := dataset.ReadConstraints(raw)
	if err != nil {
		return nil, nil, lifecycle.Fail(lifecycle.Invalid, "data.constraints: %s: %v", c.URI, err)
	}
	severity := dataset.Error
	if c.Severity == warn {
		severity = dataset.Warning
	}
	var unchecked []lifecycle.CheckResult
	if left := read.Unchecked(); left != "" {
		unchecked = append(unchecked, lifecycle.CheckResult{
			Name: "constraints", Severity: warn, Inconclusive: true, Observed: "not imported: " + left, Expected: "what " + c.URI + " states",
		})
	}
	return read.For(schema, severity), unchecked, nil
}
