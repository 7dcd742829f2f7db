package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
)

// undo removes what a release that did not make it has left, newest first.
// What exists follows from the state, so a new run undoes as well as the first.
// Sealed evidence stays, with the artifact it speaks of: it is the record of
// why there was no release.
func (r *release) undo(ctx workflow.Context) error {
	steps := r.undoing()
	if len(steps) == 0 {
		return nil
	}
	var plan []string
	for _, s := range steps {
		plan = append(plan, s.what)
	}
	text := fmt.Sprintf("undoing release %d: %s", r.in.Number, strings.Join(plan, ", "))
	if err := r.scribe.record(ctx, lifecycle.EntryUndone, lifecycle.Machine, text, nil); err != nil {
		return err
	}
	for _, s := range steps {
		if err := s.do(ctx); err != nil {
			return err
		}
		r.state.Undone = append(r.state.Undone, s.what)
	}
	return nil
}

// undoStep is one thing to undo, in words and in deed.
type undoStep struct {
	what string
	do   func(workflow.Context) error
}

func (r *release) undoing() []undoStep {
	var out []undoStep
	if r.state.Package != "" {
		out = append(out, undoStep{"package marked rejected", func(ctx workflow.Context) error {
			return do(ctx, quick, "mark the package rejected", registry.SetApproval, lifecycle.ApprovalInput{
				Of: r.of(), Package: r.state.Package, Status: "Rejected", Reason: r.state.Problem.Message})
		}})
	}
	if r.state.Evidence != nil {
		return out
	}
	if len(r.state.Candidates) > 0 || r.profiles() {
		out = append(out, undoStep{"jobs stopped", r.abandon})
	}
	if r.state.Snapshot != nil {
		out = append(out, undoStep{"data of the release removed", func(ctx workflow.Context) error {
			return do(ctx, job, "remove the data of the release", data.Discard, lifecycle.DiscardInput{Of: r.of()})
		}})
	}
	return out
}

// profiles tells whether there may be a profiling job.
func (r *release) profiles() bool { return r.in.Spec.Data.Profile != nil && r.state.Parts != nil }

// abandon stops whatever job may still run: a cancelled activity stops its own,
// unless its worker died meanwhile.
func (r *release) abandon(ctx workflow.Context) error {
	in := lifecycle.AbandonInput{Of: r.of(), Transforms: []string{r.championJob()}}
	if r.profiles() {
		in.Processing = []string{r.profileJob()}
	}
	for _, c := range r.state.Candidates {
		in.Training = append(in.Training, c.Job)
		in.Transforms = append(in.Transforms, validationJob(c.Job), testJob(c.Job))
	}
	_, err := call(ctx, job, "stop what still runs", evaluation.Abandon, in)
	return err
}
