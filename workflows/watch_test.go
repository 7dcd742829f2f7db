package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

// reports collects what the watch tells the model.
func reports(w *world) *[]lifecycle.WindowReport {
	var got []lifecycle.WindowReport
	w.OnSignalExternalWorkflow(mock.Anything, lifecycle.ModelID("churn"), "", lifecycle.WindowSignal, mock.Anything).
		Return(func(_, _, _, _ string, arg any) error {
			got = append(got, arg.(lifecycle.WindowReport))
			return nil
		}).Maybe()
	return &got
}

func watchInput() lifecycle.WatchState {
	return lifecycle.WatchState{Model: meta, Spec: declared(), Champion: champion(1)}
}

func ids(got []lifecycle.WindowReport) (out []string) {
	for _, r := range got {
		out = append(out, r.ID)
	}
	return out
}

func TestWatchMeasuresWindowsAndLaterTheirQuality(t *testing.T) {
	w := newWorld(t).healthy()
	got := reports(w)
	w.RegisterDelayedCallback(w.CancelWorkflow, 4*time.Hour+30*time.Minute)
	w.ExecuteWorkflow(lifecycle.WatchWorkflow, watchInput())
	require.ErrorContains(t, w.GetWorkflowError(), "canceled")
	require.Equal(t, []string{"1-1/closed", "1-2/closed", "1-3/closed", "1-1/matured", "1-4/closed", "1-2/matured"}, ids(*got))
	first, second := (*got)[0].Window, (*got)[1].Window
	require.Equal(t, first.To, second.From, "windows leave no gap")
	require.True(t, (*got)[3].Window.Matured)
}

func TestWatchReportsWhatItCouldNotMeasure(t *testing.T) {
	w := newWorld(t)
	w.OnActivity(monitoring.MeasureTraffic, mock.Anything, mock.Anything).Return(lifecycle.Window{}, lifecycle.Fail(lifecycle.Invalid, "capture is unreadable"))
	w.healthy()
	got := reports(w)
	w.RegisterDelayedCallback(w.CancelWorkflow, 90*time.Minute)
	w.ExecuteWorkflow(lifecycle.WatchWorkflow, watchInput())
	require.Len(t, *got, 1)
	require.Len(t, state[lifecycle.WatchState](t, w).Windows, 1, "its ground truth may still be measured")
	require.Equal(t, lifecycle.Faulty, (*got)[0].Window.Findings[0].Outcome, "neither a pass nor a verdict on the model")
}

func TestWatchFollowsTheChampion(t *testing.T) {
	w := newWorld(t).healthy()
	got := reports(w)
	w.RegisterDelayedCallback(func() {
		w.SignalWorkflow(lifecycle.ChampionSignal, lifecycle.WatchChange{Champion: champion(2), Spec: declared()})
	}, 90*time.Minute)
	w.RegisterDelayedCallback(w.CancelWorkflow, 3*time.Hour+50*time.Minute)
	w.ExecuteWorkflow(lifecycle.WatchWorkflow, watchInput())
	require.Equal(t, []string{"1-1/closed", "1-2/closed", "2-3/closed", "1-1/matured", "2-4/closed", "1-2/matured"}, ids(*got))
	require.Equal(t, 30*time.Minute, (*got)[1].Window.To.Sub((*got)[1].Window.From).Round(time.Minute), "the open window ends with its champion")
	require.Equal(t, []int{1, 1}, []int{(*got)[3].Window.Release, (*got)[5].Window.Release}, "the old champion's windows mature as its own")
	require.Empty(t, state[lifecycle.WatchState](t, w).Former, "and it is forgotten then")
}

func TestWatchPauses(t *testing.T) {
	w := newWorld(t).healthy()
	got := reports(w)
	w.RegisterDelayedCallback(func() { w.SignalWorkflow(lifecycle.PauseSignal, nil) }, 30*time.Minute)
	w.RegisterDelayedCallback(func() { w.SignalWorkflow(lifecycle.ResumeSignal, nil) }, 50*time.Hour)
	w.RegisterDelayedCallback(w.CancelWorkflow, 52*time.Hour)
	w.ExecuteWorkflow(lifecycle.WatchWorkflow, watchInput())
	require.Equal(t, []string{"1-1/closed", "1-1/matured", "1-2/closed"}, ids(*got), "what was open ends with the pause, and nothing is measured in it")
}

func TestWatchCarriesItsStateAcrossRuns(t *testing.T) {
	w := newWorld(t).healthy()
	reports(w)
	w.RegisterDelayedCallback(func() { w.SetContinueAsNewSuggested(true) }, 90*time.Minute)
	w.ExecuteWorkflow(lifecycle.WatchWorkflow, watchInput())
	next := continued[lifecycle.WatchState](t, w.GetWorkflowError())
	require.Equal(t, 1, next.Seq)
	require.Len(t, next.Windows, 1, "it waits for its ground truth")
	require.False(t, next.Next.IsZero())
}
