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

// due is when the next measurement can be made: a window closes, and its
// captured traffic is complete, or the ground truth of one has matured. It is
// zero when only a signal can bring something.
func (w *watch) due() time.Time {
	var at time.Time
	if !w.state.Paused {
		at = w.state.Next.Add(w.state.Spec.Watch.Lag.Std())
	}
	if len(w.state.Windows) > 0 {
		at = earlier(at, w.matures(w.state.Windows[0]))
	}
	return at
}

func (w *watch) matures(win lifecycle.Window) time.Time {
	return win.To.Add(w.state.Spec.Data.GroundTruth.MatureAfter.Std() + w.state.Spec.Watch.Lag.Std())
}

// measure does all that is due now.
func (w *watch) measure(ctx workflow.Context) error {
	for len(w.state.Windows) > 0 && !w.matures(w.state.Windows[0]).After(workflow.Now(ctx)) {
		if err := w.quality(ctx, w.state.Windows[0]); err != nil {
			return err
		}
		w.state.Windows = w.state.Windows[1:]
	}
	if w.state.Paused || w.state.Next.Add(w.state.Spec.Watch.Lag.Std()).After(workflow.Now(ctx)) {
		return nil
	}
	win := w.close()
	return w.traffic(ctx, win)
}

// open starts the first window of a champion now.
func (w *watch) open(ctx workflow.Context) {
	w.state.Next = workflow.Now(ctx).Add(w.state.Spec.Watch.Every.Std())
}

// close ends the window that is open and opens the next.
func (w *watch) close() lifecycle.Window {
	every := w.state.Spec.Watch.Every.Std()
	w.state.Seq++
	win := lifecycle.Window{
		ID: fmt.Sprintf("%d-%d", w.state.Champion.Release, w.state.Seq), Release: w.state.Champion.Release,
		From: w.state.Next.Add(-every), To: w.state.Next,
	}
	w.state.Next = w.state.Next.Add(every)
	return win
}

// traffic measures a closed window and keeps it until its ground truth is there.
func (w *watch) traffic(ctx workflow.Context, win lifecycle.Window) error {
	got, err := call(ctx, job, "window "+win.ID+": traffic", monitoring.MeasureTraffic, w.input(w.state.Champion, win))
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		got = unmeasured(win, lifecycle.CauseDrift, err)
	}
	if len(w.state.Spec.Watch.Quality) > 0 && got.Rows > 0 {
		w.state.Windows = append(w.state.Windows, got)
	}
	w.report(ctx, got, "closed")
	return nil
}

// quality measures a window again, with its ground truth.
func (w *watch) quality(ctx workflow.Context, win lifecycle.Window) error {
	champion := w.state.Champion
	if win.Release != champion.Release && w.state.Former != nil {
		champion = *w.state.Former
	}
	got, err := call(ctx, job, "window "+win.ID+": quality", monitoring.MeasureQuality, w.input(champion, win))
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		got = unmeasured(win, lifecycle.CauseQuality, err)
	}
	w.report(ctx, got, "matured")
	return nil
}

func (w *watch) input(c lifecycle.Champion, win lifecycle.Window) lifecycle.MeasureInput {
	return lifecycle.MeasureInput{Of: lifecycle.Of{Model: w.state.Model.Name, Release: c.Release},
		Champion: c, Data: w.state.Spec.Data, Watch: w.state.Spec.Watch, Window: win}
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

// change follows the model: a new champion opens a new window; a new
// declaration counts from the next one.
func (w *watch) change(ctx workflow.Context, c lifecycle.WatchChange) {
	w.news = true
	w.state.Spec = c.Spec
	if c.Champion.Release == w.state.Champion.Release {
		return
	}
	former := w.state.Champion
	w.state.Former, w.state.Champion = &former, c.Champion
	w.open(ctx)
}

func (w *watch) pause(ctx workflow.Context, paused bool) {
	if w.state.Paused && !paused {
		w.open(ctx)
	}
	w.state.Paused, w.news = paused, true
}

func (w *watch) show(ctx workflow.Context) {
	w.display.show(ctx, watchDetails(w.state), attributes{model: w.state.Model.Name, owner: w.state.Model.Team,
		release: w.state.Champion.Release, stage: "watching"})
}
