package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
)

// Release takes one new version of a model from data to production. Whatever
// goes wrong, what it made is removed again in reverse order. It fails only
// when something broke; a release that people or gates turned down ends well,
// with its state saying so.
func Release(ctx workflow.Context, in lifecycle.ReleaseInput) (lifecycle.ReleaseState, error) {
	r := newRelease(ctx, in)
	if err := r.listen(ctx); err != nil {
		return r.state, err
	}
	work, cancel := workflow.WithCancel(ctx)
	r.cancel = cancel
	err := r.run(work)
	if workflow.IsContinueAsNewError(err) {
		return r.state, err
	}
	return r.close(ctx, err)
}

type release struct {
	in      lifecycle.ReleaseInput
	state   lifecycle.ReleaseState
	scribe  scribe
	log     log.Logger
	inbox   *inbox
	display display
	cancel  workflow.CancelFunc
	stopped *lifecycle.Cancel // who cancelled, once somebody has
}

// stage is one line of the runbook.
type stage struct {
	name lifecycle.Stage
	run  func(workflow.Context) error
}

// runbook is what a release does, in order.
func (r *release) runbook() []stage {
	return []stage{
		{lifecycle.StageSnapshot, r.takeSnapshot},
		{lifecycle.StageCheck, r.check},
		{lifecycle.StagePrepare, r.prepare},
		{lifecycle.StageTrain, r.train},
		{lifecycle.StageEvaluate, r.evaluate},
		{lifecycle.StageGates, r.judge},
		{lifecycle.StageRegister, r.register},
		{lifecycle.StageEvidence, r.seal},
		{lifecycle.StageApproval, r.approve},
		{lifecycle.StageRollout, r.rollout},
	}
}

func newRelease(ctx workflow.Context, in lifecycle.ReleaseInput) *release {
	r := &release{in: in, log: workflow.GetLogger(ctx), inbox: newInbox(ctx), display: display{log: workflow.GetLogger(ctx)}}
	if in.State != nil {
		r.state = *in.State
	} else {
		r.state = lifecycle.ReleaseState{
			Model: in.Model.Name, Number: in.Number, Trigger: in.Trigger, SpecDigest: in.Digest,
			Started: workflow.Now(ctx), Stage: lifecycle.StageSnapshot,
		}
	}
	r.scribe = scribe{model: in.Model.Name, release: in.Number,
		source: lifecycle.ReleaseID(in.Model.Name, in.Number), next: &r.state.Entries}
	return r
}

// run goes through the runbook from the stage that the state is at.
func (r *release) run(ctx workflow.Context) error {
	book := r.runbook()
	first := slices.IndexFunc(book, func(s stage) bool { return s.name == r.state.Stage })
	if first < 0 {
		return lifecycle.Fail(lifecycle.Invalid, "release %d: stage %q is not one of a running release", r.in.Number, r.state.Stage)
	}
	for _, s := range book[first:] {
		r.enter(ctx, s.name)
		if err := s.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// enter notes where the release stands, for the query, the UI and the search.
func (r *release) enter(ctx workflow.Context, s lifecycle.Stage) {
	now := workflow.Now(ctx)
	if n := len(r.state.Times); n > 0 && r.state.Times[n-1].End.IsZero() {
		if r.state.Times[n-1].Stage == s {
			return
		}
		r.state.Times[n-1].End = now
	}
	r.state.Stage = s
	r.state.Times = append(r.state.Times, lifecycle.StageTime{Stage: s, Start: now})
	r.show(ctx)
}

// show refreshes what the Temporal UI displays about this run.
func (r *release) show(ctx workflow.Context) {
	a := attributes{model: r.in.Model.Name, owner: r.in.Model.Team, release: r.in.Number, stage: string(r.state.Stage)}
	for i, awaited := range r.state.Awaiting {
		if i > 0 {
			a.awaiting += ", "
		}
		a.awaiting += string(awaited.Role)
	}
	r.display.show(ctx, releaseDetails(r.state, gatedMetrics(r.in.Spec)), a)
}

// close ends the release: undo what must not stay, record it, tell people and
// the model. It goes on when the release itself was cancelled.
func (r *release) close(ctx workflow.Context, err error) (lifecycle.ReleaseState, error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	end := r.endStage(err)
	if err != nil {
		r.state.Problem = r.problem(err)
		r.enter(ctx, lifecycle.StageUndo)
		if undoErr := r.undo(ctx); undoErr != nil {
			return r.state, r.scribe.stuck(ctx, r.log, r.in.Spec.Notify, fmt.Sprintf("release %d, undoing it", r.in.Number), err, undoErr)
		}
	}
	r.enter(ctx, end)
	r.state.Ended, r.state.Awaiting = workflow.Now(ctx), nil
	text := fmt.Sprintf("release %d ended: %s", r.in.Number, end)
	if r.state.Problem != nil {
		text += ": " + r.state.Problem.Message
	}
	if recErr := r.scribe.record(ctx, lifecycle.EntryEnded, lifecycle.Machine, text, typeOf(r.state.Problem)); recErr != nil {
		return r.state, recErr
	}
	r.report(ctx, end)
	r.show(ctx)
	if settleErr := r.inbox.settle(ctx); settleErr != nil {
		return r.state, settleErr
	}
	if end == lifecycle.StageFailed {
		return r.state, lifecycle.Fail(r.state.Problem.Type, "release %d: %s", r.in.Number, r.state.Problem.Message)
	}
	return r.state, nil
}

// endStage is how a release that ended with err is called.
func (r *release) endStage(err error) lifecycle.Stage {
	switch {
	case err == nil:
		return lifecycle.StageReleased
	case r.stopped != nil || temporal.IsCanceledError(err):
		return lifecycle.StageCancelled
	}
	switch lifecycle.ErrorType(err) {
	case lifecycle.GatesFailed, lifecycle.NotApproved:
		return lifecycle.StageRejected
	case lifecycle.RolledBack:
		return lifecycle.StageReturned
	case lifecycle.Cancelled:
		return lifecycle.StageCancelled
	}
	return lifecycle.StageFailed
}

func (r *release) problem(err error) *lifecycle.Problem {
	if r.stopped != nil {
		return &lifecycle.Problem{Type: lifecycle.Cancelled, Message: fmt.Sprintf("cancelled by %s: %s", r.stopped.By, r.stopped.Reason)}
	}
	return lifecycle.ProblemOf(err)
}

// report tells the model, then people. Neither can change how the release
// ended, so trouble here is logged: the ledger has it already.
func (r *release) report(ctx workflow.Context, end lifecycle.Stage) {
	ended := lifecycle.Ended{
		ID: r.scribe.source, Release: r.in.Number, Stage: end, Problem: r.state.Problem, At: r.state.Ended,
	}
	kind, text := lifecycle.NoticeReleased, fmt.Sprintf("%s release %d is in production", r.in.Model.Name, r.in.Number)
	if end == lifecycle.StageReleased {
		champion := r.asChampion()
		champion.Since = r.state.Rollout.At
		ended.Champion = &champion
	} else {
		kind, text = lifecycle.NoticeFailed, fmt.Sprintf("%s release %d: %s: %s", r.in.Model.Name, r.in.Number, end, r.state.Problem.Message)
	}
	signalModel(ctx, r.log, r.in.Model.Name, ended)
	tell(ctx, r.log, r.of(), r.in.Spec.Notify, kind, text, rolesOf(r.in.Model)...)
}

// signalModel reports an end to the model. A model that is gone needs no report.
func signalModel(ctx workflow.Context, logger log.Logger, model string, ended lifecycle.Ended) {
	err := workflow.SignalExternalWorkflow(ctx, lifecycle.ModelID(model), "", lifecycle.EndedSignal, ended).Get(ctx, nil)
	if err != nil {
		logger.Warn("the model was not told how it ended", "id", ended.ID, "error", err)
	}
}

func (r *release) of() lifecycle.Of {
	return lifecycle.Of{Model: r.in.Model.Name, Release: r.in.Number}
}
