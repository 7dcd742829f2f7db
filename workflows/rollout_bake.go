package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
	"steward/internal/policy"
)

// bake analyses the challenger's traffic until the time is over and the last
// measurement was good.
func (r *rollout) bake(ctx workflow.Context, length time.Duration) error {
	rule := r.in.Spec.Rollout.Analysis
	begin := r.state.Steps[r.state.Step].Start
	if r.state.Analysed.Before(begin) {
		r.state.Analysed, r.state.Bake = begin, lifecycle.BakeTally{}
	}
	for {
		if err := r.sleep(ctx, rule.Every.Std(), "analysis every "+rule.Every.String()); err != nil {
			return err
		}
		verdict, err := r.analyse(ctx)
		if err != nil {
			return err
		}
		over := workflow.Now(ctx).Sub(begin) >= length
		if verdict == policy.BakeUnclear {
			if err := r.ask(ctx, fmt.Sprintf("%d measurements without a verdict: go on or abort", rule.MaxInconclusive), rule.Expire.Std()); err != nil {
				return err
			}
			r.state.Bake, verdict = lifecycle.BakeTally{}, policy.BakeSound
		}
		if over && verdict == policy.BakeSound {
			return nil
		}
		if ctx.Err() == nil && r.inbox.mustContinue(ctx) {
			return r.again(ctx)
		}
	}
}

// analyse judges the traffic since the last analysis, as far as its metrics are
// complete. A challenger that is condemned is an error.
func (r *rollout) analyse(ctx workflow.Context) (policy.BakeVerdict, error) {
	rule := r.in.Spec.Rollout.Analysis
	to := workflow.Now(ctx).Add(-rule.Lag.Std())
	if !to.After(r.state.Analysed) {
		return policy.Bake(rule, r.state.Bake), nil
	}
	a, err := call(ctx, job, "analysis", deployment.Analyse, lifecycle.AnalyseInput{
		Of: r.of(), Variant: lifecycle.Variant(r.in.Challenger.Release), From: r.state.Analysed, To: to,
		Levels: rule.Metrics, Samples: rule.MinSamples})
	if err != nil && ctx.Err() != nil {
		return policy.BakeOn, err
	}
	if err != nil {
		a = lifecycle.Analysed{At: to, Outcome: lifecycle.Faulty, Detail: lifecycle.ProblemOf(err).Message}
	}
	r.state.Analysed, r.state.Bake = to, policy.Count(r.state.Bake, a.Outcome)
	r.state.Analyses = lastOf(append(r.state.Analyses, a), 100)
	r.show(ctx)
	if a.Outcome != lifecycle.Failed {
		return policy.Bake(rule, r.state.Bake), nil
	}
	if err := r.record(ctx, lifecycle.EntryAnalysed, fmt.Sprintf("analysis of release %d failed: %s", r.in.Challenger.Release, a.Detail)); err != nil {
		return policy.BakeOn, err
	}
	if verdict := policy.Bake(rule, r.state.Bake); verdict != policy.BakeFailed {
		return verdict, nil
	}
	return policy.BakeFailed, lifecycle.Fail(lifecycle.RolledBack, "analysis condemned release %d: %s", r.in.Challenger.Release, a.Detail)
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
	if err := r.awaitAnswer(ctx, what); err != nil {
		return err
	}
	answered := r.answer != nil
	r.state.Awaiting, r.state.Until = "", time.Time{}
	if !answered {
		return lifecycle.Fail(lifecycle.RolledBack, "nobody answered in time: %s", what)
	}
	return nil
}

// awaitAnswer waits until a person answers or the time is up. A challenger that
// has traffic is judged meanwhile: waiting is no reason to look away.
func (r *rollout) awaitAnswer(ctx workflow.Context, what string) error {
	for r.answer == nil && workflow.Now(ctx).Before(r.state.Until) {
		next, judged := r.state.Until.Sub(workflow.Now(ctx)), r.state.Weights[lifecycle.Variant(r.in.Challenger.Release)] > 0
		if judged {
			next = min(next, r.in.Spec.Rollout.Analysis.Every.Std())
		}
		_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
			Timeout: next, TimerOptions: workflow.TimerOptions{Summary: what},
		}, func() bool { return r.answer != nil })
		if err != nil {
			return err
		}
		if judged && r.answer == nil {
			if _, err := r.analyse(ctx); err != nil {
				return err
			}
		}
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
