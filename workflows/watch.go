package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
)

// Watch measures a serving model window by window: traffic, drift and service
// when a window closes, quality when its ground truth has matured. It reports
// facts; Model decides. It lives until it is cancelled, continuing as new.
func Watch(ctx workflow.Context, state lifecycle.WatchState) error {
	w := &watch{state: state, log: workflow.GetLogger(ctx), inbox: newInbox(ctx), display: display{log: workflow.GetLogger(ctx)}}
	err := workflow.SetQueryHandler(ctx, lifecycle.StateQuery, func() (lifecycle.WatchState, error) { return w.state, nil })
	if err != nil {
		return err
	}
	if w.state.Next.IsZero() {
		w.open(ctx)
	}
	w.listen(ctx)
	return w.loop(ctx)
}

type watch struct {
	state   lifecycle.WatchState
	log     log.Logger
	inbox   *inbox
	display display
	news    bool // a signal changed what is waited for
}

// loop waits for the next thing due, does it, and looks again.
func (w *watch) loop(ctx workflow.Context) error {
	for {
		w.show(ctx)
		if err := w.await(ctx); err != nil {
			return err
		}
		if err := w.measure(ctx); err != nil {
			return err
		}
		if w.inbox.mustContinue(ctx) {
			return workflow.NewContinueAsNewError(ctx, lifecycle.WatchWorkflow, w.state)
		}
	}
}

// await returns when something is due or a signal changed what is waited for.
func (w *watch) await(ctx workflow.Context) error {
	w.news = false
	changed := func() bool { return w.news || w.inbox.mustContinue(ctx) }
	at := w.due()
	if at.IsZero() {
		return workflow.Await(ctx, changed)
	}
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      max(at.Sub(workflow.Now(ctx)), 0),
		TimerOptions: workflow.TimerOptions{Summary: "next measurement"},
	}, changed)
	return err
}

// due is when the next thing can be done: the open window closes, the captured
// traffic of a closed one is complete, or the ground truth of one has matured.
// It is zero when only a signal can bring something.
func (w *watch) due() time.Time {
	var at time.Time
	if !w.state.Paused {
		at = w.state.Next
	}
	if len(w.state.Closed) > 0 {
		at = earlier(at, w.complete(w.state.Closed[0]))
	}
	if len(w.state.Windows) > 0 {
		at = earlier(at, w.matures(w.state.Windows[0]))
	}
	return at
}

// complete is when the captured traffic of a window is.
func (w *watch) complete(win lifecycle.Window) time.Time {
	return win.To.Add(w.state.Spec.Watch.Lag.Std())
}

// matures is when the ground truth of a window is expected.
func (w *watch) matures(win lifecycle.Window) time.Time {
	return w.complete(win).Add(w.state.Spec.Data.GroundTruth.MatureAfter.Std())
}

// measure does all that is due now.
func (w *watch) measure(ctx workflow.Context) error {
	if !w.state.Paused && !w.state.Next.After(workflow.Now(ctx)) {
		w.close(w.state.Next)
		w.state.Next = w.state.Next.Add(w.state.Spec.Watch.Every.Std())
	}
	for len(w.state.Closed) > 0 && !w.complete(w.state.Closed[0]).After(workflow.Now(ctx)) {
		if err := w.traffic(ctx, w.state.Closed[0]); err != nil {
			return err
		}
		w.state.Closed = w.state.Closed[1:]
	}
	for len(w.state.Windows) > 0 && !w.matures(w.state.Windows[0]).After(workflow.Now(ctx)) {
		if err := w.quality(ctx, w.state.Windows[0]); err != nil {
			return err
		}
		w.state.Windows = w.state.Windows[1:]
	}
	w.forget()
	return nil
}

// open starts a window now.
func (w *watch) open(ctx workflow.Context) {
	w.state.Next = workflow.Now(ctx).Add(w.state.Spec.Watch.Every.Std())
}

// close ends the open window at a time that lies within it.
func (w *watch) close(at time.Time) {
	from := w.state.Next.Add(-w.state.Spec.Watch.Every.Std())
	if !at.After(from) {
		return
	}
	w.state.Seq++
	w.state.Closed = append(w.state.Closed, lifecycle.Window{
		ID:  fmt.Sprintf("%d-%d", w.state.Champion.Release, w.state.Seq),
		Seq: w.state.Seq, Release: w.state.Champion.Release, From: from, To: at})
}

// traffic measures a closed window and keeps it until its ground truth is there.
func (w *watch) traffic(ctx workflow.Context, win lifecycle.Window) error {
	got, err := call(ctx, job, "window "+win.ID+": traffic", monitoring.MeasureTraffic, w.input(win))
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		got = unmeasured(win, lifecycle.CauseDrift, err)
	}
	w.report(ctx, got, "closed")
	if len(w.state.Spec.Watch.Quality) > 0 && (err != nil || got.Rows > 0) {
		// The model has the figures; a month of windows must fit into the state.
		got.Drift, got.Services, got.Estimate = nil, nil, nil
		w.state.Windows = append(w.state.Windows, got)
	}
	return nil
}

// quality measures a window again, with its ground truth.
func (w *watch) quality(ctx workflow.Context, win lifecycle.Window) error {
	got, err := call(ctx, job, "window "+win.ID+": quality", monitoring.MeasureQuality, w.input(win))
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		got = unmeasured(win, lifecycle.CauseQuality, err)
	}
	w.report(ctx, got, "matured")
	return nil
}

func (w *watch) input(win lifecycle.Window) lifecycle.MeasureInput {
	return lifecycle.MeasureInput{Of: lifecycle.Of{Model: w.state.Model.Name, Release: win.Release},
		Champion: w.served(win.Release), Data: w.state.Spec.Data, Watch: w.state.Spec.Watch, Window: win}
}

// served is the version that a release put into production.
func (w *watch) served(release int) lifecycle.Champion {
	for _, c := range w.state.Former {
		if c.Release == release {
			return c
		}
	}
	return w.state.Champion
}

// forget drops the former champions of which no window is left to measure.
func (w *watch) forget() {
	left := append(slices.Clone(w.state.Closed), w.state.Windows...)
	w.state.Former = slices.DeleteFunc(w.state.Former, func(c lifecycle.Champion) bool {
		return !slices.ContainsFunc(left, func(win lifecycle.Window) bool { return win.Release == c.Release })
	})
}

// unmeasured is a window whose measurement failed: no verdict on the model, and
// no silence either.
func unmeasured(win lifecycle.Window, cause lifecycle.Cause, err error) lifecycle.Window {
	win.Findings = append(win.Findings, lifecycle.Finding{
		Cause: cause, Outcome: lifecycle.Faulty, Detail: "not measured: " + lifecycle.ProblemOf(err).Message})
	return win
}

// report sends a measured window to the model.
func (w *watch) report(ctx workflow.Context, win lifecycle.Window, moment string) {
	w.state.Recent = slices.DeleteFunc(w.state.Recent, func(o lifecycle.Window) bool { return o.ID == win.ID })
	w.state.Recent = lastOf(append(w.state.Recent, win), 20)
	err := workflow.SignalExternalWorkflow(ctx, lifecycle.ModelID(w.state.Model.Name), "", lifecycle.WindowSignal,
		lifecycle.WindowReport{ID: win.ID + "/" + moment, Window: win}).Get(ctx, nil)
	if err != nil && ctx.Err() == nil {
		w.log.Error("the model was not told of a window", "window", win.ID, "error", err)
	}
}

// listen takes what the model says.
func (w *watch) listen(ctx workflow.Context) {
	on(ctx, w.inbox, lifecycle.ChampionSignal, w.change)
	on(ctx, w.inbox, lifecycle.PauseSignal, func(ctx workflow.Context, _ any) { w.pause(ctx, true) })
	on(ctx, w.inbox, lifecycle.ResumeSignal, func(ctx workflow.Context, _ any) { w.pause(ctx, false) })
	w.inbox.open(ctx)
}

// change follows the model: a new champion ends the open window and begins its
// own; a new declaration counts from the next one.
func (w *watch) change(ctx workflow.Context, c lifecycle.WatchChange) {
	w.news = true
	w.state.Spec = c.Spec
	if c.Champion.Release == w.state.Champion.Release {
		return
	}
	if !w.state.Paused {
		w.close(workflow.Now(ctx))
	}
	w.state.Former = slices.DeleteFunc(w.state.Former, func(o lifecycle.Champion) bool { return o.Release == c.Champion.Release })
	w.state.Former, w.state.Champion = append(w.state.Former, w.state.Champion), c.Champion
	w.open(ctx)
}

func (w *watch) pause(ctx workflow.Context, paused bool) {
	switch {
	case paused && !w.state.Paused:
		w.close(workflow.Now(ctx))
	case !paused && w.state.Paused:
		w.open(ctx)
	}
	w.state.Paused, w.news = paused, true
}

func (w *watch) show(ctx workflow.Context) {
	w.display.show(ctx, watchDetails(w.state), attributes{model: w.state.Model.Name, owner: w.state.Model.Team,
		release: w.state.Champion.Release, stage: "watching"})
}
