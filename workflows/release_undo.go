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
	if r.state.Package != "" {
		reason := r.state.Problem.Message
		err := do(ctx, quick, "mark the package rejected", registry.SetApproval,
			lifecycle.ApprovalInput{Of: r.of(), Package: r.state.Package, Status: "Rejected", Reason: reason})
		if err != nil {
			return err
		}
		r.state.Undone = append(r.state.Undone, "package marked rejected")
	}
	if r.state.Evidence == nil && r.state.Snapshot != nil {
		prefix := releasePrefix(r.state.Snapshot.URI, r.in.Number)
		if err := do(ctx, job, "remove "+prefix, data.Discard, lifecycle.DiscardInput{Of: r.of(), URIs: []string{prefix}}); err != nil {
			return err
		}
		r.state.Undone = append(r.state.Undone, prefix)
	}
	if len(r.state.Undone) == 0 {
		return nil
	}
	return r.scribe.record(ctx, lifecycle.EntryUndone, lifecycle.Machine,
		fmt.Sprintf("release %d undone: %s", r.in.Number, strings.Join(r.state.Undone, ", ")), nil)
}

// releasePrefix is where a release's own objects lie, next to the snapshots.
func releasePrefix(snapshot string, release int) string {
	root, _, _ := strings.Cut(snapshot, "/snapshots/")
	return fmt.Sprintf("%s/releases/%d/", root, release)
}
