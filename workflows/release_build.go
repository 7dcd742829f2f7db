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
	snap, err := call(ctx, job, "snapshot of "+r.in.Spec.Data.Sources[0].URI, data.TakeSnapshot,
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
		lifecycle.CheckInput{Of: r.of(), Data: r.in.Spec.Data, Snapshot: *r.state.Snapshot})
	if err != nil {
		return err
	}
	r.state.Checks = results
	var broken []string
	for _, c := range results {
		if !c.Pass && c.Severity == "stop" {
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
	return nil
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
	hourly, err := call(ctx, quick, "prices", training.Quote, instances)
	if err != nil {
		return err
	}
	most, err := policy.Estimate(spec, hourly)
	if err != nil {
		return lifecycle.Fail(lifecycle.Invalid, "training: %s", err)
	}
	if most > spec.Budget {
		return lifecycle.Fail(lifecycle.OverBudget,
			"training could cost %.2f and the budget is %.2f: raise training.budget or lower training.maxRuntime", most, spec.Budget)
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

// evaluate lets every candidate answer the validation part in its own serving
// container, picks the winner there, and judges the winner, and the champion,
// once on the test part: the part that chose nothing.
func (r *release) evaluate(ctx workflow.Context) error {
	if err := r.eachCandidate(ctx, r.validateOne); err != nil {
		return err
	}
	rule := r.in.Spec.Training.Select
	name, err := policy.Winner(rule, r.state.Candidates)
	if err != nil {
		return lifecycle.Fail(lifecycle.JobFailed, "evaluation: %s", err)
	}
	r.state.Winner = name
	winner := r.state.Candidate(name)
	text := fmt.Sprintf("%s wins with %s %.4f on %d validation rows", name, rule.Metric,
		winner.Validation.Metrics[rule.Metric], winner.Validation.Rows)
	if err := r.scribe.record(ctx, lifecycle.EntrySelected, lifecycle.Machine, text, nil); err != nil {
		return err
	}
	return r.test(ctx, winner)
}

func (r *release) validateOne(ctx workflow.Context, i int) error {
	run, c := &r.state.Candidates[i], r.in.Spec.Training.Candidates[i]
	e, err := r.score(ctx, "validation", r.state.Parts.Validation, *run.Model, c.Instance, run.Job+"-val", nil)
	if err != nil {
		return err
	}
	run.Validation = &e
	return nil
}

// test evaluates the winner and the champion on the same rows, side by side.
func (r *release) test(ctx workflow.Context, winner *lifecycle.CandidateRun) error {
	instance := r.in.Spec.Rollout.Endpoint.Instance
	wg, errs := workflow.NewWaitGroup(ctx), make([]error, 2)
	wg.Add(1)
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer wg.Done()
		var e lifecycle.Evaluation
		e, errs[0] = r.score(ctx, "test", r.state.Parts.Test, *winner.Model, instance, winner.Job+"-test", wantedSlices(r.in.Spec.Gates))
		r.state.Test = &e
	})
	if champion := r.in.Champion; champion != nil {
		wg.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wg.Done()
			name := lifecycle.ResourceName(r.in.Model.Name, r.in.Number, "champion", "test")
			var e lifecycle.Evaluation
			e, errs[1] = r.score(ctx, "test", r.state.Parts.Test, champion.Model, instance, name, nil)
			r.state.Champion = &e
		})
	}
	wg.Wait(ctx)
	if err := firstError(errs[0], errs[1]); err != nil || r.in.Champion == nil {
		return err
	}
	return r.compare(ctx)
}

func wantedSlices(gates []lifecycle.Gate) []lifecycle.SliceWanted {
	var out []lifecycle.SliceWanted
	for _, g := range gates {
		if g.Slice != "" {
			out = append(out, lifecycle.SliceWanted{Column: g.Slice, Metric: g.Metric, MinRows: g.MinRows})
		}
	}
	return out
}

// score runs a batch transform of a part and computes the metrics of its answers.
func (r *release) score(ctx workflow.Context, name string, part lifecycle.Part, model lifecycle.Trained,
	instance, jobName string, slices []lifecycle.SliceWanted,
) (lifecycle.Evaluation, error) {
	scored, err := call(ctx, job, "score "+jobName, evaluation.Score, lifecycle.ScoreInput{
		Of: r.of(), Job: jobName, Model: model, Instance: instance, Input: part.Input})
	if err != nil {
		return lifecycle.Evaluation{}, err
	}
	r.state.Cost += scored.Cost
	return call(ctx, job, "evaluate "+jobName, evaluation.Evaluate, lifecycle.EvaluateInput{
		Of: r.of(), Name: name, Part: part, Scored: scored, Task: r.in.Spec.Data.Task, Slices: slices})
}

// compare pairs the winner with the champion, row by row.
func (r *release) compare(ctx workflow.Context) error {
	comparison, err := call(ctx, job, "compare with the champion", evaluation.Compare, lifecycle.CompareInput{
		Of: r.of(), Part: r.state.Parts.Test, Task: r.in.Spec.Data.Task, Metrics: comparedMetrics(r.in.Spec),
		Champion: r.state.Champion.Scores, Challenger: r.state.Test.Scores})
	r.state.Comparison = comparison
	return err
}

// comparedMetrics are the selection metric and all that a gate compares.
func comparedMetrics(spec lifecycle.Spec) []string {
	out := []string{spec.Training.Select.Metric}
	for _, g := range spec.Gates {
		if g.VsChampion != nil && !slices.Contains(out, g.Metric) {
			out = append(out, g.Metric)
		}
	}
	return out
}

// gatedMetrics are the selection metric and all that a gate judges.
func gatedMetrics(spec lifecycle.Spec) []string {
	out := []string{spec.Training.Select.Metric}
	for _, g := range spec.Gates {
		if !slices.Contains(out, g.Metric) {
			out = append(out, g.Metric)
		}
	}
	return out
}

// judge holds the gates against what was measured.
func (r *release) judge(ctx workflow.Context) error {
	r.state.Verdicts = policy.Judge(r.in.Spec.Gates, policy.Measured{
		Test: *r.state.Test, Comparison: r.state.Comparison, First: r.in.Champion == nil})
	ok, why := policy.Passed(r.state.Verdicts)
	text := fmt.Sprintf("%d gates passed", len(r.state.Verdicts))
	if !ok {
		text = "gates not met: " + why
	}
	if err := r.scribe.record(ctx, lifecycle.EntryJudged, lifecycle.Machine, text, nil); err != nil {
		return err
	}
	if !ok {
		return lifecycle.Fail(lifecycle.GatesFailed, "gates not met: %s", why)
	}
	return nil
}
