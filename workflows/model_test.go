package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
)

func modelInput() lifecycle.ModelState {
	return lifecycle.ModelState{Model: meta, Spec: declared(), Digest: "sha256:spec"}
}

func serving() lifecycle.ModelState {
	s := modelInput()
	s.Reported = time.Now()
	s.Champion, s.Watching, s.Last, s.Opened = ptr(champion(1)), true, 1, true
	return s
}

// children stands in for the workflows that a model starts and talks to.
type children struct {
	releases []lifecycle.ReleaseInput
	signals  []string
}

// modelWorld runs Model for real, and in place of what it starts: releases that
// last for a while and report their end, rollbacks that succeed, and a watch.
func modelWorld(t *testing.T, lasts time.Duration, end lifecycle.Stage) (*world, *children) {
	w, c := emptyWorld(t), &children{}
	as := func(name string, fn any) { w.RegisterWorkflowWithOptions(fn, workflow.RegisterOptions{Name: name}) }
	as(lifecycle.ModelWorkflow, Model)
	report := func(ctx workflow.Context, e lifecycle.Ended) {
		for range 2 { // at least once: a repeat must change nothing
			if err := workflow.SignalExternalWorkflow(ctx, lifecycle.ModelID("churn"), "", lifecycle.EndedSignal, e).Get(ctx, nil); err != nil {
				panic(err)
			}
		}
	}
	as(lifecycle.ReleaseWorkflow, func(ctx workflow.Context, in lifecycle.ReleaseInput) error {
		c.releases = append(c.releases, in)
		if end == "terminated" {
			return lifecycle.Fail("Terminated", "by an operator")
		}
		e := lifecycle.Ended{ID: lifecycle.ReleaseID("churn", in.Number), Release: in.Number, Stage: end}
		if err := workflow.Sleep(ctx, lasts); err != nil {
			e.Stage, e.Problem = lifecycle.StageCancelled, lifecycle.ProblemOf(err)
			ctx, _ = workflow.NewDisconnectedContext(ctx)
			var c lifecycle.Cancel
			if workflow.GetSignalChannel(ctx, lifecycle.CancelSignal).ReceiveAsync(&c) {
				e.Problem.Message = c.By + ": " + c.Reason
			}
		}
		if e.At = workflow.Now(ctx); e.Stage == lifecycle.StageReleased {
			next := champion(in.Number)
			next.Since = workflow.Now(ctx)
			e.Champion = &next
		}
		report(ctx, e)
		return nil
	})
	as(lifecycle.RolloutWorkflow, func(ctx workflow.Context, in lifecycle.RolloutInput) error {
		report(ctx, lifecycle.Ended{ID: workflow.GetInfo(ctx).WorkflowExecution.ID, Release: in.Challenger.Release,
			Stage: lifecycle.StageReleased, Champion: &in.Challenger})
		return nil
	})
	as(lifecycle.WatchWorkflow, func(ctx workflow.Context, _ lifecycle.WatchState) error {
		c.signals = append(c.signals, "watch starts")
		return workflow.Await(ctx, func() bool { return false })
	})
	w.OnSignalExternalWorkflow(mock.Anything, mock.Anything, "", mock.Anything, mock.Anything).
		Return(func(_, id, _, name string, _ any) error {
			c.signals = append(c.signals, name+" → "+id)
			return nil
		}).Maybe()
	w.OnRequestCancelExternalWorkflow(mock.Anything, mock.Anything, mock.Anything).Return(
		func(_, id, _ string) error {
			c.signals = append(c.signals, "cancel → "+id)
			return nil
		}).Maybe()
	return w, c
}

func (w *world) runModel(s lifecycle.ModelState) {
	w.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: lifecycle.ModelID("churn")})
	w.ExecuteWorkflow(lifecycle.ModelWorkflow, s)
}

// retireAt ends a model's life, so that its run ends.
func (w *world) retireAt(d time.Duration) {
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.RetireUpdate, order("over")) }, d)
}

func order(reason string) lifecycle.Order { return lifecycle.Order{By: "oli", Reason: reason} }

func TestModelReleasesOneAtATime(t *testing.T) {
	w, c := modelWorld(t, 2*time.Hour, lifecycle.StageReleased)
	w.healthy()
	var first, second, third *answer
	w.RegisterDelayedCallback(func() { first = w.ask(lifecycle.ReleaseUpdate, order("first")) }, time.Minute)
	w.RegisterDelayedCallback(func() { second = w.ask(lifecycle.ReleaseUpdate, order("too soon")) }, time.Hour)
	w.RegisterDelayedCallback(func() { third = w.ask(lifecycle.ReleaseUpdate, order("second")) }, 3*time.Hour)
	w.retireAt(9 * time.Hour)
	w.runModel(modelInput())
	require.NoError(t, w.GetWorkflowError())
	require.NoError(t, first.failed)
	require.Equal(t, lifecycle.Conflict, lifecycle.ErrorType(second.rejected))
	require.NoError(t, third.failed)
	require.Len(t, c.releases, 2)
	require.Nil(t, c.releases[0].Champion)
	require.Equal(t, 1, c.releases[1].Champion.Release)
	s := state[lifecycle.ModelState](t, w)
	require.Len(t, s.Releases, 2)
	require.False(t, s.Releases[0].Until.IsZero(), "the first one's time is over")
	require.Contains(t, c.signals, "watch starts")
}

func TestModelNumbersGoOnAfterARetirement(t *testing.T) {
	w, c := modelWorld(t, time.Hour, lifecycle.StageFailed)
	w.OnActivity(records.OpenLedger, mock.Anything, mock.Anything).After(time.Minute).Return(lifecycle.Head{LastRelease: 7}, nil)
	w.healthy()
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.ReleaseUpdate, order("again")) }, 0)
	w.retireAt(9 * time.Hour)
	w.runModel(modelInput())
	require.Equal(t, 8, c.releases[0].Number, "even if it is ordered before the ledger was read")
}

func badWindow(release, n int) lifecycle.WindowReport {
	id := lifecycle.Variant(release) + string(rune('a'+n))
	return lifecycle.WindowReport{ID: id, Window: lifecycle.Window{ID: id, Release: release, To: time.Unix(int64(n)*3600, 0),
		Findings: []lifecycle.Finding{{Cause: lifecycle.CauseQuality, Outcome: lifecycle.Failed, Detail: "auc 0.5"}}}}
}

func TestModelRetrainsWhenQualityFell(t *testing.T) {
	w, c := modelWorld(t, time.Hour, lifecycle.StageReleased)
	w.healthy()
	for i := range 6 {
		// Every report comes twice. The later windows are of the release that was
		// replaced, or come while it is under way: they start nothing more.
		for range 2 {
			w.RegisterDelayedCallback(func() { w.SignalWorkflow(lifecycle.WindowSignal, badWindow(1, i)) }, time.Duration(i+1)*30*time.Minute)
		}
	}
	w.retireAt(20 * time.Hour)
	w.runModel(serving())
	require.NoError(t, w.GetWorkflowError())
	require.Len(t, c.releases, 1)
	require.Equal(t, lifecycle.CauseQuality, c.releases[0].Trigger.Cause)
	require.Contains(t, c.releases[0].Trigger.Reason, "2 windows in a row: auc 0.5")
	require.Contains(t, w.notices(), lifecycle.NoticeDegraded)
	require.Contains(t, w.kinds(), lifecycle.EntryTriggered)
}

func TestModelWaitsForCooldownBudgetAndResume(t *testing.T) {
	w, c := modelWorld(t, time.Minute, lifecycle.StageFailed)
	w.healthy()
	alert := func(id string, at time.Duration) {
		w.RegisterDelayedCallback(func() {
			w.SignalWorkflow(lifecycle.AlertSignal, lifecycle.Alert{ID: id, Name: "errors", Firing: true})
		}, at)
	}
	var starts []time.Duration
	begin := w.Now()
	w.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, _ converter.EncodedValues) {
		starts = append(starts, w.Now().Sub(begin).Round(time.Hour))
	})
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.PauseUpdate, order("holiday")) }, time.Minute)
	alert("a", time.Hour)
	alert("a", 2*time.Hour) // a repeat
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.ResumeUpdate, order("back")) }, 5*time.Hour)
	alert("b", 6*time.Hour)
	alert("c", 20*time.Hour)
	w.retireAt(60 * 24 * time.Hour)
	w.runModel(serving())
	require.NoError(t, w.GetWorkflowError())
	require.Len(t, c.releases, 3)
	require.Equal(t, []time.Duration{5 * time.Hour, 11 * time.Hour, 30*24*time.Hour + 5*time.Hour}, starts,
		"after the resume; after the cool-down; when the month's allowance is free again")
}

func TestModelPassesAlertsToTheRollout(t *testing.T) {
	w, c := modelWorld(t, 2*time.Hour, lifecycle.StageReturned)
	w.healthy()
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.ReleaseUpdate, order("go")) }, time.Minute)
	w.RegisterDelayedCallback(func() {
		w.SignalWorkflow(lifecycle.AlertSignal, lifecycle.Alert{ID: "a", Name: "errors", Firing: true})
	}, time.Hour)
	w.retireAt(30 * time.Hour)
	s := serving()
	s.Spec.Retrain.On = nil
	w.runModel(s)
	require.Contains(t, c.signals, "alert → model/churn/release/2/rollout")
	require.Len(t, c.releases, 1)
}

func TestModelRollsBack(t *testing.T) {
	w, _ := modelWorld(t, time.Hour, lifecycle.StageReleased)
	w.healthy()
	var none, back *answer
	w.RegisterDelayedCallback(func() { none = w.ask(lifecycle.RollbackUpdate, order("slow")) }, time.Minute)
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.ReleaseUpdate, order("go")) }, 2*time.Minute)
	w.RegisterDelayedCallback(func() { back = w.ask(lifecycle.RollbackUpdate, order("slow")) }, 2*time.Hour)
	w.RegisterDelayedCallback(func() {
		s := state[lifecycle.ModelState](t, w)
		require.Equal(t, 1, s.Champion.Release)
		require.Nil(t, s.Previous)
		require.Equal(t, &lifecycle.Restored{From: 2, By: "oli", Reason: "slow"}, s.Restored)
		require.Equal(t, lifecycle.StageReleased, s.Releases[0].Stage, "the release keeps its own end")
	}, 3*time.Hour)
	w.retireAt(4 * time.Hour)
	w.runModel(serving())
	require.NoError(t, w.GetWorkflowError())
	require.Equal(t, lifecycle.Conflict, lifecycle.ErrorType(none.rejected))
	require.NoError(t, back.failed)
}

func TestModelRetires(t *testing.T) {
	w, c := modelWorld(t, 100*time.Hour, lifecycle.StageCancelled)
	w.healthy()
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.ReleaseUpdate, order("go")) }, time.Minute)
	w.retireAt(time.Hour)
	w.runModel(serving())
	require.NoError(t, w.GetWorkflowError())
	ended := state[lifecycle.ModelState](t, w)
	require.Equal(t, lifecycle.StageCancelled, ended.Releases[0].Stage)
	require.Equal(t, "oli: the model is retired: over", ended.Releases[0].Problem.Message)
	require.Empty(t, ended.Pending)
	require.Contains(t, c.signals, "cancel → model/churn/watch")
	w.AssertCalled(t, "Retire", mock.Anything, mock.Anything)
	require.Contains(t, w.notices(), lifecycle.NoticeRetired)
}

// A run that began to retire before authors were named replays as it was.
func TestOlderRetirementReplays(t *testing.T) {
	w, _ := modelWorld(t, 100*time.Hour, lifecycle.StageCancelled)
	w.healthy()
	w.OnGetVersion("retirement names its author", workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.ReleaseUpdate, order("go")) }, time.Minute)
	w.retireAt(time.Hour)
	w.runModel(serving())
	require.NoError(t, w.GetWorkflowError())
	require.Contains(t, state[lifecycle.ModelState](t, w).Releases[0].Problem.Message, "cancelled from outside")
}

func TestModelSaysWhatIsUnderWay(t *testing.T) {
	m := &model{state: serving()}
	m.state.InFlight = &lifecycle.InFlight{Release: 7}
	for _, err := range []error{m.mayRelease(order("more")), m.mayRollback(order("slow"))} {
		require.ErrorContains(t, err, "release 7 is under way; `steward cancel churn 7` ends it and leaves release 1 serving")
	}
	m.state.InFlight.Rollback = true
	require.ErrorContains(t, m.mayRelease(order("more")), "the rollback to release 7 is under way")
}

func TestModelThatRetiresTakesNoOrders(t *testing.T) {
	m := &model{state: serving()}
	require.NoError(t, m.mayRelease(order("more")))
	m.state.Retired = &lifecycle.Trigger{}
	for _, err := range []error{m.mayRelease(order("more")), m.mayPause(order("x")), m.mayRetire(order("x")), m.mayApply(lifecycle.Apply{Model: meta})} {
		require.Equal(t, lifecycle.Conflict, lifecycle.ErrorType(err))
	}
}

func TestModelOutlivesATerminatedRelease(t *testing.T) {
	w, _ := modelWorld(t, 0, "terminated")
	w.healthy()
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.ReleaseUpdate, order("go")) }, time.Minute)
	w.RegisterDelayedCallback(func() {
		s := state[lifecycle.ModelState](t, w)
		require.Nil(t, s.InFlight)
		require.Equal(t, lifecycle.StageFailed, s.Releases[0].Stage)
	}, time.Hour)
	w.retireAt(2 * time.Hour)
	w.runModel(modelInput())
	require.NoError(t, w.GetWorkflowError())
}

func TestModelAppliesAndKeepsSchedule(t *testing.T) {
	w, c := modelWorld(t, time.Hour, lifecycle.StageFailed)
	w.healthy()
	changed := declared()
	changed.Retrain.Schedule, changed.Retrain.On = "0 3 * * *", []lifecycle.Cause{lifecycle.CauseSchedule}
	apply := lifecycle.Apply{Model: meta, Spec: changed, Digest: "sha256:2", By: "ana"}
	w.SetStartTime(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.ApplyUpdate, apply) }, time.Minute)
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.ApplyUpdate, apply) }, 2*time.Minute)
	w.retireAt(30 * time.Hour)
	w.runModel(serving())
	require.NoError(t, w.GetWorkflowError())
	require.Len(t, c.releases, 2, "at 3 o'clock on both days")
	require.Equal(t, lifecycle.CauseSchedule, c.releases[0].Trigger.Cause)
	require.Equal(t, 1, count(w.kinds(), lifecycle.EntryApplied), "the same file again changes nothing")
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

func TestModelCarriesItsStateAcrossRuns(t *testing.T) {
	w, _ := modelWorld(t, 100*time.Hour, lifecycle.StageReleased)
	w.healthy()
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.ReleaseUpdate, order("go")) }, time.Minute)
	w.RegisterDelayedCallback(func() { w.SignalWorkflow(lifecycle.WindowSignal, badWindow(1, 1)) }, time.Hour)
	w.RegisterDelayedCallback(func() { w.SetContinueAsNewSuggested(true) }, 2*time.Hour)
	w.runModel(serving())
	next := continued[lifecycle.ModelState](t, w.GetWorkflowError())
	require.Equal(t, "model/churn/release/2", next.InFlight.Workflow, "the release goes on meanwhile")
	require.Len(t, next.Windows, 1)
	require.NotEmpty(t, next.Run)

	second, c := modelWorld(t, time.Hour, lifecycle.StageReleased)
	second.healthy()
	second.RegisterDelayedCallback(func() {
		second.SignalWorkflow(lifecycle.EndedSignal, lifecycle.Ended{ID: "model/churn/release/2", Release: 2, Stage: lifecycle.StageReleased, Champion: ptr(champion(2))})
	}, time.Hour)
	second.retireAt(2 * time.Hour)
	second.RegisterDelayedCallback(func() {
		require.Equal(t, 2, state[lifecycle.ModelState](t, second).Champion.Release)
	}, 90*time.Minute)
	second.runModel(next)
	require.NoError(t, second.GetWorkflowError())
	require.Empty(t, c.releases)
}

func TestContinuedModelNoticesALostRelease(t *testing.T) {
	w, _ := modelWorld(t, 0, lifecycle.StageReleased)
	w.OnActivity(runs.IsRunning, mock.Anything, mock.Anything).Return(false, nil)
	w.healthy()
	s := serving()
	s.InFlight = &lifecycle.InFlight{Release: 2, Workflow: lifecycle.ReleaseID("churn", 2)}
	s.Releases = []lifecycle.ReleaseSummary{{Number: 2}}
	w.RegisterDelayedCallback(func() {
		require.NotNil(t, state[lifecycle.ModelState](t, w).InFlight, "its report may still come")
	}, 90*time.Minute)
	w.RegisterDelayedCallback(func() {
		s := state[lifecycle.ModelState](t, w)
		require.Nil(t, s.InFlight)
		require.Equal(t, lifecycle.StageFailed, s.Releases[0].Stage)
	}, 3*time.Hour)
	w.retireAt(4 * time.Hour)
	w.runModel(s)
	require.NoError(t, w.GetWorkflowError())
}

func TestModelThatCannotRetireLivesOn(t *testing.T) {
	w, _ := modelWorld(t, 0, lifecycle.StageReleased)
	tries := 0
	w.OnActivity(deployment.Retire, mock.Anything, mock.Anything).Return(func(context.Context, lifecycle.RemoveInput) (lifecycle.Removed, error) {
		if tries++; tries == 1 {
			return lifecycle.Removed{}, lifecycle.Fail(lifecycle.Denied, "may not delete the endpoint")
		}
		return lifecycle.Removed{}, nil
	})
	w.healthy()
	w.retireAt(time.Hour)
	w.RegisterDelayedCallback(func() {
		s := state[lifecycle.ModelState](t, w)
		require.Equal(t, lifecycle.Denied, s.Problem.Type)
		require.Nil(t, s.Retired)
		require.NotNil(t, s.Champion)
		require.True(t, s.Watching, "what still serves is watched")
	}, 2*time.Hour)
	w.retireAt(3 * time.Hour)
	w.runModel(serving())
	require.NoError(t, w.GetWorkflowError())
	require.False(t, state[lifecycle.ModelState](t, w).Gone.IsZero())
}

func TestModelSurvivesALedgerThatRefuses(t *testing.T) {
	w, c := modelWorld(t, time.Hour, lifecycle.StageReleased)
	refusals := 0
	w.OnActivity(records.Record, mock.Anything, mock.Anything).Return(func(_ context.Context, e lifecycle.Entry) error {
		if e.Kind == lifecycle.EntryTriggered && refusals < 3 {
			refusals++
			return lifecycle.Fail(lifecycle.Denied, "may not write the ledger")
		}
		return nil
	})
	w.healthy()
	for i := range 2 {
		w.RegisterDelayedCallback(func() { w.SignalWorkflow(lifecycle.WindowSignal, badWindow(1, i)) }, time.Duration(i+1)*30*time.Minute)
	}
	w.retireAt(20 * time.Hour)
	w.runModel(serving())
	require.NoError(t, w.GetWorkflowError())
	require.Equal(t, 3, refusals)
	require.Len(t, c.releases, 1, "the trigger waits until its record can be written")
}

func TestModelNoticesASilentWatch(t *testing.T) {
	w, c := modelWorld(t, time.Hour, lifecycle.StageReleased)
	w.healthy()
	w.RegisterDelayedCallback(func() {
		w.SignalWorkflow(lifecycle.WindowSignal, lifecycle.WindowReport{ID: "x",
			Window: lifecycle.Window{ID: "1-4", Seq: 4, Release: 1, Findings: []lifecycle.Finding{{Cause: lifecycle.CauseDrift, Outcome: lifecycle.Pass}}}})
	}, time.Hour)
	w.RegisterDelayedCallback(func() {
		require.Equal(t, lifecycle.HealthGood, state[lifecycle.ModelState](t, w).Health)
	}, 2*time.Hour)
	w.retireAt(6 * time.Hour)
	w.runModel(serving())
	require.NoError(t, w.GetWorkflowError())
	require.Contains(t, w.notices(), lifecycle.NoticeUnclear)
	require.Contains(t, c.signals, "champion → model/churn/watch", "it is woken")
}
