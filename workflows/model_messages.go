package workflows

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
	"steward/internal/policy"
)

// listen opens the model to people's orders and machines' reports.
func (m *model) listen(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, lifecycle.StateQuery, func() (lifecycle.ModelState, error) { return m.state, nil }); err != nil {
		return err
	}
	err := workflow.SetUpdateHandlerWithOptions(ctx, lifecycle.ApplyUpdate, m.apply,
		workflow.UpdateHandlerOptions{Validator: m.mayApply, Description: "declare the model, or change its declaration"})
	if err != nil {
		return err
	}
	for _, h := range []struct {
		name   string
		handle any
		may    func(lifecycle.Order) error
		what   string
	}{
		{lifecycle.ReleaseUpdate, m.release, m.mayRelease, "start a release"},
		{lifecycle.RollbackUpdate, m.rollback, m.mayRollback, "bring the version back that served before"},
		{lifecycle.PauseUpdate, m.pause, m.mayPause, "no automatic releases for now"},
		{lifecycle.ResumeUpdate, m.resume, m.mayResume, "automatic releases again"},
		{lifecycle.RetireUpdate, m.orderRetirement, m.mayRetire, "end the model's life"},
	} {
		err := workflow.SetUpdateHandlerWithOptions(ctx, h.name, h.handle,
			workflow.UpdateHandlerOptions{Validator: h.may, Description: h.what})
		if err != nil {
			return err
		}
	}
	on(ctx, m.inbox, lifecycle.EndedSignal, m.ended)
	on(ctx, m.inbox, lifecycle.WindowSignal, m.window)
	on(ctx, m.inbox, lifecycle.AlertSignal, m.alert)
	on(ctx, m.inbox, lifecycle.KPISignal, m.kpi)
	m.inbox.open(ctx)
	return nil
}

// alive refuses every order to a model that is being retired.
func (m *model) alive() error {
	if m.state.Retired != nil {
		return lifecycle.Fail(lifecycle.Conflict, "model %s is being retired", m.state.Model.Name)
	}
	return nil
}

// reasoned refuses an order without a name or a reason: the ledger needs both.
func (m *model) reasoned(o lifecycle.Order) error {
	if o.By == "" || o.Reason == "" {
		return lifecycle.Fail(lifecycle.Invalid, "model %s: an order needs a name and a reason", m.state.Model.Name)
	}
	return m.alive()
}

func (m *model) mayApply(a lifecycle.Apply) error {
	if a.Model.Name != m.state.Model.Name {
		return lifecycle.Fail(lifecycle.Invalid, "the file declares %s, this is %s", a.Model.Name, m.state.Model.Name)
	}
	return m.alive()
}

// apply declares the model. The same file again changes nothing.
func (m *model) apply(ctx workflow.Context, a lifecycle.Apply) (lifecycle.Applied, error) {
	if err := m.ready(ctx); err != nil {
		return lifecycle.Applied{}, err
	}
	changed := a.Digest != m.state.Digest || !same(a.Model, m.state.Model)
	out := lifecycle.Applied{Created: m.state.Digest == "", Digest: a.Digest, Changed: changed}
	if !out.Changed {
		return out, nil
	}
	text := fmt.Sprintf("%s declares the model", a.By)
	if err := m.scribe.record(ctx, lifecycle.EntryApplied, a.By, text, map[string]any{"spec": a.Digest}); err != nil {
		return out, err
	}
	m.state.Model, m.state.Spec, m.state.Digest = a.Model, a.Spec, a.Digest
	m.state.Author, m.state.Applied, m.news = a.By, workflow.Now(ctx), true
	m.state.NextCron = time.Time{}
	m.informWatch(ctx)
	if !out.Created {
		m.note(lifecycle.Trigger{Cause: lifecycle.CauseSpec, Reason: "the model file changed", Author: a.By, At: workflow.Now(ctx)})
	}
	return out, nil
}

// ready waits until the ledger was read: release numbers rest on it.
func (m *model) ready(ctx workflow.Context) error {
	return workflow.Await(ctx, func() bool { return m.state.Opened })
}

// same tells whether two declarations name the same owners.
func same(a, b lifecycle.Metadata) bool {
	return a.Name == b.Name && a.Team == b.Team && maps.Equal(a.Owners, b.Owners)
}

func (m *model) mayRelease(o lifecycle.Order) error {
	switch {
	case m.state.Digest == "":
		return lifecycle.Fail(lifecycle.Conflict, "model %s is not declared yet: apply its file first", m.state.Model.Name)
	case m.state.InFlight != nil:
		return lifecycle.Fail(lifecycle.Conflict, "%s", m.underWay())
	case m.state.Paused != "":
		return lifecycle.Fail(lifecycle.Conflict, "model %s is paused (%s): resume it first", m.state.Model.Name, m.state.Paused)
	}
	return m.reasoned(o)
}

func (m *model) release(ctx workflow.Context, o lifecycle.Order) (lifecycle.Ordered, error) {
	if err := m.ready(ctx); err != nil {
		return lifecycle.Ordered{}, err
	}
	if err := m.mayRelease(o); err != nil { // somebody may have been faster
		return lifecycle.Ordered{}, err
	}
	return m.begin(ctx, lifecycle.Trigger{Cause: lifecycle.CauseManual, Reason: o.Reason, Author: o.By, At: workflow.Now(ctx)})
}

func (m *model) mayRollback(o lifecycle.Order) error {
	switch {
	case m.state.InFlight != nil:
		return lifecycle.Fail(lifecycle.Conflict, "%s", m.underWay())
	case m.state.Previous == nil:
		return lifecycle.Fail(lifecycle.Conflict, "model %s has no earlier version to go back to", m.state.Model.Name)
	}
	return m.reasoned(o)
}

// underWay says what keeps other orders from being taken, and what to do about it.
func (m *model) underWay() string {
	f, name := m.state.InFlight, m.state.Model.Name
	if f.Rollback {
		return fmt.Sprintf("the rollback to release %d is under way", f.Release)
	}
	text := fmt.Sprintf("release %d is under way; `steward cancel %s %d` ends it", f.Release, name, f.Release)
	if c := m.state.Champion; c != nil {
		text += fmt.Sprintf(" and leaves release %d serving", c.Release)
	}
	return text
}

// rollback brings the version back that served before, under the approvals it had.
func (m *model) rollback(ctx workflow.Context, o lifecycle.Order) (lifecycle.Ordered, error) {
	back := *m.state.Previous
	m.state.Rollbacks++
	id := lifecycle.RollbackID(m.state.Model.Name, back.Release, m.state.Rollbacks)
	m.state.InFlight = &lifecycle.InFlight{Release: back.Release, Rollback: true, Order: &o, Workflow: id, Started: workflow.Now(ctx)}
	in := lifecycle.RolloutInput{Model: m.state.Model, Spec: m.state.Spec, Challenger: back, Champion: m.state.Champion,
		Rollback: o.By + ": " + o.Reason, ReportTo: lifecycle.ModelID(m.state.Model.Name)}
	summary := fmt.Sprintf("%s: back to release %d", m.state.Model.Name, back.Release)
	err := m.scribe.record(ctx, lifecycle.EntryReturned, o.By, summary+": "+o.Reason, nil)
	if err == nil {
		err = m.alive()
	}
	if err != nil {
		m.state.InFlight, m.news = nil, true
		return lifecycle.Ordered{}, err
	}
	return lifecycle.Ordered{Release: back.Release, Workflow: id},
		m.child(ctx, id, lifecycle.RolloutWorkflow, summary, back.Release, in)
}

func (m *model) mayPause(o lifecycle.Order) error {
	if m.state.Paused != "" {
		return lifecycle.Fail(lifecycle.Conflict, "model %s is paused already: %s", m.state.Model.Name, m.state.Paused)
	}
	return m.reasoned(o)
}

func (m *model) pause(ctx workflow.Context, o lifecycle.Order) (lifecycle.ModelState, error) {
	if err := m.scribe.record(ctx, lifecycle.EntryPaused, o.By, "paused: "+o.Reason, map[string]any{"watch": o.Watch}); err != nil {
		return m.state, err
	}
	m.state.Paused, m.news = o.By+": "+o.Reason, true
	if o.Watch {
		m.state.Unwatched = true
		m.signalWatch(ctx, lifecycle.PauseSignal, nil)
	}
	return m.state, nil
}

func (m *model) mayResume(o lifecycle.Order) error {
	if m.state.Paused == "" {
		return lifecycle.Fail(lifecycle.Conflict, "model %s is not paused", m.state.Model.Name)
	}
	return m.reasoned(o)
}

func (m *model) resume(ctx workflow.Context, o lifecycle.Order) (lifecycle.ModelState, error) {
	if err := m.scribe.record(ctx, lifecycle.EntryResumed, o.By, "resumed: "+o.Reason, nil); err != nil {
		return m.state, err
	}
	m.state.Paused, m.news = "", true
	if m.state.Unwatched {
		m.state.Unwatched, m.state.Reported = false, workflow.Now(ctx)
		m.signalWatch(ctx, lifecycle.ResumeSignal, nil)
	}
	return m.state, nil
}

// window takes in a measured window and what it means.
func (m *model) window(ctx workflow.Context, r lifecycle.WindowReport) {
	if !unseen(&m.state.Seen.Reports, r.ID) {
		return
	}
	m.state.Reported = workflow.Now(ctx)
	w := m.complete(r.Window)
	m.state.Window = max(m.state.Window, w.Seq)
	news := policy.News(m.state.Windows, w)
	m.state.Windows = slices.DeleteFunc(m.state.Windows, func(o lifecycle.Window) bool { return o.ID == w.ID })
	m.state.Windows = lastOf(inOrder(append(m.state.Windows, w)), 120)
	m.recordFindings(ctx, w, news)
	if c := m.state.Champion; c == nil || w.Release != c.Release || w.From.Before(c.Since) {
		return
	}
	reign := policy.Since(m.state.Windows, m.state.Champion.Since)
	inARow := m.state.Spec.Watch.InARow
	was := m.state.Health
	m.state.Health, m.news = policy.HealthOf(reign, w.Release, inARow), true
	for _, t := range policy.Breaches(reign, w.Release, inARow, workflow.Now(ctx)) {
		m.note(t)
		if was != lifecycle.HealthDegraded {
			m.tellAll(ctx, lifecycle.NoticeDegraded, fmt.Sprintf("%s: %s: %s", m.state.Model.Name, t.Cause, t.Reason))
		}
	}
}

// complete adds what the first report of a window said to its second one: the
// watch does not carry it until the ground truth is there.
func (m *model) complete(w lifecycle.Window) lifecycle.Window {
	for _, o := range m.state.Windows {
		if o.ID == w.ID && len(w.Drift) == 0 {
			w.Drift, w.Services, w.Estimate = o.Drift, o.Services, o.Estimate
		}
	}
	return w
}

// tellAllNow is tellAll for the end of a run: it waits until the notice is out.
func (m *model) tellAllNow(ctx workflow.Context, kind, text string) {
	tell(ctx, m.log, lifecycle.Of{Model: m.state.Model.Name}, m.state.Spec.Notify, kind, text, rolesOf(m.state.Model)...)
}

func (m *model) tellAll(ctx workflow.Context, kind, text string) {
	tellAside(ctx, m.log, lifecycle.Of{Model: m.state.Model.Name}, m.state.Spec.Notify, kind, text, rolesOf(m.state.Model)...)
}

// inOrder sorts windows by their end: quality arrives later than traffic.
func inOrder(windows []lifecycle.Window) []lifecycle.Window {
	slices.SortStableFunc(windows, func(a, b lifecycle.Window) int { return a.To.Compare(b.To) })
	return windows
}

// recordFindings writes what is new about a window into the ledger, and tells
// people when nothing can be said about the model any more: silence is not health.
func (m *model) recordFindings(ctx workflow.Context, w lifecycle.Window, news []lifecycle.Finding) {
	for _, f := range news {
		text := fmt.Sprintf("window %s of release %d: %s %s: %s", w.ID, w.Release, f.Cause, f.Outcome, f.Detail)
		if err := m.scribe.record(ctx, lifecycle.EntryWindow, lifecycle.Machine, text, nil); err != nil {
			m.log.Error("a finding was not recorded", "window", w.ID, "error", err)
		}
		if f.Outcome != lifecycle.Failed {
			m.tellAll(ctx, lifecycle.NoticeUnclear, m.state.Model.Name+": "+text)
		}
	}
}

// alert takes in an alert: it stops a rollout under way, and may be a reason to
// train again.
func (m *model) alert(ctx workflow.Context, a lifecycle.Alert) {
	if !unseen(&m.state.Seen.Alerts, a.ID) {
		return
	}
	word := "resolved"
	if a.Firing {
		word = "fires"
	}
	text := fmt.Sprintf("alert %s (%s) %s: %s", a.Name, a.Source, word, a.Summary)
	if err := m.scribe.record(ctx, lifecycle.EntryAlert, a.Author(), text, map[string]any{"id": a.ID}); err != nil {
		m.log.Error("an alert was not recorded, and so not acted on", "alert", a.ID, "error", err)
		return
	}
	m.state.Alerts, m.news = lastOf(append(m.state.Alerts, a), 50), true
	if !a.Firing {
		return
	}
	if f := m.state.InFlight; f != nil {
		m.passAlert(ctx, *f, a)
	}
	m.note(lifecycle.Trigger{Cause: lifecycle.CauseAlert, Reason: a.Name + ": " + a.Summary, Author: a.Author(), At: a.At})
}

// passAlert tells the rollout under way, if the release has got that far.
func (m *model) passAlert(ctx workflow.Context, f lifecycle.InFlight, a lifecycle.Alert) {
	id := f.Workflow
	if !f.Rollback {
		id = lifecycle.RolloutID(m.state.Model.Name, f.Release)
	}
	if err := workflow.SignalExternalWorkflow(ctx, id, "", lifecycle.AlertSignal, a).Get(ctx, nil); err != nil {
		m.log.Info("no rollout takes the alert", "workflow", id, "error", err)
	}
}

// kpi takes in a value of the business figure.
func (m *model) kpi(ctx workflow.Context, k lifecycle.KPIReading) {
	want := m.state.Spec.Objective.KPI
	if want == nil || !unseen(&m.state.Seen.KPIs, k.ID) {
		return
	}
	text := fmt.Sprintf("%s is %g", want.Name, k.Value)
	if err := m.scribe.record(ctx, lifecycle.EntryKPI, k.Author(), text, nil); err != nil {
		m.log.Error("a KPI reading was not recorded, and so not acted on", "id", k.ID, "error", err)
		return
	}
	m.news = true
	m.state.KPIs = lastOf(append(m.state.KPIs, k), 50)
	if !policy.Within(k.Value, want.Min, want.Max) {
		m.note(lifecycle.Trigger{Cause: lifecycle.CauseKPI, Reason: text, Author: k.Author(), At: k.At})
	}
}
