package workflows

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

func releaseInput() lifecycle.ReleaseInput {
	return lifecycle.ReleaseInput{Model: meta, Number: 2, Spec: declared(), Digest: "sha256:spec",
		Trigger: lifecycle.Trigger{Cause: lifecycle.CauseManual, Author: "ana", Reason: "first"}}
}

func yesFrom(who string, roles ...lifecycle.Role) lifecycle.Decision {
	return lifecycle.Decision{Model: "churn", Release: 2, Digest: evidence.Digest, Subject: who, Roles: roles, Approve: true, Comment: "fine"}
}

const pm = lifecycle.ProductManager

// toModel expects the report to the model and returns it.
func toModel(w *world) *lifecycle.Ended {
	var got lifecycle.Ended
	w.OnSignalExternalWorkflow(mock.Anything, lifecycle.ModelID("churn"), "", lifecycle.EndedSignal, mock.Anything).
		Return(func(_, _, _, _ string, arg any) error {
			got = arg.(lifecycle.Ended)
			return nil
		}).Maybe()
	return &got
}

func rolledOut(w *world, o lifecycle.RolloutOutcome) {
	o.Done = true
	w.OnWorkflow(lifecycle.RolloutWorkflow, mock.Anything, mock.Anything).Return(o, nil).Maybe()
}

func TestReleaseGoesFromDataToProduction(t *testing.T) {
	w := newWorld(t).healthy()
	ended := toModel(w)
	rolledOut(w, lifecycle.RolloutOutcome{Promoted: true})
	in := releaseInput()
	in.Champion = ptr(champion(1))
	var got *answer
	w.RegisterDelayedCallback(func() { got = w.ask(lifecycle.DecideUpdate, yesFrom("pat", pm)) }, 2*time.Hour)
	w.ExecuteWorkflow(lifecycle.ReleaseWorkflow, in)

	require.NoError(t, w.GetWorkflowError())
	require.True(t, got.accepted)
	require.NoError(t, got.failed)
	var s lifecycle.ReleaseState
	require.NoError(t, w.GetWorkflowResult(&s))
	require.Equal(t, lifecycle.StageReleased, s.Stage)
	require.Equal(t, "linear", s.Winner, "a tie goes to the first declared")
	require.InDelta(t, 2*0.5+4*0.1, s.Cost, 1e-9, "two trainings, two validations, two tests")
	require.Equal(t, []string{"release.opened", "release.snapshot", "release.checked", "release.training", "release.selected",
		"release.judged", "release.registered", "release.evidence", "release.decision", "release.approved", "release.ended"}, w.kinds())
	require.Equal(t, 2, ended.Champion.Release)
	require.Equal(t, "pat", ended.Champion.Approved[0].Subject)
	require.Contains(t, w.notices(), lifecycle.NoticeApproval)
	require.Contains(t, w.notices(), lifecycle.NoticeReleased)
}

func TestReleaseProfilesByAJob(t *testing.T) {
	w := newWorld(t).healthy()
	toModel(w)
	rolledOut(w, lifecycle.RolloutOutcome{Promoted: true})
	in := releaseInput()
	in.Spec.Data.Profile = &lifecycle.Profiling{Image: "steward/profile", Instance: "i", Count: 2}
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.DecideUpdate, yesFrom("pat", pm)) }, 2*time.Hour)
	w.ExecuteWorkflow(lifecycle.ReleaseWorkflow, in)
	require.NoError(t, w.GetWorkflowError())
	var s lifecycle.ReleaseState
	require.NoError(t, w.GetWorkflowResult(&s))
	require.Equal(t, lifecycle.StageReleased, s.Stage)
	require.Equal(t, "s3://b/baseline.json", s.Parts.Baseline)
	require.InDelta(t, 0.3+2*0.5+3*0.1, s.Cost, 1e-9, "the profile, two trainings, two validations, a test")
}

func TestReleaseThatDoesNotMakeIt(t *testing.T) {
	m := mock.Anything
	undoneData := []string{"data of the release removed"}
	undoneJobs := append([]string{"jobs stopped"}, undoneData...)
	for _, tt := range []struct {
		name    string
		arrange func(w *world, in *lifecycle.ReleaseInput)
		stage   lifecycle.Stage
		problem string
		fails   bool // the run itself fails
		undone  []string
	}{
		{"data break a check", func(w *world, _ *lifecycle.ReleaseInput) {
			w.OnActivity(data.CheckSnapshot, m, m).Return([]lifecycle.CheckResult{{Name: "age", Severity: "stop", Observed: "-1"}}, nil)
		}, lifecycle.StageFailed, lifecycle.DataRejected, true, undoneData},
		{"no column", func(w *world, _ *lifecycle.ReleaseInput) {
			w.OnActivity(data.TakeSnapshot, m, m).Return(lifecycle.Snapshot{}, lifecycle.Fail(lifecycle.DataRejected, "no column y"))
		}, lifecycle.StageFailed, lifecycle.DataRejected, true, nil},
		{"the profiling job fails", func(w *world, in *lifecycle.ReleaseInput) {
			in.Spec.Data.Profile = &lifecycle.Profiling{Image: "steward/profile", Instance: "i", Count: 2}
			w.OnActivity(profiling.ProfilePart, m, m).Return(lifecycle.Profiled{}, lifecycle.Fail(lifecycle.JobFailed, "no memory"))
			w.OnActivity(evaluation.Abandon, m, mock.MatchedBy(func(a lifecycle.AbandonInput) bool {
				return slices.Equal(a.Processing, []string{"steward-churn-r2-profile-train"})
			})).Return(lifecycle.Removed{}, nil).Once()
		}, lifecycle.StageFailed, lifecycle.JobFailed, true, undoneJobs},
		{"over budget by the profiling job", func(_ *world, in *lifecycle.ReleaseInput) {
			in.Spec.Data.Profile = &lifecycle.Profiling{Image: "steward/profile", Instance: "i", Count: 9}
		}, lifecycle.StageFailed, lifecycle.OverBudget, true, undoneJobs},
		{"over budget", func(w *world, in *lifecycle.ReleaseInput) { in.Spec.Training.Budget = 1.5 },
			lifecycle.StageFailed, lifecycle.OverBudget, true, undoneData},
		{"every candidate fails", func(w *world, _ *lifecycle.ReleaseInput) {
			w.OnActivity(training.Train, m, m).Return(lifecycle.Trained{}, lifecycle.Fail(lifecycle.JobFailed, "exit 1: no memory"))
		}, lifecycle.StageFailed, lifecycle.JobFailed, true, undoneJobs},
		{"gates", func(w *world, _ *lifecycle.ReleaseInput) {
			w.OnActivity(evaluation.Evaluate, m, m).Return(auc(0.55), nil)
		}, lifecycle.StageRejected, lifecycle.GatesFailed, false, undoneJobs},
		{"a person says no", func(w *world, _ *lifecycle.ReleaseInput) {
			no := yesFrom("pat", pm)
			no.Approve = false
			w.RegisterDelayedCallback(func() { w.ask(lifecycle.DecideUpdate, no) }, time.Hour)
		}, lifecycle.StageRejected, lifecycle.NotApproved, false, []string{"package marked rejected"}},
		{"nobody answers", func(*world, *lifecycle.ReleaseInput) {},
			lifecycle.StageRejected, lifecycle.NotApproved, false, []string{"package marked rejected"}},
		{"the rollout is condemned", func(w *world, _ *lifecycle.ReleaseInput) {
			rolledOut(w, lifecycle.RolloutOutcome{Problem: &lifecycle.Problem{Type: lifecycle.RolledBack, Message: "p99"}})
			w.RegisterDelayedCallback(func() { w.ask(lifecycle.DecideUpdate, yesFrom("pat", pm)) }, time.Hour)
		}, lifecycle.StageReturned, lifecycle.RolledBack, false, []string{"package marked rejected"}},
		{"a person cancels while jobs run", func(w *world, _ *lifecycle.ReleaseInput) {
			w.OnActivity(training.Train, m, m).After(2*time.Hour).Return(trained, nil)
			w.RegisterDelayedCallback(func() {
				w.ask(lifecycle.CancelUpdate, lifecycle.Cancel{By: "oli", Reason: "wrong data"})
			}, time.Hour)
		}, lifecycle.StageCancelled, lifecycle.Cancelled, false, undoneJobs},
		{"its rollout is cancelled", func(w *world, _ *lifecycle.ReleaseInput) {
			rolledOut(w, lifecycle.RolloutOutcome{Problem: &lifecycle.Problem{Type: lifecycle.Cancelled, Message: "it was cancelled"}})
			w.RegisterDelayedCallback(func() { w.ask(lifecycle.DecideUpdate, yesFrom("pat", pm)) }, time.Hour)
		}, lifecycle.StageCancelled, lifecycle.Cancelled, false, []string{"package marked rejected"}},
		{"a person cancels", func(w *world, _ *lifecycle.ReleaseInput) {
			w.RegisterDelayedCallback(func() {
				w.ask(lifecycle.CancelUpdate, lifecycle.Cancel{By: "oli", Reason: "wrong data"})
			}, time.Hour)
		}, lifecycle.StageCancelled, lifecycle.Cancelled, false, []string{"package marked rejected"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			in := releaseInput()
			tt.arrange(w, &in)
			w.healthy()
			ended := toModel(w)
			w.ExecuteWorkflow(lifecycle.ReleaseWorkflow, in)

			require.True(t, w.IsWorkflowCompleted())
			s := state[lifecycle.ReleaseState](t, w)
			require.Equal(t, tt.stage, s.Stage)
			require.Equal(t, tt.problem, s.Problem.Type, s.Problem.Message)
			require.Equal(t, tt.undone, s.Undone)
			require.Equal(t, tt.stage, ended.Stage)
			require.Nil(t, ended.Champion)
			if tt.fails {
				require.Equal(t, tt.problem, lifecycle.ErrorType(w.GetWorkflowError()))
			} else {
				require.NoError(t, w.GetWorkflowError())
			}
			require.Equal(t, lifecycle.EntryEnded, w.kinds()[len(w.kinds())-1])
			require.Contains(t, w.notices(), lifecycle.NoticeFailed)
		})
	}
}

// A release that ends with its model names who retired it, in its own record.
func TestReleaseEndsWithItsModel(t *testing.T) {
	w := newWorld(t).healthy()
	ended := toModel(w)
	w.RegisterDelayedCallback(func() {
		for _, by := range []string{"oli", "somebody who was slower"} {
			w.SignalWorkflow(lifecycle.CancelSignal, lifecycle.Cancel{By: by, Reason: "the model is retired: over"})
		}
		w.CancelWorkflow()
	}, time.Hour)
	w.ExecuteWorkflow(lifecycle.ReleaseWorkflow, releaseInput())
	require.NoError(t, w.GetWorkflowError())
	require.Equal(t, lifecycle.StageCancelled, ended.Stage)
	require.Equal(t, "cancelled by oli: the model is retired: over", ended.Problem.Message)
	require.Contains(t, w.notices(), lifecycle.NoticeFailed)
}

func TestReleaseGoesOnWithTheCandidatesThatAreLeft(t *testing.T) {
	w := newWorld(t)
	w.OnActivity(training.Train, mock.Anything, mock.Anything).Return(func(_ context.Context, in lifecycle.TrainInput) (lifecycle.Trained, error) {
		if in.Candidate.Name == "linear" {
			return lifecycle.Trained{}, lifecycle.Fail(lifecycle.JobFailed, "exit 1")
		}
		return trained, nil
	})
	w.healthy()
	toModel(w)
	rolledOut(w, lifecycle.RolloutOutcome{Promoted: true})
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.DecideUpdate, yesFrom("pat", pm)) }, time.Hour)
	w.ExecuteWorkflow(lifecycle.ReleaseWorkflow, releaseInput())
	require.NoError(t, w.GetWorkflowError())
	s := state[lifecycle.ReleaseState](t, w)
	require.Equal(t, "trees", s.Winner)
	require.Equal(t, lifecycle.JobFailed, s.Candidate("linear").Problem.Type)
}

func TestReleaseRefusesAnswersThatCannotCount(t *testing.T) {
	stale, foreign := yesFrom("pat", pm), yesFrom("pat", pm)
	stale.Digest, foreign.Release = "sha256:old", 3
	for _, tt := range []struct {
		name string
		d    lifecycle.Decision
		want string
	}{
		{"by the author", yesFrom("ana", pm), lifecycle.Denied},
		{"without a role", yesFrom("oli", lifecycle.Operator), lifecycle.Denied},
		{"about other evidence", stale, lifecycle.Conflict},
		{"about another release", foreign, lifecycle.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t).healthy()
			toModel(w)
			var got *answer
			w.RegisterDelayedCallback(func() { got = w.ask(lifecycle.DecideUpdate, tt.d) }, time.Hour)
			w.RegisterDelayedCallback(func() { w.SignalWorkflow(lifecycle.DecideSignal, tt.d) }, 2*time.Hour)
			w.ExecuteWorkflow(lifecycle.ReleaseWorkflow, releaseInput())
			require.Equal(t, tt.want, lifecycle.ErrorType(got.rejected))
			s := state[lifecycle.ReleaseState](t, w)
			require.Empty(t, s.Decisions)
			require.Equal(t, lifecycle.StageRejected, s.Stage, "silence is a rejection")
			require.Contains(t, w.kinds(), lifecycle.EntryDecided, "the signal is recorded")
		})
	}
}

func TestReleaseCountsNoUnverifiedDecision(t *testing.T) {
	w := newWorld(t)
	w.OnActivity(records.VerifyDecision, mock.Anything, mock.Anything).Return(lifecycle.Verified{Why: "bad signature"}, nil)
	w.healthy()
	toModel(w)
	w.RegisterDelayedCallback(func() { w.SignalWorkflow(lifecycle.DecideSignal, yesFrom("pat", pm)) }, time.Hour)
	w.ExecuteWorkflow(lifecycle.ReleaseWorkflow, releaseInput())
	s := state[lifecycle.ReleaseState](t, w)
	require.Empty(t, s.Decisions)
	require.Equal(t, lifecycle.StageRejected, s.Stage)
	require.Contains(t, w.kinds(), lifecycle.EntryDecided)
}

func TestReleaseTakesARepeatedDecisionOnce(t *testing.T) {
	w := newWorld(t).healthy()
	toModel(w)
	rolledOut(w, lifecycle.RolloutOutcome{Promoted: true})
	in := releaseInput()
	in.Spec.Approval.Require = []lifecycle.Requirement{{Role: pm, Count: 2}}
	for _, at := range []time.Duration{time.Hour, 2 * time.Hour} {
		w.RegisterDelayedCallback(func() { w.ask(lifecycle.DecideUpdate, yesFrom("pat", pm)) }, at)
	}
	w.RegisterDelayedCallback(func() { w.SignalWorkflow(lifecycle.DecideSignal, yesFrom("kim", pm)) }, 3*time.Hour)
	w.ExecuteWorkflow(lifecycle.ReleaseWorkflow, in)
	require.NoError(t, w.GetWorkflowError())
	require.Len(t, state[lifecycle.ReleaseState](t, w).Decisions, 2)
}

func TestReleaseRemindsAndEscalates(t *testing.T) {
	w := newWorld(t).healthy()
	toModel(w)
	w.ExecuteWorkflow(lifecycle.ReleaseWorkflow, releaseInput())
	s := state[lifecycle.ReleaseState](t, w)
	require.Equal(t, 13, s.Reminders, "daily, until the 14 days are over")
	require.Contains(t, w.notices(), lifecycle.NoticeEscalated)
	require.WithinDuration(t, s.Asked.Add(14*24*time.Hour), s.Ended, time.Minute)
}

func TestReleaseCarriesItsStateAcrossRuns(t *testing.T) {
	w := newWorld(t).healthy()
	toModel(w)
	in := releaseInput()
	in.Spec.Approval.Require = []lifecycle.Requirement{{Role: pm, Count: 2}}
	w.RegisterDelayedCallback(func() { w.ask(lifecycle.DecideUpdate, yesFrom("pat", pm)) }, time.Hour)
	w.RegisterDelayedCallback(func() {
		w.SetContinueAsNewSuggested(true)
		w.SignalWorkflow("wake", nil)
	}, 2*time.Hour)
	w.ExecuteWorkflow(lifecycle.ReleaseWorkflow, in)
	next := continued[lifecycle.ReleaseInput](t, w.GetWorkflowError())

	second := newWorld(t).healthy()
	toModel(second)
	rolledOut(second, lifecycle.RolloutOutcome{Promoted: true})
	var kim *answer
	second.RegisterDelayedCallback(func() { kim = second.ask(lifecycle.DecideUpdate, yesFrom("kim", pm)) }, time.Hour)
	second.ExecuteWorkflow(lifecycle.ReleaseWorkflow, next)
	require.NoError(t, second.GetWorkflowError())
	require.NoError(t, kim.rejected)
	require.NoError(t, kim.failed)
	s := state[lifecycle.ReleaseState](t, second)
	require.Equal(t, lifecycle.StageReleased, s.Stage, s.Problem)
	require.Len(t, s.Decisions, 2, "the first run's decision counts")
	require.NotContains(t, second.kinds(), lifecycle.EntryOpened, "nothing is done twice")
	require.Equal(t, len(w.ledger)+len(second.ledger), s.Entries, "entry ids go on")
}

func TestReleaseDoesNotCompareAcrossFeatures(t *testing.T) {
	w := newWorld(t)
	other := parts
	other.Features = []string{"a", "b"}
	w.OnActivity(data.PrepareParts, mock.Anything, mock.Anything).Return(other, nil)
	w.healthy()
	toModel(w)
	in := releaseInput()
	in.Champion = ptr(champion(1))
	w.ExecuteWorkflow(lifecycle.ReleaseWorkflow, in)
	s := state[lifecycle.ReleaseState](t, w)
	require.Nil(t, s.Champion, "rows without names would be read as other features")
	require.Equal(t, lifecycle.Inconclusive, s.Verdicts[1].Outcome)
	require.Contains(t, s.Verdicts[1].Detail, "other features")
	require.Equal(t, lifecycle.GatesFailed, s.Problem.Type)
}
