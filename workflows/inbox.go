package workflows

import "go.temporal.io/sdk/workflow"

// inbox takes a workflow's signals, one after the other. A run may end only
// when it is quiet: a signal that was delivered and not yet taken in would be
// lost with the run.
type inbox struct {
	events workflow.Selector
	own    workflow.Context // of the coroutine that takes signals in; only it may block there
	busy   bool
}

func newInbox(ctx workflow.Context) *inbox {
	return &inbox{events: workflow.NewNamedSelector(ctx, "signals")}
}

// on hands every signal of a name to a function.
func on[T any](ctx workflow.Context, in *inbox, name string, take func(workflow.Context, T)) {
	in.events.AddReceive(workflow.GetSignalChannel(ctx, name), func(ch workflow.ReceiveChannel, _ bool) {
		in.busy = true
		var v T
		if ch.ReceiveAsync(&v) { // false for a payload that cannot be read
			take(in.own, v)
		}
		in.busy = false
	})
}

// open begins to take signals in, and goes on when the run is cancelled. It
// waits for a pending signal before it selects: a blocked selector would take a
// signal out of its channel, unseen by quiet.
func (in *inbox) open(ctx workflow.Context) {
	workflow.Go(ctx, func(ctx workflow.Context) {
		in.own, _ = workflow.NewDisconnectedContext(ctx)
		for {
			if err := workflow.Await(in.own, in.events.HasPending); err != nil {
				return
			}
			in.events.Select(in.own)
		}
	})
}

func (in *inbox) quiet() bool { return !in.busy && !in.events.HasPending() }

// mustContinue tells whether a workflow should start a new run: its history has
// grown, and nothing that was accepted is still being handled.
func (in *inbox) mustContinue(ctx workflow.Context) bool {
	return workflow.GetInfo(ctx).GetContinueAsNewSuggested() && workflow.AllHandlersFinished(ctx) && in.quiet()
}

// settle waits until everything that was accepted has been answered.
func (in *inbox) settle(ctx workflow.Context) error {
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) && in.quiet() })
}
