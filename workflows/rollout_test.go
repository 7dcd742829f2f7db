package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

func rolloutInput() lifecycle.RolloutInput {
	return lifecycle.RolloutInput{Model: meta, Spec: declared(), Challenger: champion(2), Champion: ptr(champion(1))}
}

// weights collects the traffic that was asked for, one line a change.
func weights(w *world) *[]map[string]int {
	var got []map[string]int
	note := func(ctx context.Context, in lifecycle.DeployInput) (lifecycle.Serving, error) {
		s, err := serves(ctx, in)
		got = append(got, s.Weights)
		return s, err
	}
	w.OnActivity(deployment.Deploy, mock.Anything, mock.Anything).Return(note).Maybe()
	w.OnActivity(deployment.SetWeights, mock.Anything, mock.Anything).Return(note).Maybe()
	return &got
}

func TestRolloutMovesTrafficStepByStep(t *testing.T) {
	w := newWorld(t)
	got := weights(w)
	w.healthy()
	w.ExecuteWorkflow(lifecycle.RolloutWorkflow, rolloutInput())
	require.NoError(t, w.GetWorkflowError())
	var o lifecycle.RolloutOutcome
	require.NoError(t, w.GetWorkflowResult(&o))
	require.True(t, o.Promoted)
	require.Equal(t, []map[string]int{{"r1": 100, "r2": 0}, {"r1": 90, "r2": 10}, {"r2": 100}}, *got)
	require.Equal(t, []string{"rollout.deploying", "rollout.weights", "rollout.promoted", "rollout.cleaned"}, w.kinds())
	require.Len(t, state[lifecycle.RolloutState](t, w).Analyses, 4, "every 15 minutes of an hour's bake")
}

func TestRolloutOfTheFirstReleaseWaitsForNoTraffic(t *testing.T) {
	w := newWorld(t)
	got := weights(w)
	w.healthy()
	in := rolloutInput()
	in.Champion = nil
	w.ExecuteWorkflow(lifecycle.RolloutWorkflow, in)
	require.NoError(t, w.GetWorkflowError())
	require.Equal(t, []map[string]int{{"r2": 100}, {"r2": 100}}, *got)
	require.Equal(t, "nothing serves yet", state[lifecycle.RolloutState](t, w).Steps[2].Skipped)
}

func TestRolloutBringsTheChampionBack(t *testing.T) {
	m := mock.Anything
	analysed := func(w *world, o lifecycle.Outcome) {
		w.OnActivity(deployment.Analyse, m, m).Return(lifecycle.Analysed{Outcome: o, Detail: "p99 2s"}, nil)
	}
	order := func(w *world, name string, promote bool) {
		w.RegisterDelayedCallback(func() {
			w.ask(name, lifecycle.RolloutDecision{By: "oli", Promote: promote, Comment: "no"})
		}, 20*time.Minute)
	}
	for _, tt := range []struct {
		name    string
		arrange func(w *world)
		problem string
	}{
		{"the smoke test differs", func(w *world) {
			w.OnActivity(deployment.Smoke, m, m).Return(lifecycle.Fail(lifecycle.ServingFault, "row 3"))
		}, lifecycle.ServingFault},
		{"it cannot be deployed", func(w *world) {
			n := 0
			w.OnActivity(deployment.Deploy, m, m).Return(func(ctx context.Context, in lifecycle.DeployInput) (lifecycle.Serving, error) {
				if n++; n == 1 {
					return lifecycle.Serving{}, lifecycle.Fail(lifecycle.ServingFault, "no ping")
				}
				return serves(ctx, in)
			})
		}, lifecycle.ServingFault},
		{"analysis fails", func(w *world) { analysed(w, lifecycle.Failed) }, lifecycle.RolledBack},
		{"silence, and nobody answers", func(w *world) { analysed(w, lifecycle.Inconclusive) }, lifecycle.RolledBack},
		{"measuring fails, and nobody answers", func(w *world) {
			w.OnActivity(deployment.Analyse, m, m).Return(lifecycle.Analysed{}, lifecycle.Fail(lifecycle.Invalid, "no metrics"))
		}, lifecycle.RolledBack},
		{"an alert while baking", func(w *world) {
			w.RegisterDelayedCallback(func() {
				w.SignalWorkflow(lifecycle.AlertSignal, lifecycle.Alert{ID: "a", Name: "errors", Firing: true})
			}, 20*time.Minute)
		}, lifecycle.RolledBack},
		{"a person aborts", func(w *world) { order(w, lifecycle.AbortUpdate, true) }, lifecycle.RolledBack},
		{"a person decides against it", func(w *world) { order(w, lifecycle.DecideUpdate, false) }, lifecycle.RolledBack},
		{"it is cancelled", func(w *world) { w.RegisterDelayedCallback(w.CancelWorkflow, 20*time.Minute) }, lifecycle.Cancelled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.arrange(w)
			w.healthy()
			w.ExecuteWorkflow(lifecycle.RolloutWorkflow, rolloutInput())
			require.NoError(t, w.GetWorkflowError())
			s := state[lifecycle.RolloutState](t, w)
			require.False(t, s.Outcome.Promoted)
			require.Equal(t, tt.problem, s.Outcome.Problem.Type, s.Outcome.Problem.Message)
			require.Equal(t, map[string]int{"r1": 100}, s.Weights)
			require.Equal(t, []string{lifecycle.EntryReturned, lifecycle.EntryCleaned}, lastOf(w.kinds(), 2))
			w.AssertCalled(t, "RemoveUnused", m, m)
		})
	}
}

func TestFirstRolloutThatFailsLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.OnActivity(deployment.Smoke, mock.Anything, mock.Anything).Return(lifecycle.Fail(lifecycle.ServingFault, "row 3"))
	w.healthy()
	in := rolloutInput()
	in.Champion = nil
	w.ExecuteWorkflow(lifecycle.RolloutWorkflow, in)
	require.NoError(t, w.GetWorkflowError())
	w.AssertCalled(t, "Retire", mock.Anything, mock.Anything)
	require.Empty(t, state[lifecycle.RolloutState](t, w).Weights)
}

func TestRolloutAsksAPersonWhenItCannotTell(t *testing.T) {
	w := newWorld(t)
	n := 0
	w.OnActivity(deployment.Analyse, mock.Anything, mock.Anything).Return(func(context.Context, lifecycle.AnalyseInput) (lifecycle.Analysed, error) {
		if n++; n <= 3 {
			return lifecycle.Analysed{Outcome: lifecycle.Inconclusive}, nil
		}
		return lifecycle.Analysed{Outcome: lifecycle.Pass}, nil
	})
	w.healthy()
	var early, late *answer
	w.RegisterDelayedCallback(func() { early = w.ask(lifecycle.PromoteUpdate, lifecycle.RolloutDecision{By: "oli"}) }, 20*time.Minute)
	w.RegisterDelayedCallback(func() { late = w.ask(lifecycle.PromoteUpdate, lifecycle.RolloutDecision{By: "oli"}) }, 2*time.Hour)
	w.ExecuteWorkflow(lifecycle.RolloutWorkflow, rolloutInput())
	require.NoError(t, w.GetWorkflowError())
	require.Equal(t, lifecycle.Conflict, lifecycle.ErrorType(early.rejected), "nobody was asked yet")
	require.NoError(t, late.failed)
	require.Contains(t, w.notices(), lifecycle.NoticeDecision)
	require.True(t, state[lifecycle.RolloutState](t, w).Outcome.Promoted)
}

func TestRollbackReportsToTheModel(t *testing.T) {
	w := newWorld(t).healthy()
	ended := toModel(w)
	in := rolloutInput()
	in.Rollback, in.ReportTo = "oli: slow", lifecycle.ModelID("churn")
	w.ExecuteWorkflow(lifecycle.RolloutWorkflow, in)
	require.NoError(t, w.GetWorkflowError())
	require.Equal(t, 2, ended.Champion.Release)
	require.Equal(t, "a rollback does not wait", state[lifecycle.RolloutState](t, w).Steps[2].Skipped)
}

func TestRolloutCarriesItsStateAcrossRuns(t *testing.T) {
	w := newWorld(t).healthy()
	w.RegisterDelayedCallback(func() { w.SetContinueAsNewSuggested(true) }, 20*time.Minute)
	w.ExecuteWorkflow(lifecycle.RolloutWorkflow, rolloutInput())
	next := continued[lifecycle.RolloutInput](t, w.GetWorkflowError())
	require.Equal(t, 2, next.State.Bake.Passes)

	second := newWorld(t)
	got := weights(second)
	second.healthy()
	second.ExecuteWorkflow(lifecycle.RolloutWorkflow, next)
	require.NoError(t, second.GetWorkflowError())
	require.Equal(t, []map[string]int{{"r2": 100}}, *got, "neither deployed nor weighted again")
	require.True(t, state[lifecycle.RolloutState](t, second).Outcome.Promoted)
}

func TestRollbackDoesNotNeedTheVersionThatFails(t *testing.T) {
	w := newWorld(t)
	got := weights(w)
	w.healthy()
	in := rolloutInput()
	in.Rollback = "oli: it crashes"
	w.RegisterDelayedCallback(func() {
		w.SignalWorkflow(lifecycle.AlertSignal, lifecycle.Alert{ID: "a", Name: "errors", Firing: true})
	}, 0)
	w.ExecuteWorkflow(lifecycle.RolloutWorkflow, in)
	require.NoError(t, w.GetWorkflowError())
	require.True(t, state[lifecycle.RolloutState](t, w).Outcome.Promoted, "an alert of the bad version does not end its cure")
	require.Equal(t, []map[string]int{{"r2": 100}, {"r2": 100}}, *got)
}

func TestRolloutInsistsOnBringingTheChampionBack(t *testing.T) {
	w := newWorld(t)
	deploys := 0
	w.OnActivity(deployment.Analyse, mock.Anything, mock.Anything).Return(lifecycle.Analysed{Outcome: lifecycle.Failed}, nil)
	w.OnActivity(deployment.Deploy, mock.Anything, mock.Anything).Return(func(ctx context.Context, in lifecycle.DeployInput) (lifecycle.Serving, error) {
		if deploys++; deploys == 2 || deploys == 3 {
			return lifecycle.Serving{}, lifecycle.Fail(lifecycle.ServingFault, "rolled back by the platform")
		}
		return serves(ctx, in)
	})
	w.healthy()
	w.ExecuteWorkflow(lifecycle.RolloutWorkflow, rolloutInput())
	require.NoError(t, w.GetWorkflowError())
	require.Equal(t, 4, deploys)
	require.Equal(t, map[string]int{"r1": 100}, state[lifecycle.RolloutState](t, w).Weights)
	require.Contains(t, w.notices(), lifecycle.NoticeFailed)
}

func TestRolloutThatCannotBringTheChampionBackEndsWithATry(t *testing.T) {
	w := newWorld(t)
	var deploys []time.Time
	w.OnActivity(deployment.Analyse, mock.Anything, mock.Anything).Return(lifecycle.Analysed{Outcome: lifecycle.Failed}, nil)
	w.OnActivity(deployment.Deploy, mock.Anything, mock.Anything).Return(func(ctx context.Context, in lifecycle.DeployInput) (lifecycle.Serving, error) {
		if deploys = append(deploys, w.Now()); len(deploys) > 1 {
			return lifecycle.Serving{}, lifecycle.Fail(lifecycle.ServingFault, "rolled back by the platform")
		}
		return serves(ctx, in)
	})
	w.healthy()
	w.ExecuteWorkflow(lifecycle.RolloutWorkflow, rolloutInput())
	require.Equal(t, lifecycle.ServingFault, lifecycle.ErrorType(w.GetWorkflowError()))
	back := deploys[1:]
	require.Len(t, back, 9)
	require.Equal(t, 255*time.Minute, back[8].Sub(back[0]).Round(time.Minute), "1 + 2 + 4 + … + 128 minutes")
	require.WithinDuration(t, back[8], w.Now(), time.Minute, "nobody waits for a try that does not come")
	require.Contains(t, w.kinds(), lifecycle.EntryStuck)
}

func TestRolloutLeavesAnUnknownEndpointAlone(t *testing.T) {
	w := newWorld(t)
	w.OnActivity(deployment.Deploy, mock.Anything, mock.Anything).Return(lifecycle.Serving{}, lifecycle.Fail(lifecycle.Conflict, "r7 serves"))
	w.healthy()
	in := rolloutInput()
	in.Champion = nil
	w.ExecuteWorkflow(lifecycle.RolloutWorkflow, in)
	require.NoError(t, w.GetWorkflowError())
	w.AssertNotCalled(t, "Retire", mock.Anything, mock.Anything)
}

func TestRolloutJudgesWhileItWaitsForAPerson(t *testing.T) {
	w := newWorld(t)
	w.OnActivity(deployment.Analyse, mock.Anything, mock.Anything).Return(lifecycle.Analysed{Outcome: lifecycle.Failed, Detail: "errors 1"}, nil)
	w.healthy()
	in := rolloutInput()
	in.Spec.Rollout.Steps = []lifecycle.Step{{Weight: ptr(50)}, {Pause: &lifecycle.Pause{Expire: 3 * day}}, {Promote: &lifecycle.Promote{}}}
	begin := w.Now()
	w.ExecuteWorkflow(lifecycle.RolloutWorkflow, in)
	require.NoError(t, w.GetWorkflowError())
	s := state[lifecycle.RolloutState](t, w)
	require.Equal(t, lifecycle.RolledBack, s.Outcome.Problem.Type)
	require.Less(t, s.Outcome.At.Sub(begin), time.Hour)
}

func TestRolloutStuckIsRecorded(t *testing.T) {
	w := newWorld(t)
	w.OnActivity(deployment.Smoke, mock.Anything, mock.Anything).Return(lifecycle.Fail(lifecycle.ServingFault, "row 3"))
	w.OnActivity(deployment.RemoveUnused, mock.Anything, mock.Anything).Return(lifecycle.Removed{}, lifecycle.Fail(lifecycle.Denied, "may not delete"))
	w.healthy()
	w.ExecuteWorkflow(lifecycle.RolloutWorkflow, rolloutInput())
	require.Equal(t, lifecycle.Denied, lifecycle.ErrorType(w.GetWorkflowError()))
	require.Contains(t, w.kinds(), lifecycle.EntryStuck)
	require.Contains(t, w.notices(), lifecycle.NoticeFailed)
}
