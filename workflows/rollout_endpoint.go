package workflows

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
)

// put brings the endpoint into the wanted state and notes what was confirmed.
func (r *rollout) put(ctx workflow.Context, summary string,
	how func(context.Context, lifecycle.DeployInput) (lifecycle.Serving, error), want []lifecycle.Serve,
) error {
	serving, err := call(ctx, job, summary, how, lifecycle.DeployInput{
		Of: r.of(), Endpoint: r.in.Spec.Rollout.Endpoint, Approval: r.in.Spec.Approval, Variants: want, First: r.in.Champion == nil})
	if err != nil {
		return err
	}
	r.state.Serving, r.state.Weights = serving.Config, serving.Weights
	r.show(ctx)
	return nil
}

func (r *rollout) of() lifecycle.Of {
	return lifecycle.Of{Model: r.in.Model.Name, Release: r.in.Challenger.Release}
}

func (r *rollout) record(ctx workflow.Context, kind, text string) error {
	return r.scribe.record(ctx, kind, lifecycle.Machine, text, map[string]any{"evidence": r.in.Challenger.Evidence.Digest})
}

// show refreshes what the Temporal UI displays about this run.
func (r *rollout) show(ctx workflow.Context) {
	a := attributes{model: r.in.Model.Name, owner: r.in.Model.Team, release: r.in.Challenger.Release,
		stage: "done", awaiting: r.state.Awaiting}
	if r.state.Step < len(r.state.Steps) && !r.state.Outcome.Done {
		a.stage = r.state.Steps[r.state.Step].Name
	}
	r.display.show(ctx, rolloutDetails(r.state), a)
}

// listen opens the rollout to questions, people's answers and alerts.
func (r *rollout) listen(ctx workflow.Context) error {
	err := workflow.SetQueryHandler(ctx, lifecycle.StateQuery, func() (lifecycle.RolloutState, error) { return r.state, nil })
	if err != nil {
		return err
	}
	for _, order := range orders {
		err := workflow.SetUpdateHandlerWithOptions(ctx, order.update, func(ctx workflow.Context, d lifecycle.RolloutDecision) (lifecycle.RolloutState, error) {
			return r.decide(ctx, order.mean(d))
		}, workflow.UpdateHandlerOptions{Validator: func(d lifecycle.RolloutDecision) error { return r.mayDecide(order.mean(d)) }})
		if err != nil {
			return err
		}
	}
	on(ctx, r.inbox, lifecycle.AlertSignal, r.hear)
	r.inbox.open(ctx)
	return nil
}

// orders are the updates by which people steer a rollout. Promote and abort
// say by their name what decide says in its argument.
var orders = []struct {
	update string
	mean   func(lifecycle.RolloutDecision) lifecycle.RolloutDecision
}{
	{lifecycle.DecideUpdate, func(d lifecycle.RolloutDecision) lifecycle.RolloutDecision { return d }},
	{lifecycle.PromoteUpdate, func(d lifecycle.RolloutDecision) lifecycle.RolloutDecision { d.Promote = true; return d }},
	{lifecycle.AbortUpdate, func(d lifecycle.RolloutDecision) lifecycle.RolloutDecision { d.Promote = false; return d }},
}

// mayDecide refuses a "go on" that nobody asked for; an abort is welcome at any time.
func (r *rollout) mayDecide(d lifecycle.RolloutDecision) error {
	switch {
	case r.state.Outcome.Done || r.state.Outcome.Promoted:
		return lifecycle.Fail(lifecycle.Conflict, "the rollout of release %d is over", r.in.Challenger.Release)
	case d.By == "":
		return lifecycle.Fail(lifecycle.Invalid, "the decision does not say whose it is")
	case d.Promote && r.state.Awaiting == "":
		return lifecycle.Fail(lifecycle.Conflict, "the rollout of release %d waits for nobody now", r.in.Challenger.Release)
	}
	return nil
}

// decide takes a person's answer once the ledger has it.
func (r *rollout) decide(ctx workflow.Context, d lifecycle.RolloutDecision) (lifecycle.RolloutState, error) {
	word := "aborts"
	if d.Promote {
		word = "goes on with"
	}
	asked, until := r.state.Awaiting, r.state.Until
	text := fmt.Sprintf("%s %s the rollout of release %d: %s", d.By, word, r.in.Challenger.Release, d.Comment)
	if err := r.scribe.record(ctx, lifecycle.EntryDecided, d.By, text, nil); err != nil {
		return r.state, err
	}
	if d.Promote {
		if r.state.Awaiting != asked || !r.state.Until.Equal(until) {
			return r.state, lifecycle.Fail(lifecycle.Conflict, "the rollout of release %d no longer waits for: %s", r.in.Challenger.Release, asked)
		}
		r.answer = &d
		return r.state, nil
	}
	r.end(lifecycle.Fail(lifecycle.RolledBack, "aborted by %s: %s", d.By, d.Comment))
	return r.state, nil
}

// hear takes an alert: one that fires while the traffic moves ends the rollout.
func (r *rollout) hear(_ workflow.Context, a lifecycle.Alert) {
	r.state.Alerts = lastOf(append(r.state.Alerts, a), 50)
	if a.Firing && !r.state.Outcome.Promoted && r.in.Rollback == "" { // a rollback is the cure
		r.end(lifecycle.Fail(lifecycle.RolledBack, "alert %s: %s", a.Name, a.Summary))
	}
}

// end stops whatever the rollout is waiting for or doing.
func (r *rollout) end(why error) {
	if r.breach == nil {
		r.breach = why
	}
	r.halt()
}
