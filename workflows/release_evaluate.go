package workflows

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
	"steward/internal/policy"
)

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
	e, err := r.score(ctx, "validation", r.state.Parts.Validation, *run.Model, c.Instance, validationJob(run.Job), nil)
	if err != nil {
		return err
	}
	run.Validation = &e
	return nil
}

// Names of the batch transforms of a candidate's job, and of the champion's.
func validationJob(job string) string { return job + "-val" }
func testJob(job string) string       { return job + "-test" }
func (r *release) championJob() string {
	return lifecycle.ResourceName(r.in.Model.Name, r.in.Number, "champion", "test")
}

// test evaluates the winner and the champion on the same rows, side by side.
func (r *release) test(ctx workflow.Context, winner *lifecycle.CandidateRun) error {
	instance := r.in.Spec.Rollout.Endpoint.Instance
	wg, errs := workflow.NewWaitGroup(ctx), make([]error, 2)
	wg.Add(1)
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer wg.Done()
		var e lifecycle.Evaluation
		e, errs[0] = r.score(ctx, "test", r.state.Parts.Test, *winner.Model, instance, testJob(winner.Job), wantedSlices(r.in.Spec.Gates))
		r.state.Test = &e
	})
	if champion := r.in.Champion; champion != nil && r.incomparable() == "" {
		wg.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wg.Done()
			name := r.championJob()
			var e lifecycle.Evaluation
			e, errs[1] = r.score(ctx, "test", r.state.Parts.Test, champion.Model, instance, name, nil)
			r.state.Champion = &e
		})
	}
	wg.Wait(ctx)
	if err := firstError(errs[0], errs[1]); err != nil || r.state.Champion == nil {
		return err
	}
	return r.compare(ctx)
}

// incomparable says why the champion cannot answer the same rows, or "". Rows
// come without names: other features would be read as its own.
func (r *release) incomparable() string {
	if c := r.in.Champion; c != nil && !slices.Equal(c.Parts.Features, r.state.Parts.Features) {
		return fmt.Sprintf("it has other features (%s)", strings.Join(c.Parts.Features, ", "))
	}
	return ""
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
		Of: r.of(), Job: jobName, Model: model, Instance: instance, Input: part.Input,
		MaxRuntime: r.in.Spec.Training.MaxRuntime})
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
	return metricsOf(spec, func(g lifecycle.Gate) bool { return g.VsChampion != nil })
}

// gatedMetrics are the selection metric and all that a gate judges.
func gatedMetrics(spec lifecycle.Spec) []string {
	return metricsOf(spec, func(lifecycle.Gate) bool { return true })
}

// metricsOf are the selection metric and those of some gates, each once.
func metricsOf(spec lifecycle.Spec, wanted func(lifecycle.Gate) bool) []string {
	out := []string{spec.Training.Select.Metric}
	for _, g := range spec.Gates {
		if wanted(g) && !slices.Contains(out, g.Metric) {
			out = append(out, g.Metric)
		}
	}
	return out
}

// maxSlices is how many slices the state keeps, the lowest first: a column may
// have thousands of values.
const maxSlices = 50

// judge holds the gates against what was measured.
func (r *release) judge(ctx workflow.Context) error {
	r.state.Verdicts = policy.Judge(r.in.Spec.Gates, policy.Measured{
		Test: *r.state.Test, Comparison: r.state.Comparison, First: r.in.Champion == nil, Incomparable: r.incomparable()})
	r.state.Test.Slices = policy.Lowest(r.state.Test.Slices, maxSlices)
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
