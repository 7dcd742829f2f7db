package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/robfig/cron"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
	"steward/internal/policy"
)

// Model keeps one model alive. It serialises everything that may change the
// model: one release or rollback at a time; reasons for another that arrive
// meanwhile are noted and judged when it has ended. It lives until it is
// retired, continuing as new, so all it must remember is its state.
func Model(ctx workflow.Context, state lifecycle.ModelState) (lifecycle.ModelState, error) {
	m := newModel(ctx, state)
	if err := m.listen(ctx); err != nil {
		return m.state, err
	}
	if err := m.openLedger(ctx); err != nil {
		return m.state, err
	}
	if m.state.InFlight != nil {
		workflow.Go(ctx, m.follow)
	}
	for m.state.Gone.IsZero() {
		if err := m.turn(ctx); err != nil {
			return m.state, err
		}
		if m.state.Retired != nil {
			m.retire(ctx)
		} else if m.inbox.mustContinue(ctx) {
			return m.state, workflow.NewContinueAsNewError(ctx, lifecycle.ModelWorkflow, m.state)
		}
	}
	return m.state, m.inbox.settle(ctx)
}

type model struct {
	state   lifecycle.ModelState
	scribe  scribe
	log     log.Logger
	inbox   *inbox
	display display
	news    bool      // something changed since the last turn
	retry   time.Time // no automatic release before, after one could not be started
}

func newModel(ctx workflow.Context, state lifecycle.ModelState) *model {
	m := &model{state: state, log: workflow.GetLogger(ctx), inbox: newInbox(ctx), display: display{log: workflow.GetLogger(ctx)}}
	if m.state.Run == "" {
		m.state.Run = workflow.GetInfo(ctx).WorkflowExecution.RunID
		m.state.Health = lifecycle.HealthUnknown
	}
	m.scribe = scribe{model: state.Model.Name,
		source: lifecycle.ModelID(state.Model.Name) + "/" + m.state.Run, next: &m.state.Entries}
	return m
}

// openLedger finds out which release numbers are taken: a model may have lived
// before under this name, and its cloud resources' names must not come again.
// Nothing else begins before that is known.
func (m *model) openLedger(ctx workflow.Context) error {
	for !m.state.Opened {
		found, err := call(ctx, head, "read the ledger's head", records.OpenLedger, m.state.Model.Name)
		if err == nil {
			m.state.Last, m.state.Opened = max(m.state.Last, found.LastRelease), true
			return nil
		}
		m.log.Error("the ledger could not be read", "error", err)
		if err := workflow.Sleep(ctx, retryAfter); err != nil {
			return err
		}
	}
	return nil
}

// retryAfter is how long the model waits after something failed that it must do: it
// never ends because of a failure, since it alone knows what serves.
const retryAfter = 10 * time.Minute

// turn starts what is due, or waits until something changes.
func (m *model) turn(ctx workflow.Context) error {
	if m.state.Retired != nil {
		return ctx.Err()
	}
	m.news = false
	m.tick(ctx)
	m.noticeSilence(ctx)
	now := workflow.Now(ctx)
	due, at := policy.Due(&m.state, now)
	m.show(ctx)
	if due != nil && !now.Before(m.retry) {
		err := m.startDue(ctx, *due)
		if err != nil && ctx.Err() == nil {
			m.log.Error("an automatic release was not started", "cause", due.Cause, "error", err)
			m.retry = workflow.Now(ctx).Add(retryAfter)
		}
		return ctx.Err()
	}
	if due != nil {
		at = m.retry
	}
	return m.await(ctx, earlier(earlier(at, m.state.NextCron), m.silentAt()))
}

// await returns when something changed, or at a time if that is not zero.
func (m *model) await(ctx workflow.Context, at time.Time) error {
	changed := func() bool { return m.news || m.inbox.mustContinue(ctx) }
	if at.IsZero() {
		return workflow.Await(ctx, changed)
	}
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      max(at.Sub(workflow.Now(ctx)), 0),
		TimerOptions: workflow.TimerOptions{Summary: "next look"},
	}, changed)
	return err
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// tick notes a scheduled release whose time has come, and sets the next.
func (m *model) tick(ctx workflow.Context) {
	expr := m.state.Spec.Retrain.Schedule
	if expr == "" || m.state.Paused != "" {
		m.state.NextCron = time.Time{}
		return
	}
	now := workflow.Now(ctx).UTC()
	schedule, err := cron.ParseStandard(expr)
	if err != nil {
		m.log.Error("the schedule cannot be read", "schedule", expr, "error", err)
		return
	}
	if !m.state.NextCron.IsZero() && !m.state.NextCron.After(now) {
		m.note(lifecycle.Trigger{Cause: lifecycle.CauseSchedule, Reason: "schedule " + expr, Author: lifecycle.Machine, At: now})
		m.state.NextCron = time.Time{}
	}
	if m.state.NextCron.IsZero() {
		m.state.NextCron = schedule.Next(now)
	}
}

// startDue begins an automatic release.
func (m *model) startDue(ctx workflow.Context, t lifecycle.Trigger) error {
	text := fmt.Sprintf("%s triggers a release: %s", t.Cause, t.Reason)
	if err := m.scribe.record(ctx, lifecycle.EntryTriggered, lifecycle.Machine, text, nil); err != nil {
		return err
	}
	if m.state.InFlight != nil || m.state.Retired != nil || m.state.Paused != "" { // a person was faster
		return nil
	}
	m.state.Pending = nil
	m.state.Automatic = append(policy.Recent(m.state.Automatic, workflow.Now(ctx)), workflow.Now(ctx))
	_, err := m.begin(ctx, t)
	return err
}

// begin starts the next release as a child that outlives this run. It takes
// the place of the one thing under way before it waits for anything.
func (m *model) begin(ctx workflow.Context, t lifecycle.Trigger) (lifecycle.Ordered, error) {
	m.state.Last++
	n, name := m.state.Last, m.state.Model.Name
	id := lifecycle.ReleaseID(name, n)
	m.state.InFlight = &lifecycle.InFlight{Release: n, Workflow: id, Started: workflow.Now(ctx)}
	m.state.Releases = lastOf(append(m.state.Releases, lifecycle.ReleaseSummary{
		Number: n, Trigger: t, Stage: lifecycle.StageSnapshot, Started: workflow.Now(ctx)}), 50)
	in := lifecycle.ReleaseInput{Model: m.state.Model, Number: n, Spec: m.state.Spec,
		Digest: m.state.Digest, Trigger: t, Champion: m.state.Champion}
	summary := fmt.Sprintf("%s release %d: %s", name, n, t.Cause)
	return lifecycle.Ordered{Release: n, Workflow: id}, m.child(ctx, id, lifecycle.ReleaseWorkflow, summary, n, in)
}

// child starts a workflow that outlives this run, and follows it for as long as
// this run lasts: a child that is terminated cannot report, and must not leave
// the model waiting for ever.
func (m *model) child(ctx workflow.Context, id, kind, summary string, release int, in any) error {
	opts := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: id, ParentClosePolicy: enums.PARENT_CLOSE_POLICY_ABANDON, WaitForCancellation: true,
		StaticSummary: summary,
		TypedSearchAttributes: temporal.NewSearchAttributes(lifecycle.AttrModel.ValueSet(m.state.Model.Name),
			lifecycle.AttrOwner.ValueSet(m.state.Model.Team), lifecycle.AttrRelease.ValueSet(int64(release))),
	})
	run := workflow.ExecuteChildWorkflow(opts, kind, in)
	if err := run.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
		m.state.InFlight, m.news = nil, true
		return err
	}
	m.news = true
	workflow.Go(ctx, func(ctx workflow.Context) {
		err := run.Get(ctx, nil)
		if err == nil || ctx.Err() != nil {
			return
		}
		stage := lifecycle.StageFailed
		if temporal.IsCanceledError(err) {
			stage = lifecycle.StageCancelled
		}
		m.ended(ctx, lifecycle.Ended{ID: id, Release: release, Stage: stage,
			Problem: lifecycle.ProblemOf(err), At: workflow.Now(ctx)})
	})
	return nil
}

// lookEvery is how often a continued run looks after what is under way.
const lookEvery = time.Hour

// follow does for a continued run what the child's handle did for the first: a
// release that was terminated cannot report, and is noticed within two looks.
func (m *model) follow(ctx workflow.Context) {
	of, missed := *m.state.InFlight, false
	for m.state.InFlight != nil && m.state.InFlight.Workflow == of.Workflow {
		err := workflow.NewTimerWithOptions(ctx, lookEvery, workflow.TimerOptions{Summary: "look after " + of.Workflow}).Get(ctx, nil)
		if err != nil {
			return
		}
		running, err := call(ctx, quick, "does "+of.Workflow+" still run?", runs.IsRunning, of.Workflow)
		if err != nil || running {
			continue
		}
		if missed { // its report, if there was one, has had an hour to come
			m.ended(ctx, lifecycle.Ended{ID: of.Workflow, Release: of.Release, Stage: lifecycle.StageFailed, At: workflow.Now(ctx),
				Problem: &lifecycle.Problem{Type: lifecycle.Cancelled, Message: "it ended without a report"}})
		}
		missed = true
	}
}

// ended takes in how the release or rollback under way ended. A repeated report
// changes nothing.
func (m *model) ended(ctx workflow.Context, e lifecycle.Ended) {
	if !unseen(&m.state.Seen.Reports, e.ID) {
		return
	}
	m.news = true
	var back *lifecycle.Order // of a rollback
	if f := m.state.InFlight; f != nil && f.Rollback {
		back = cmp.Or(f.Order, &lifecycle.Order{}) // an older run noted none
	}
	m.state.InFlight = nil
	m.summarise(e, back != nil)
	m.state.Cooldown = workflow.Now(ctx).Add(m.state.Spec.Retrain.Cooldown.Std())
	if e.Champion != nil {
		m.crown(ctx, *e.Champion, back)
	}
}

// summarise brings the history up to date with an ended release.
func (m *model) summarise(e lifecycle.Ended, rollback bool) {
	for i := range m.state.Releases {
		r := &m.state.Releases[i]
		if e.Champion != nil && !r.Served.IsZero() && r.Until.IsZero() {
			r.Until = e.At
		}
		if r.Number != e.Release || (rollback && e.Champion == nil) {
			continue
		}
		if !rollback {
			r.Stage, r.Ended, r.Problem = e.Stage, e.At, e.Problem
		}
		if c := e.Champion; c != nil {
			r.Served, r.Until, r.Metrics, r.Approvers = c.Since, time.Time{}, c.Test.Metrics, nil
			for _, d := range c.Approved {
				r.Approvers = append(r.Approvers, d.Subject)
			}
		}
	}
}

// crown makes a version the champion and has it watched. With an order it came
// back by a rollback.
func (m *model) crown(ctx workflow.Context, c lifecycle.Champion, back *lifecycle.Order) {
	m.state.Previous, m.state.Restored = m.state.Champion, nil
	if back != nil {
		m.state.Previous, m.state.Restored = nil, &lifecycle.Restored{By: back.By, Reason: back.Reason}
		if m.state.Champion != nil {
			m.state.Restored.From = m.state.Champion.Release
		}
	}
	m.state.Champion, m.state.Health = &c, lifecycle.HealthUnknown
	m.state.Pending = slices.DeleteFunc(m.state.Pending, func(t lifecycle.Trigger) bool {
		return t.Cause == lifecycle.CauseDrift || t.Cause == lifecycle.CauseQuality || t.Cause == lifecycle.CauseAlert
	})
	m.informWatch(ctx)
}

// unseen tells whether an id is new to a list, and remembers it.
func unseen(list *[]string, id string) bool {
	if slices.Contains(*list, id) {
		return false
	}
	*list = lastOf(append(*list, id), 300)
	return true
}

// note keeps a trigger until it can be judged, if the model file wants its cause.
func (m *model) note(t lifecycle.Trigger) {
	if policy.Wanted(m.state.Spec.Retrain, t.Cause) || t.Cause == lifecycle.CauseSchedule {
		m.state.Pending, m.news = policy.Note(m.state.Pending, t), true
	}
}

// show refreshes what the Temporal UI and the list of models display.
func (m *model) show(ctx workflow.Context) {
	a := attributes{model: m.state.Model.Name, owner: m.state.Model.Team, stage: m.stage(), health: string(m.state.Health)}
	if m.state.Champion != nil {
		a.release = m.state.Champion.Release
	}
	if m.state.InFlight != nil {
		a.awaiting = m.state.InFlight.Workflow
	}
	m.display.show(ctx, modelDetails(m.state), a)
}

func (m *model) stage() string {
	switch {
	case !m.state.Gone.IsZero():
		return "retired"
	case m.state.Retired != nil:
		return "retiring"
	case m.state.InFlight != nil && m.state.InFlight.Rollback:
		return "rolling-back"
	case m.state.InFlight != nil:
		return "releasing"
	case m.state.Paused != "":
		return "paused"
	case m.state.Champion != nil:
		return "serving"
	}
	return "declared"
}
