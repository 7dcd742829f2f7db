package workflows

import (
	"fmt"
	"time"

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
	text := fmt.Sprintf("release %d goes to the endpoint, without traffic", r.in.Challenger.Release)
	weight := 0
	if r.in.Champion == nil {
		text, weight = fmt.Sprintf("release %d goes to a new endpoint", r.in.Challenger.Release), 100
	}
	if err := r.record(ctx, lifecycle.EntryDeploying, text); err != nil {
		return err
	}
	return r.put(ctx, "deploy "+lifecycle.Variant(r.in.Challenger.Release), deployment.Deploy, r.serve(weight))
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
	all := []lifecycle.Serve{{Champion: r.in.Challenger, Weight: 100}}
	if err := r.put(ctx, "promote "+lifecycle.Variant(r.in.Challenger.Release), deployment.Deploy, all); err != nil {
		return err
	}
	r.state.Outcome.Promoted = true
	_, err := call(ctx, job, "remove what serves no more", deployment.RemoveUnused, lifecycle.RemoveInput{Of: r.of(), Reason: "promoted"})
	if err != nil {
		r.log.Error("what serves no more was not removed; the next rollout tries again", "error", err)
	}
	return nil
}

// bake analyses the challenger's traffic until the time is over and at least
// one measurement was good.
func (r *rollout) bake(ctx workflow.Context, length time.Duration) error {
	rule := r.in.Spec.Rollout.Analysis
	begin := r.state.Steps[r.state.Step].Start
	for {
		from := workflow.Now(ctx)
		if err := r.sleep(ctx, rule.Every.Std(), "analysis every "+rule.Every.String()); err != nil {
			return err
		}
		if err := r.analyse(ctx, from); err != nil {
			return err
		}
		over := workflow.Now(ctx).Sub(begin) >= length
		switch policy.Bake(rule, r.state.Baked) {
		case policy.BakeFailed:
			return lifecycle.Fail(lifecycle.RolledBack, "analysis condemned release %d: %s", r.in.Challenger.Release, r.state.Baked[len(r.state.Baked)-1].Detail)
		case policy.BakeUnclear:
			if err := r.ask(ctx, fmt.Sprintf("%d measurements without a verdict: go on or abort", rule.MaxInconclusive), rule.Expire.Std()); err != nil {
				return err
			}
			r.state.Baked = nil
			if over {
				return nil
			}
		case policy.BakeSound:
			if over {
				r.state.Baked = nil
				return nil
			}
		}
		if r.inbox.mustContinue(ctx) {
			return r.again(ctx)
		}
	}
}

func (r *rollout) analyse(ctx workflow.Context, from time.Time) error {
	rule := r.in.Spec.Rollout.Analysis
	a, err := call(ctx, job, "analysis", deployment.Analyse, lifecycle.AnalyseInput{
		Of: r.of(), Variant: lifecycle.Variant(r.in.Challenger.Release), From: from, To: workflow.Now(ctx),
		Levels: rule.Metrics, Samples: rule.MinSamples})
	if err != nil && ctx.Err() != nil {
		return err
	}
	if err != nil {
		a = lifecycle.Analysed{At: workflow.Now(ctx), Outcome: lifecycle.Faulty, Detail: lifecycle.ProblemOf(err).Message}
	}
	r.state.Baked = append(r.state.Baked, a)
	r.state.Analyses = lastOf(append(r.state.Analyses, a), 100)
	r.show(ctx)
	if a.Outcome != lifecycle.Failed {
		return nil
	}
	return r.record(ctx, lifecycle.EntryAnalysed, fmt.Sprintf("analysis of release %d failed: %s", r.in.Challenger.Release, a.Detail))
}

// lastOf keeps the newest n.
func lastOf[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }

// ask waits for a person. Silence is an abort.
func (r *rollout) ask(ctx workflow.Context, what string, patience time.Duration) error {
	r.answer = nil
	if r.state.Awaiting == "" {
		r.state.Awaiting, r.state.Until = what, workflow.Now(ctx).Add(patience)
		tellAside(ctx, r.log, r.of(), r.in.Spec.Notify, lifecycle.NoticeDecision,
			fmt.Sprintf("%s: rollout of release %d: %s, by %s", r.in.Model.Name, r.in.Challenger.Release, what, r.state.Until.Format("2 Jan 15:04 MST")),
			string(lifecycle.Operator)+" <"+r.in.Model.Owners[lifecycle.Operator]+">")
	}
	r.show(ctx)
	answered, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      r.state.Until.Sub(workflow.Now(ctx)),
		TimerOptions: workflow.TimerOptions{Summary: what},
	}, func() bool { return r.answer != nil })
	if err != nil {
		return err
	}
	r.state.Awaiting, r.state.Until = "", time.Time{}
	if !answered {
		return lifecycle.Fail(lifecycle.RolledBack, "nobody answered in time: %s", what)
	}
	return nil
}

// sleep waits, or less if the rollout must end.
func (r *rollout) sleep(ctx workflow.Context, d time.Duration, why string) error {
	return workflow.NewTimerWithOptions(ctx, d, workflow.TimerOptions{Summary: why}).Get(ctx, nil)
}

// again continues in a new run that starts where this one stands.
func (r *rollout) again(ctx workflow.Context) error {
	r.in.State = &r.state
	return workflow.NewContinueAsNewError(ctx, lifecycle.RolloutWorkflow, r.in)
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
		if backErr := r.back(ctx); backErr != nil {
			return r.state.Outcome, stuck(fmt.Sprintf("rollout of release %d, bringing the champion back", r.in.Challenger.Release), err, backErr)
		}
	}
	r.state.Outcome.Done, r.state.Outcome.At = true, workflow.Now(ctx)
	r.state.Awaiting = ""
	r.show(ctx)
	r.report(ctx)
	return r.state.Outcome, r.inbox.settle(ctx)
}

// back gives all traffic to the champion again and removes the challenger; with
// no champion, nothing serves again.
func (r *rollout) back(ctx workflow.Context) error {
	why := r.state.Outcome.Problem.Message
	text := fmt.Sprintf("release %d is taken back: %s", r.in.Challenger.Release, why)
	if err := r.record(ctx, lifecycle.EntryReturned, text); err != nil {
		return err
	}
	if r.in.Champion == nil {
		_, err := call(ctx, job, "remove the endpoint again", deployment.Retire, lifecycle.RemoveInput{Of: r.of(), Reason: why})
		r.state.Weights, r.state.Serving = map[string]int{}, ""
		return err
	}
	champion := []lifecycle.Serve{{Champion: *r.in.Champion, Weight: 100}}
	if err := r.put(ctx, "bring "+lifecycle.Variant(r.in.Champion.Release)+" back", deployment.Deploy, champion); err != nil {
		return err
	}
	_, err := call(ctx, job, "remove the challenger", deployment.RemoveUnused, lifecycle.RemoveInput{Of: r.of(), Reason: why})
	return err
}

// report tells the model how a rollback ended; a release's own rollout is
// reported by the release.
func (r *rollout) report(ctx workflow.Context) {
	if r.in.ReportTo == "" {
		return
	}
	ended := lifecycle.Ended{ID: r.scribe.source, Release: r.in.Challenger.Release,
		Stage: lifecycle.StageFailed, Problem: r.state.Outcome.Problem, At: r.state.Outcome.At}
	if r.state.Outcome.Promoted {
		champion := r.in.Challenger
		champion.Since = r.state.Outcome.At
		ended.Stage, ended.Champion = lifecycle.StageReleased, &champion
	}
	signalModel(ctx, r.log, r.in.Model.Name, ended)
}
