package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
)

// back gives all traffic to the champion again and removes the challenger; with
// no champion, nothing serves again. An endpoint that turned out to serve
// something unknown is left alone.
func (r *rollout) back(ctx workflow.Context, kind string) error {
	why := r.state.Outcome.Problem.Message
	text := fmt.Sprintf("release %d is taken back: %s", r.in.Challenger.Release, why)
	if err := r.record(ctx, lifecycle.EntryReturned, text); err != nil {
		return err
	}
	if r.in.Champion == nil {
		if kind == lifecycle.Conflict && r.state.Serving == "" {
			return nil
		}
		_, err := call(ctx, job, "remove the endpoint again", deployment.Retire, lifecycle.RemoveInput{Of: r.of(), Reason: why})
		r.state.Weights, r.state.Serving = map[string]int{}, ""
		return err
	}
	if len(r.state.Weights) == 2 { // faster than a new configuration
		if err := r.put(ctx, "no traffic for "+lifecycle.Variant(r.in.Challenger.Release), deployment.SetWeights, r.serve(0)); err != nil {
			r.log.Warn("the weights could not be set; the configuration will be", "error", err)
		}
	}
	if err := r.insist(ctx); err != nil {
		return err
	}
	return r.clean(ctx, why)
}

// insist brings the champion back, again and again with growing waits: a
// condemned version must not keep its traffic because one update failed.
func (r *rollout) insist(ctx workflow.Context) error {
	champion := []lifecycle.Serve{{Champion: *r.in.Champion, Weight: 100}}
	summary := "bring " + lifecycle.Variant(r.in.Champion.Release) + " back"
	err := r.put(ctx, summary, deployment.Deploy, champion)
	for wait := time.Minute; err != nil && wait <= longestWait; wait *= 2 {
		tellAside(ctx, r.log, r.of(), r.in.Spec.Notify, lifecycle.NoticeFailed,
			fmt.Sprintf("%s: release %d could not be brought back, trying again in %s: %s", r.in.Model.Name, r.in.Champion.Release, wait, lifecycle.ProblemOf(err).Message),
			string(lifecycle.Operator)+" <"+r.in.Model.Owners[lifecycle.Operator]+">")
		if err := r.sleep(ctx, wait, "before the next try"); err != nil {
			return err
		}
		err = r.put(ctx, summary, deployment.Deploy, champion)
	}
	return err
}

// longestWait bounds the waits between two tries, and with them the tries: the
// ninth and last comes after a little more than four hours.
const longestWait = 2*time.Hour + 10*time.Minute

// report tells the model how a rollback ended; a release's own rollout is
// reported by the release.
func (r *rollout) report(ctx workflow.Context) {
	if r.in.ReportTo == "" {
		return
	}
	ended := lifecycle.Ended{ID: r.scribe.source, Release: r.in.Challenger.Release,
		Stage: lifecycle.StageFailed, Problem: r.state.Outcome.Problem, At: r.state.Outcome.At}
	if r.state.Outcome.Promoted {
		champion := r.in.Challenger
		champion.Since = r.state.Outcome.At
		ended.Stage, ended.Champion = lifecycle.StageReleased, &champion
	}
	signalModel(ctx, r.log, r.in.Model.Name, ended)
}
