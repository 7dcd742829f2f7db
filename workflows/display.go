package workflows

import (
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
)

// display is what the Temporal UI shows of a run, and by which lists find it.
type display struct {
	log   log.Logger
	shown attributes
	found bool // shown was set once
}

// attributes are the search attributes of a run.
type attributes struct {
	model, owner, stage, health, awaiting string
	release                               int
}

// show refreshes the details page, and the search attributes if they changed:
// each change is an event in the history.
func (d *display) show(ctx workflow.Context, details string, a attributes) {
	workflow.SetCurrentDetails(ctx, details)
	if d.found && a == d.shown {
		return
	}
	d.shown, d.found = a, true
	updates := []temporal.SearchAttributeUpdate{
		lifecycle.AttrModel.ValueSet(a.model), lifecycle.AttrOwner.ValueSet(a.owner),
		lifecycle.AttrStage.ValueSet(a.stage), lifecycle.AttrRelease.ValueSet(int64(a.release)),
		lifecycle.AttrAwaiting.ValueSet(a.awaiting), lifecycle.AttrHealth.ValueSet(a.health),
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, updates...); err != nil {
		d.log.Warn("search attributes were not set", "error", err)
	}
}
