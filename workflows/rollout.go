package workflows

import (
	"fmt"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
	"steward/internal/policy"
)

// Rollout moves an endpoint's traffic to the challenger, step by step. A
// breach, an alert, an abort or a cancellation at any step brings the champion
// back at once. It always ends with an outcome; it fails only when it could not
// bring the endpoint into a known state.
func Rollout(ctx workflow.Context, in lifecycle.RolloutInput) (lifecycle.RolloutOutcome, error) {
	r := newRollout(ctx, in)
	if err := r.listen(ctx); err != nil {
		return r.state.Outcome, err
	}
	steps, halt := workflow.WithCancel(ctx)
	r.halt = halt
	err := r.run(steps)
	if workflow.IsContinueAsNewError(err) {
		return r.state.Outcome, err
	}
	return r.close(ctx, err)
}

type rollout struct {
	in      lifecycle.RolloutInput
	state   lifecycle.RolloutState
	scribe  scribe
	log     log.Logger
	inbox   *inbox
	display display
	halt    workflow.CancelFunc
	breach  error                      // why it must end, once something says so
	answer  *lifecycle.RolloutDecision // a person's, at a pause
}

func newRollout(ctx workflow.Context, in lifecycle.RolloutInput) *rollout {
	r := &rollout{in: in, log: workflow.GetLogger(ctx), inbox: newInbox(ctx), display: display{log: workflow.GetLogger(ctx)}}
	if in.State != nil {
		r.state = *in.State
	} else {
		r.state = lifecycle.RolloutState{
			Model: in.Model.Name, Release: in.Challenger.Release, Weights: map[string]int{},
			Steps: policy.Plan(in.Spec.Rollout.Steps, in.Champion == nil, in.Rollback != ""),
		}
	}
	r.scribe = scribe{model: in.Model.Name, release: in.Challenger.Release,
		source: workflow.GetInfo(ctx).WorkflowExecution.ID, next: &r.state.Entries}
	return r
}

// run deploys the challenger without traffic and takes the steps.
func (r *rollout) run(ctx workflow.Context) error {
	if r.state.Serving == "" {
		if err := r.deploy(ctx); err != nil {
			return err
		}
	}
	for r.state.Step < len(r.state.Steps) {
		if err := r.take(ctx, r.in.Spec.Rollout.Steps[r.state.Step]); err != nil {
			return err
		}
		r.state.Step++
	}
	return nil
}

// take does one step and notes how it went.
func (r *rollout) take(ctx workflow.Context, s lifecycle.Step) error {
	now := &r.state.Steps[r.state.Step]
	if now.Skipped != "" {
		return nil
	}
	if now.Start.IsZero() {
		now.Start = workflow.Now(ctx)
	}
	r.show(ctx)
	err := r.step(ctx, s)
	if workflow.IsContinueAsNewError(err) {
		return err
	}
	now.Outcome, now.End = lifecycle.Pass, workflow.Now(ctx)
	if err != nil {
		now.Outcome = lifecycle.Failed
	}
	r.show(ctx)
	return err
}

func (r *rollout) step(ctx workflow.Context, s lifecycle.Step) error {
	switch {
	case s.Smoke != nil:
		return r.smoke(ctx, s.Smoke.Rows)
	case s.Weight != nil:
		return r.weigh(ctx, *s.Weight)
	case s.Bake != nil:
		return r.bake(ctx, s.Bake.Std())
	case s.Pause != nil:
		return r.ask(ctx, "promote or abort", s.Pause.Expire.Std())
	case s.Promote != nil:
		return r.promote(ctx)
	}
	return lifecycle.Fail(lifecycle.Invalid, "rollout step %d is empty", r.state.Step+1)
}

func (r *rollout) deploy(ctx workflow.Context) error {
	text, want := fmt.Sprintf("release %d goes to the endpoint, without traffic", r.in.Challenger.Release), r.serve(0)
	switch {
	case r.in.Champion == nil:
		text, want = fmt.Sprintf("release %d goes to a new endpoint", r.in.Challenger.Release), r.serve(100)
	case r.in.Rollback != "":
		// The version that is left may be the one that cannot start any more.
		text, want = fmt.Sprintf("release %d takes all traffic back", r.in.Challenger.Release), r.alone()
	}
	if err := r.record(ctx, lifecycle.EntryDeploying, text); err != nil {
		return err
	}
	return r.put(ctx, "deploy "+lifecycle.Variant(r.in.Challenger.Release), deployment.Deploy, want)
}

// alone is all traffic to the challenger.
func (r *rollout) alone() []lifecycle.Serve {
	return []lifecycle.Serve{{Champion: r.in.Challenger, Weight: 100}}
}

// serve is the wanted traffic: weight percent to the challenger, the rest to
// the champion, if there is one.
func (r *rollout) serve(weight int) []lifecycle.Serve {
	out := []lifecycle.Serve{}
	if r.in.Champion != nil {
		out = append(out, lifecycle.Serve{Champion: *r.in.Champion, Weight: 100 - weight})
	}
	return append(out, lifecycle.Serve{Champion: r.in.Challenger, Weight: weight})
}

func (r *rollout) smoke(ctx workflow.Context, rows int) error {
	c := r.in.Challenger
	return do(ctx, job, "smoke test", deployment.Smoke, lifecycle.SmokeInput{
		Of: r.of(), Variant: lifecycle.Variant(c.Release), Rows: rows, Part: c.Parts.Test, Scores: c.Test.Scores})
}

func (r *rollout) weigh(ctx workflow.Context, percent int) error {
	if err := r.record(ctx, lifecycle.EntryWeights, fmt.Sprintf("release %d gets %d %% of the traffic", r.in.Challenger.Release, percent)); err != nil {
		return err
	}
	return r.put(ctx, fmt.Sprintf("weight %d %%", percent), deployment.SetWeights, r.serve(percent))
}

// promote gives the challenger everything. The old version goes only after
// that was confirmed.
func (r *rollout) promote(ctx workflow.Context) error {
	if err := r.record(ctx, lifecycle.EntryPromoted, fmt.Sprintf("release %d becomes champion", r.in.Challenger.Release)); err != nil {
		return err
	}
	if err := r.put(ctx, "promote "+lifecycle.Variant(r.in.Challenger.Release), deployment.Deploy, r.alone()); err != nil {
		return err
	}
	r.state.Outcome.Promoted = true
	if err := r.clean(ctx, "promoted"); err != nil {
		r.log.Error("what serves no more was not removed; the next rollout tries again", "error", err)
	}
	return nil
}

// clean removes the models and configurations that serve no more.
func (r *rollout) clean(ctx workflow.Context, why string) error {
	if err := r.record(ctx, lifecycle.EntryCleaned, "removing what serves no more: "+why); err != nil {
		return err
	}
	_, err := call(ctx, job, "remove what serves no more", deployment.RemoveUnused, lifecycle.RemoveInput{Of: r.of(), Reason: why})
	return err
}

// close notes the outcome and, if the challenger did not make it, brings the
// champion back.
func (r *rollout) close(ctx workflow.Context, err error) (lifecycle.RolloutOutcome, error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	if r.breach != nil && !r.state.Outcome.Promoted {
		err = r.breach
	}
	if err != nil && !r.state.Outcome.Promoted {
		r.state.Outcome.Problem = lifecycle.ProblemOf(err)
		if backErr := r.back(ctx, lifecycle.ErrorType(err)); backErr != nil {
			return r.state.Outcome, r.scribe.stuck(ctx, r.log, r.in.Spec.Notify,
				fmt.Sprintf("rollout of release %d, bringing the champion back", r.in.Challenger.Release), err, backErr)
		}
	}
	r.state.Outcome.Done, r.state.Outcome.At = true, workflow.Now(ctx)
	r.state.Awaiting = ""
	r.show(ctx)
	r.report(ctx)
	return r.state.Outcome, r.inbox.settle(ctx)
}
