package workflows

import (
	"errors"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
	"steward/internal/policy"
)

// informWatch tells the watch what serves now and by which declaration, and
// starts one if there is none.
func (m *model) informWatch(ctx workflow.Context) {
	if m.state.Champion == nil || m.state.Retired != nil {
		return
	}
	m.state.Reported = workflow.Now(ctx)
	change := lifecycle.WatchChange{Champion: *m.state.Champion, Spec: m.state.Spec}
	if m.state.Watching && m.signalWatch(ctx, lifecycle.ChampionSignal, change) {
		return
	}
	err := m.startWatch(ctx)
	var running *temporal.ChildWorkflowExecutionAlreadyStartedError
	if errors.As(err, &running) { // one of an earlier run of this model
		m.state.Watching = true
		m.signalWatch(ctx, lifecycle.ChampionSignal, change)
		return
	}
	if err != nil {
		m.log.Error("the watch was not started", "error", err)
	}
	m.state.Watching = err == nil
}

func (m *model) startWatch(ctx workflow.Context) error {
	name := m.state.Model.Name
	opts := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: lifecycle.WatchID(name), ParentClosePolicy: enums.PARENT_CLOSE_POLICY_ABANDON,
		StaticSummary: name + ": watch of what serves",
		TypedSearchAttributes: temporal.NewSearchAttributes(lifecycle.AttrModel.ValueSet(name),
			lifecycle.AttrOwner.ValueSet(m.state.Model.Team)),
	})
	state := lifecycle.WatchState{Model: m.state.Model, Spec: m.state.Spec, Champion: *m.state.Champion, Seq: m.state.Window}
	return workflow.ExecuteChildWorkflow(opts, lifecycle.WatchWorkflow, state).GetChildWorkflowExecution().Get(ctx, nil)
}

// silentAt is when the watch should have been heard of again; zero if nothing
// is watched.
func (m *model) silentAt() time.Time {
	if m.state.Champion == nil || m.state.Unwatched {
		return time.Time{}
	}
	return policy.Silent(m.state.Spec.Watch, m.state.Reported)
}

// noticeSilence notices a watch that has fallen silent, and wakes it: silence is
// not health.
func (m *model) noticeSilence(ctx workflow.Context) {
	at := m.silentAt()
	if at.IsZero() || workflow.Now(ctx).Before(at) {
		return
	}
	m.state.Health = lifecycle.HealthUnknown
	m.tellAll(ctx, lifecycle.NoticeUnclear, fmt.Sprintf("%s: no window was measured since %s",
		m.state.Model.Name, m.state.Reported.Format("2 Jan 15:04 MST")))
	m.informWatch(ctx)
}

// signalWatch tells the watch something; false means that there is none.
func (m *model) signalWatch(ctx workflow.Context, name string, arg any) bool {
	if !m.state.Watching {
		return false
	}
	err := workflow.SignalExternalWorkflow(ctx, lifecycle.WatchID(m.state.Model.Name), "", name, arg).Get(ctx, nil)
	if err != nil {
		m.log.Warn("the watch was not told", "signal", name, "error", err)
	}
	return err == nil
}

func (m *model) mayRetire(o lifecycle.Order) error { return m.reasoned(o) }

// orderRetirement begins the end: from here on nothing else is accepted.
func (m *model) orderRetirement(ctx workflow.Context, o lifecycle.Order) (lifecycle.ModelState, error) {
	if err := m.scribe.record(ctx, lifecycle.EntryRetired, o.By, "retired: "+o.Reason, nil); err != nil {
		return m.state, err
	}
	if m.state.Retired == nil {
		m.state.Retired = &lifecycle.Trigger{Cause: lifecycle.CauseManual, Reason: o.Reason, Author: o.By, At: workflow.Now(ctx)}
		m.state.Problem, m.news = nil, true
	}
	return m.state, nil
}

// retire ends what is under way, then the watch, then removes all that serves.
// Data, registry and ledger stay: they are the record. If something cannot be
// removed, the model lives on and says so: it can be ordered to retire again.
func (m *model) retire(ctx workflow.Context) {
	m.show(ctx)
	err := m.endAll(ctx)
	if err == nil {
		m.state.Gone = workflow.Now(ctx)
		m.state.Champion, m.state.Previous, m.state.Restored = nil, nil, nil
		m.state.Pending, m.state.Health = nil, lifecycle.HealthUnknown
		m.show(ctx)
		m.tellAllNow(ctx, lifecycle.NoticeRetired, m.state.Model.Name+" is retired")
		return
	}
	m.log.Error("the model could not be retired", "error", err)
	m.state.Problem, m.state.Retired, m.news = lifecycle.ProblemOf(err), nil, true
	m.informWatch(ctx)
	m.tellAll(ctx, lifecycle.NoticeFailed, m.state.Model.Name+": retirement failed: "+m.state.Problem.Message)
}

func (m *model) endAll(ctx workflow.Context) error {
	if err := m.inbox.settle(ctx); err != nil { // what is just beginning is known then
		return err
	}
	if err := m.endInFlight(ctx); err != nil {
		return err
	}
	if err := m.inbox.settle(ctx); err != nil {
		return err
	}
	if m.state.Watching {
		id := lifecycle.WatchID(m.state.Model.Name)
		if err := workflow.RequestCancelExternalWorkflow(ctx, id, "").Get(ctx, nil); err != nil {
			m.log.Warn("the watch was not cancelled", "workflow", id, "error", err)
		}
		m.state.Watching = false
	}
	of := lifecycle.Of{Model: m.state.Model.Name}
	removed, err := call(ctx, job, "remove all that serves", deployment.Retire, lifecycle.RemoveInput{Of: of, Reason: m.state.Retired.Reason})
	if err != nil {
		return err
	}
	return m.scribe.record(ctx, lifecycle.EntryUndone, lifecycle.Machine, fmt.Sprintf("removed: %v", removed.Resources), nil)
}

// endInFlight ends what is under way and waits for its report.
func (m *model) endInFlight(ctx workflow.Context) error {
	f := m.state.InFlight
	if f == nil {
		return nil
	}
	if err := m.stop(ctx, *f); err != nil {
		m.log.Warn("what is under way could not be cancelled: it is over", "workflow", f.Workflow, "error", err)
		m.state.InFlight = nil
	}
	return workflow.Await(ctx, func() bool { return m.state.InFlight == nil })
}

// stop ends what is under way, and tells a release before who ends it and why: its
// own record must say so. A rollback is told nothing, since only the model keeps a
// record of it.
func (m *model) stop(ctx workflow.Context, f lifecycle.InFlight) error {
	if !f.Rollback && workflow.GetVersion(ctx, "retirement names its author", workflow.DefaultVersion, 1) == 1 {
		c := lifecycle.Cancel{By: m.state.Retired.Author, Reason: "the model is retired: " + m.state.Retired.Reason}
		if err := workflow.SignalExternalWorkflow(ctx, f.Workflow, "", lifecycle.CancelSignal, c).Get(ctx, nil); err != nil {
			m.log.Warn("the release was not told who ends it", "workflow", f.Workflow, "error", err)
		}
	}
	return workflow.RequestCancelExternalWorkflow(ctx, f.Workflow, "").Get(ctx, nil)
}
