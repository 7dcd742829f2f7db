package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
	"steward/internal/policy"
)

// listen opens the release to questions, decisions and cancellation.
func (r *release) listen(ctx workflow.Context) error {
	err := workflow.SetQueryHandler(ctx, lifecycle.StateQuery, func() (lifecycle.ReleaseState, error) { return r.state, nil })
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, lifecycle.DecideUpdate, r.decide,
		workflow.UpdateHandlerOptions{Validator: r.mayDecide, Description: "a person's signed approval or rejection"})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, lifecycle.CancelUpdate, r.stop,
		workflow.UpdateHandlerOptions{Validator: r.mayStop, Description: "stop the release and remove what it made"})
	if err != nil {
		return err
	}
	on(ctx, r.inbox, lifecycle.DecideSignal, r.hear)
	on(ctx, r.inbox, lifecycle.CancelSignal, r.heed)
	r.inbox.open(ctx)
	return nil
}

// hear takes a decision that a machine passes on by signal. It ends in the same
// function as those that people send; a signal cannot be refused, so one that
// may not count is recorded as such.
func (r *release) hear(ctx workflow.Context, d lifecycle.Decision) {
	err := r.mayDecide(d)
	if err != nil {
		d.Counted, d.Note = false, lifecycle.ProblemOf(err).Message
		err = r.recordDecision(ctx, d)
	} else {
		_, err = r.decide(ctx, d)
	}
	if err != nil {
		r.log.Error("a decision was not taken", "subject", d.Subject, "error", err)
	}
}

// mayDecide refuses, before it enters history, an answer that cannot count.
func (r *release) mayDecide(d lifecycle.Decision) error {
	if r.state.Stage != lifecycle.StageApproval {
		return lifecycle.Fail(lifecycle.Conflict, "release %d is at stage %s, not waiting for approval", r.in.Number, r.state.Stage)
	}
	if d.Model != r.in.Model.Name || d.Release != r.in.Number {
		return lifecycle.Fail(lifecycle.Invalid, "the decision is about %s release %d, this is %s release %d", d.Model, d.Release, r.in.Model.Name, r.in.Number)
	}
	if d.Digest != r.state.Evidence.Digest {
		return lifecycle.Fail(lifecycle.Conflict, "the decision is about evidence %s, the release's is %s: look at it again and decide anew", d.Digest, r.state.Evidence.Digest)
	}
	if why := policy.MayDecide(r.in.Spec.Approval, r.in.Trigger.Author, d); why != "" {
		return lifecycle.Fail(lifecycle.Denied, "%s", why)
	}
	return nil
}

// decide takes a person's answer: it counts once its signature was verified
// and the ledger has it. The same answer given twice counts once.
func (r *release) decide(ctx workflow.Context, d lifecycle.Decision) (lifecycle.ReleaseState, error) {
	if r.alreadySaid(d) {
		return r.state, nil
	}
	verified, err := call(ctx, quick, "verify the decision of "+d.Subject, records.VerifyDecision, d)
	if err != nil {
		return r.state, err
	}
	d.Counted, d.Note = verified.OK, verified.Why
	if err := r.recordDecision(ctx, d); err != nil {
		return r.state, err
	}
	if !d.Counted {
		return r.state, lifecycle.Fail(lifecycle.Denied, "the decision of %s does not count: %s", d.Subject, d.Note)
	}
	if r.state.Stage != lifecycle.StageApproval {
		return r.state, lifecycle.Fail(lifecycle.Conflict, "release %d went on to %s before the decision of %s was recorded", r.in.Number, r.state.Stage, d.Subject)
	}
	// Another handler may have taken the same answer while this one waited.
	if !r.alreadySaid(d) {
		r.state.Decisions = append(r.state.Decisions, d)
		r.state.Awaiting = r.tally().Awaiting
	}
	return r.state, nil
}

func (r *release) alreadySaid(d lifecycle.Decision) bool {
	return slices.ContainsFunc(r.state.Decisions, func(o lifecycle.Decision) bool {
		return o.Subject == d.Subject && o.Digest == d.Digest && o.Approve == d.Approve
	})
}

func (r *release) recordDecision(ctx workflow.Context, d lifecycle.Decision) error {
	word := "rejects"
	if d.Approve {
		word = "approves"
	}
	text := fmt.Sprintf("%s %s release %d: %s", d.Subject, word, r.in.Number, d.Comment)
	if !d.Counted {
		text += " (does not count: " + d.Note + ")"
	}
	return r.scribe.record(ctx, lifecycle.EntryDecided, d.Subject, text, map[string]any{
		"evidence": d.Digest, "approve": d.Approve, "counted": d.Counted, "key": d.Key})
}

func (r *release) mayStop(c lifecycle.Cancel) error {
	switch {
	case r.state.Stage.Ended() || r.state.Stage == lifecycle.StageUndo:
		return lifecycle.Fail(lifecycle.Conflict, "release %d has ended: %s", r.in.Number, r.state.Stage)
	case c.Reason == "":
		return lifecycle.Fail(lifecycle.Invalid, "cancelling release %d needs a reason", r.in.Number)
	}
	return nil
}

func (r *release) stop(ctx workflow.Context, c lifecycle.Cancel) (lifecycle.ReleaseState, error) {
	text := fmt.Sprintf("release %d cancelled by %s: %s", r.in.Number, c.By, c.Reason)
	if err := r.scribe.record(ctx, lifecycle.EntryCancelled, c.By, text, nil); err != nil {
		return r.state, err
	}
	if r.stopped == nil {
		r.stopped = &c
		r.cancel()
	}
	return r.state, nil
}

// heed notes who ends the release with its model. The model has that on record,
// and cancels the workflow next: noting it changes nothing but the words. A
// release that has its end behind it, or was cancelled by a person, keeps its own.
func (r *release) heed(_ workflow.Context, c lifecycle.Cancel) {
	if r.mayStop(c) == nil && r.stopped == nil {
		r.stopped = &c
	}
}
