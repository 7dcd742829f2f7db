package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
)

// scribe writes a workflow's entries to the model's ledger. Entries are
// numbered within the workflow, so that a retried write is known as such.
type scribe struct {
	model   string
	release int
	source  string // distinguishes the workflows that write about one release
	next    *int   // in the workflow's state, so that it survives a new run
}

// record appends an entry. What it announces may be done only if it returns nil.
func (s scribe) record(ctx workflow.Context, kind, actor, text string, data map[string]any) error {
	*s.next++
	return do(ctx, quick, kind, records.Record, lifecycle.Entry{
		ID:    fmt.Sprintf("%s/%d", s.source, *s.next),
		Model: s.model, Release: s.release, At: workflow.Now(ctx),
		Kind: kind, Actor: actor, Text: text, Data: data,
	})
}
