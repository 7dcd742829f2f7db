package workflows

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
	"steward/internal/policy"
)

// takeSnapshot fixes the data that this release is built from.
func (r *release) takeSnapshot(ctx workflow.Context) error {
	t := r.in.Trigger
	text := fmt.Sprintf("release %d opened by %s (%s): %s", r.in.Number, t.Author, t.Cause, t.Reason)
	if err := r.scribe.record(ctx, lifecycle.EntryOpened, t.Author, text, map[string]any{"spec": r.in.Digest}); err != nil {
		return err
	}
	snap, err := call(ctx, job, "snapshot of "+r.in.Spec.Data.Places(), data.TakeSnapshot,
		lifecycle.SnapshotInput{Of: r.of(), Data: r.in.Spec.Data})
	if err != nil {
		return err
	}
	r.state.Snapshot = &snap
	return r.scribe.record(ctx, lifecycle.EntrySnapshot, lifecycle.Machine,
		fmt.Sprintf("snapshot of %d rows in %d files", snap.Rows, snap.Files), map[string]any{"digest": snap.Digest})
}

// check refuses data that break a condition of severity stop.
func (r *release) check(ctx workflow.Context) error {
	results, err := call(ctx, job, "data checks", data.CheckSnapshot,
		lifecycle.CheckInput{Of: r.of(), Data: r.in.Spec.Data, Snapshot: *r.state.Snapshot,
			At: workflow.Now(ctx), Champion: r.in.Champion})
	if err != nil {
		return err
	}
	r.state.Checks = results
	var broken []string
	for _, c := range results {
		if c.Stops() {
			broken = append(broken, fmt.Sprintf("%s: %s, expected %s", c.Name, c.Observed, c.Expected))
		}
	}
	text := fmt.Sprintf("%d data checks, %d stop the release", len(results), len(broken))
	if err := r.scribe.record(ctx, lifecycle.EntryChecked, lifecycle.Machine, text, map[string]any{"broken": broken}); err != nil {
		return err
	}
	if len(broken) > 0 {
		return lifecycle.Fail(lifecycle.DataRejected, "data checks: %s", strings.Join(broken, "; "))
	}
	return nil
}

// prepare profiles and splits the snapshot.
func (r *release) prepare(ctx workflow.Context) error {
	parts, err := call(ctx, job, "profile and split", data.PrepareParts, lifecycle.PrepareInput{
		Of: r.of(), Data: r.in.Spec.Data, Snapshot: *r.state.Snapshot, Slices: sliceColumns(r.in.Spec.Gates)})
	if err != nil {
		return err
	}
	r.state.Parts = &parts
	return r.profile(ctx)
}

// profile has a processing job make the baseline, if the model file asks for one.
func (r *release) profile(ctx workflow.Context) error {
	p := r.in.Spec.Data.Profile
	if p == nil {
		return nil
	}
	if err := r.keepBudget(ctx); err != nil {
		return err
	}
	made, err := call(ctx, job, "profile the training part", profiling.ProfilePart, lifecycle.ProfileInput{
		Of: r.of(), Job: r.profileJob(), Profiling: *p, Parts: *r.state.Parts, MaxRuntime: r.in.Spec.Training.MaxRuntime})
	if err != nil {
		return err
	}
	r.state.Parts.Baseline = made.Baseline
	r.state.Cost += made.Cost
	return nil
}

// profileJob is no candidate's job, whatever the candidate is called: "train" never
// follows a candidate's name.
func (r *release) profileJob() string {
	return lifecycle.ResourceName(r.in.Model.Name, r.in.Number, "profile", "train")
}

func sliceColumns(gates []lifecycle.Gate) []string {
	out := []string{}
	for _, g := range gates {
		if g.Slice != "" && !slices.Contains(out, g.Slice) {
			out = append(out, g.Slice)
		}
	}
	return out
}

// train runs all candidates at once. A candidate that fails is out; the
// release goes on with the others, and fails when none is left.
func (r *release) train(ctx workflow.Context) error {
	if err := r.keepBudget(ctx); err != nil {
		return err
	}
	spec := r.in.Spec.Training
	names := make([]string, len(spec.Candidates))
	r.state.Candidates = make([]lifecycle.CandidateRun, len(spec.Candidates))
	for i, c := range spec.Candidates {
		names[i] = c.Name
		r.state.Candidates[i] = lifecycle.CandidateRun{Name: c.Name, Image: c.Image,
			Job: lifecycle.ResourceName(r.in.Model.Name, r.in.Number, c.Name)}
	}
	if err := r.scribe.record(ctx, lifecycle.EntryTraining, lifecycle.Machine, "training "+strings.Join(names, ", "), nil); err != nil {
		return err
	}
	return r.eachCandidate(ctx, r.trainOne)
}

// keepBudget refuses to start jobs that could cost more than was declared.
func (r *release) keepBudget(ctx workflow.Context) error {
	spec := r.in.Spec.Training
	instances := make([]string, len(spec.Candidates))
	for i, c := range spec.Candidates {
		instances[i] = c.Instance
	}
	if p := r.in.Spec.Data.Profile; p != nil {
		instances = append(instances, p.Instance)
	}
	hourly, err := call(ctx, quick, "prices", training.Quote, instances)
	if err != nil {
		return err
	}
	most, err := policy.Estimate(r.in.Spec, hourly)
	if err != nil {
		return lifecycle.Fail(lifecycle.Invalid, "budget: %s", err)
	}
	if most > spec.Budget {
		return lifecycle.Fail(lifecycle.OverBudget,
			"the jobs could cost %.2f and the budget is %.2f: raise training.budget or lower training.maxRuntime", most, spec.Budget)
	}
	return nil
}

// eachCandidate does one thing for all candidates that are still in, at once.
func (r *release) eachCandidate(ctx workflow.Context, f func(workflow.Context, int) error) error {
	errs := make([]error, len(r.state.Candidates))
	wg := workflow.NewWaitGroup(ctx)
	for i := range r.state.Candidates {
		if r.state.Candidates[i].Problem != nil {
			continue
		}
		wg.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wg.Done()
			errs[i] = f(ctx, i)
			r.show(ctx)
		})
	}
	wg.Wait(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var first error
	in := 0
	for i := range r.state.Candidates {
		if errs[i] != nil {
			r.state.Candidates[i].Problem = lifecycle.ProblemOf(errs[i])
			first = firstError(first, errs[i])
		}
		if r.state.Candidates[i].Problem == nil {
			in++
		}
	}
	if in == 0 {
		return first
	}
	return nil
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (r *release) trainOne(ctx workflow.Context, i int) error {
	c, run := r.in.Spec.Training.Candidates[i], &r.state.Candidates[i]
	trained, err := call(ctx, job, "train "+c.Name, training.Train, lifecycle.TrainInput{
		Of: r.of(), Job: run.Job, Candidate: c, Task: r.in.Spec.Data.Task, Data: r.in.Spec.Data,
		Parts: *r.state.Parts, MaxRuntime: r.in.Spec.Training.MaxRuntime})
	if err != nil {
		return err
	}
	run.Model = &trained
	r.state.Cost += trained.Cost
	return nil
}
