package gateway

import (
	"context"
	"time"

	"steward/internal/lifecycle"
)

// What people may ask for, whether through the API or the console.

// command is an order to a model: the update that carries it and who may give it.
type command struct {
	update string
	act    string // for "ann may not …"
	roles  []lifecycle.Role
}

var (
	startRelease = command{lifecycle.ReleaseUpdate, "start a release", changers}
	rollback     = command{lifecycle.RollbackUpdate, "roll a model back", changers}
	pause        = command{lifecycle.PauseUpdate, "pause a model", changers}
	resume       = command{lifecycle.ResumeUpdate, "resume a model", changers}
	retire       = command{lifecycle.RetireUpdate, "retire a model", retirers}
)

// give hands an order of the one who asks to a model. T is what the update answers.
func give[T any](ctx context.Context, s *Server, cmd command, model, key string, order lifecycle.Order) (T, error) {
	who, err := permit(ctx, cmd.act, cmd.roles)
	if err != nil {
		return *new(T), err
	}
	order.By = who.Subject
	return update[T](ctx, s.cfg.Temporal, modelRun(model), cmd.update, once(who.Subject, cmd.update, key), order)
}

// apply declares the model of a model file. name is the file's, for messages.
func (s *Server) apply(ctx context.Context, name string, file []byte, key string) (lifecycle.Applied, error) {
	who, err := permit(ctx, "apply a model file", changers)
	if err != nil {
		return lifecycle.Applied{}, err
	}
	model, err := s.cfg.Load(name, file)
	if err != nil {
		return lifecycle.Applied{}, problemsOf(err)
	}
	digest, err := lifecycle.Digest(model.Spec)
	if err != nil {
		return lifecycle.Applied{}, err
	}
	return startOrApply(ctx, s.cfg.Temporal, lifecycle.Apply{
		Model: model.Metadata, Spec: model.Spec, Digest: digest, By: who.Subject,
	}, once(who.Subject, lifecycle.ApplyUpdate, key, string(file)))
}

// decide signs what a person says about the evidence they saw, and asks the
// release to take it. Whether their roles suffice is for the release to say:
// they are part of what is signed.
func (s *Server) decide(ctx context.Context, model string, n int, d lifecycle.Decision, key string) (lifecycle.ReleaseState, error) {
	who := whoAsks(ctx)
	d.Model, d.Release, d.Subject, d.Roles, d.At = model, n, who.Subject, who.Roles, time.Now().UTC()
	signed, err := s.cfg.Signer.Sign(d)
	if err != nil {
		return lifecycle.ReleaseState{}, err
	}
	answer := "reject"
	if d.Approve {
		answer = "approve"
	}
	id := once(who.Subject, lifecycle.DecideUpdate, key, answer, d.Digest)
	return update[lifecycle.ReleaseState](ctx, s.cfg.Temporal, releaseRun(model, n), lifecycle.DecideUpdate, id, signed)
}

// cancel stops a release.
func (s *Server) cancel(ctx context.Context, model string, n int, reason, key string) (lifecycle.ReleaseState, error) {
	who, err := permit(ctx, "cancel a release", changers)
	if err != nil {
		return lifecycle.ReleaseState{}, err
	}
	return update[lifecycle.ReleaseState](ctx, s.cfg.Temporal, releaseRun(model, n), lifecycle.CancelUpdate,
		once(who.Subject, lifecycle.CancelUpdate, key),
		lifecycle.Cancel{By: who.Subject, Reason: reason})
}

// steer lets a rollout that waits for a person go on, or makes any rollout go back.
func (s *Server) steer(ctx context.Context, model string, n int, promote bool, comment, key string) (lifecycle.RolloutState, error) {
	who, err := permit(ctx, "steer a rollout", changers)
	if err != nil {
		return lifecycle.RolloutState{}, err
	}
	to, err := s.rolloutOf(ctx, model, n)
	if err != nil {
		return lifecycle.RolloutState{}, err
	}
	name := lifecycle.AbortUpdate
	if promote {
		name = lifecycle.PromoteUpdate
	}
	return update[lifecycle.RolloutState](ctx, s.cfg.Temporal, to, name, once(who.Subject, name, key),
		lifecycle.RolloutDecision{By: who.Subject, Promote: promote, Comment: comment})
}

// rolloutOf is the rollout that moves traffic to release n now: its own, or
// that of a rollback to it.
func (s *Server) rolloutOf(ctx context.Context, model string, n int) (run, error) {
	m, err := state[lifecycle.ModelState](ctx, s.cfg.Temporal, modelRun(model))
	if err != nil {
		return run{}, err
	}
	to := rolloutRun(model, n)
	if f := m.InFlight; f != nil && f.Rollback && f.Release == n {
		to.id = f.Workflow
	}
	return to, nil
}

// tellKPI hands a reported business figure to a model that has one.
func (s *Server) tellKPI(ctx context.Context, model string, k lifecycle.KPIReading) error {
	who, err := permit(ctx, "report a business figure", tellers)
	if err != nil {
		return err
	}
	m, err := state[lifecycle.ModelState](ctx, s.cfg.Temporal, modelRun(model))
	if err != nil {
		return err
	}
	if m.Spec.Objective.KPI == nil {
		return refuse(lifecycle.Conflict, "model %s has no business figure: declare spec.objective.kpi in its model file", model)
	}
	k.By = who.Subject
	return signal(ctx, s.cfg.Temporal, modelRun(model), lifecycle.KPISignal, k)
}
