package workflows

import (
	"fmt"

	"go.temporal.io/sdk/log"
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

// typeOf is a problem's type as an entry's data, or none.
func typeOf(p *lifecycle.Problem) map[string]any {
	if p == nil {
		return nil
	}
	return map[string]any{"type": p.Type}
}

// stuck records and tells that a clean-up failed, and returns it as an error of
// the clean-up's type: that is what a person must mend.
func (s scribe) stuck(ctx workflow.Context, logger log.Logger, to lifecycle.Notify, doing string, first, then error) error {
	p := lifecycle.ProblemOf(then)
	text := fmt.Sprintf("%s: %s (after %s)", doing, p.Message, lifecycle.ProblemOf(first).Message)
	if err := s.record(ctx, lifecycle.EntryStuck, lifecycle.Machine, text, typeOf(p)); err != nil {
		logger.Error("a failed clean-up was not recorded", "error", err)
	}
	tell(ctx, logger, lifecycle.Of{Model: s.model, Release: s.release}, to, lifecycle.NoticeFailed, s.model+": "+text, string(lifecycle.Operator))
	return lifecycle.Fail(p.Type, "%s", text)
}
