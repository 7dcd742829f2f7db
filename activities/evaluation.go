package activities

import (
	"context"
	"errors"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
	"steward/internal/stats"
)

// Evaluation asks models for answers and measures them. Role is the ARN that
// jobs act as.
type Evaluation struct {
	Jobs    *cloud.Jobs
	Models  *cloud.Models
	Objects *cloud.Objects
	Bucket  string
	Role    string
	Prices  cloud.Prices
}

// Score has a model answer every row of a part by a batch transform in the
// model's own serving container, and waits for it. The model resource that this
// needs is made for it and deleted after it. A transform that ran and failed is
// lifecycle.JobFailed with the container's reason.
func (e *Evaluation) Score(ctx context.Context, in lifecycle.ScoreInput) (lifecycle.Scored, error) {
	if _, err := e.Prices.Hour(in.Instance); err != nil {
		return lifecycle.Scored{}, err
	}
	job := cloud.TransformJob{
		Of: in.Of, Name: in.Job, Model: in.Job, Instance: in.Instance,
		Input: in.Input, Output: releaseURI(e.Bucket, in.Of, "scores/"+in.Job+"/"),
	}
	model := cloud.Model{Of: in.Of, Name: in.Job, Image: in.Model.Image, Data: in.Model.URI, Role: e.Role}
	ended, err := e.run(ctx, model, job)
	if cancelled(ctx) {
		return lifecycle.Scored{}, afterCancel(ctx, func(ctx context.Context) error { return e.stop(ctx, job) })
	}
	if err != nil {
		return lifecycle.Scored{}, err
	}
	if err := e.Models.Delete(ctx, model.Name); err != nil {
		return lifecycle.Scored{}, err
	}
	if err := completed("transform job", job.Name, ended); err != nil {
		return lifecycle.Scored{}, err
	}
	cost, err := e.Prices.Cost(in.Instance, ended.Billed)
	return lifecycle.Scored{URI: job.Output, Cost: cost}, err
}

// run waits for the job. An error that a later attempt may mend leaves model
// and job for that attempt; any other leaves nothing.
func (e *Evaluation) run(ctx context.Context, model cloud.Model, job cloud.TransformJob) (ended cloud.Ended, err error) {
	if err := e.Models.Create(ctx, model); err != nil {
		return ended, err
	}
	if err = e.Jobs.StartTransform(ctx, job); err == nil {
		ended, err = e.Jobs.WaitTransform(ctx, job.Name, beat(ctx))
	}
	if !cloud.Final(err) {
		return ended, err
	}
	if left := e.Models.Delete(ctx, model.Name); left != nil {
		err = cloud.Wrap(err, "model %s is left behind (%v) after", model.Name, left)
	}
	return ended, err
}

// stop stops a job, waits until it writes nothing any more and deletes its model.
func (e *Evaluation) stop(ctx context.Context, job cloud.TransformJob) error {
	if err := e.Jobs.StopTransform(ctx, job.Name); err != nil {
		return err
	}
	if _, err := e.Jobs.WaitTransform(ctx, job.Name, beat(ctx)); err != nil && !errors.Is(err, cloud.ErrNotFound) {
		return err
	}
	return e.Models.Delete(ctx, job.Model)
}

// Evaluate measures a model's answers on a part, whole and by slices. When the
// part holds one class only, the metrics that this leaves undefined are absent.
func (e *Evaluation) Evaluate(ctx context.Context, in lifecycle.EvaluateInput) (lifecycle.Evaluation, error) {
	columns, err := sliceColumns(in.Slices)
	if err != nil {
		return lifecycle.Evaluation{}, err
	}
	t, err := readTruth(ctx, e.Objects, in.Part, columns)
	if err != nil {
		return lifecycle.Evaluation{}, err
	}
	scores, err := readScores(ctx, e.Objects, in.Scored.URI, len(t.labels))
	if err != nil {
		return lifecycle.Evaluation{}, err
	}
	metrics, err := measure(in.Task, scores, t.labels)
	if err != nil && !undefined(err) {
		return lifecycle.Evaluation{}, lifecycle.Fail(lifecycle.JobFailed, "answers in %s: %v", in.Scored.URI, err)
	}
	out := lifecycle.Evaluation{
		Part: in.Name, Rows: int64(len(scores)), Metrics: metrics, Scores: in.Scored.URI, Cost: in.Scored.Cost,
	}
	for _, want := range in.Slices {
		slices, err := t.slice(in.Task, want, scores)
		if err != nil {
			return lifecycle.Evaluation{}, err
		}
		out.Slices = append(out.Slices, slices...)
	}
	return out, nil
}

// threshold is the score from which a binary answer counts as class 1.
const threshold = 0.5

// measure returns all metrics of a task. An undefined error comes with those
// that are defined.
func measure(task lifecycle.Task, scores, labels []float64) (stats.Metrics, error) {
	if task == lifecycle.Regression {
		return stats.Regression(stats.Scored{Score: scores, Label: labels})
	}
	return stats.Binary(stats.Scored{Score: scores, Label: labels}, threshold)
}

// undefined tells whether an error is about labels that leave some metrics
// without a meaning.
func undefined(err error) bool {
	return errors.Is(err, stats.ErrOneClass) || errors.Is(err, stats.ErrConstantLabel)
}

// seed makes comparisons by resampling repeatable.
const seed = 1

// Compare compares challenger and champion on the same rows, metric by metric:
// AUC by DeLong, all others by a paired bootstrap. Rows of one class only are
// lifecycle.DataRejected for a metric that needs two.
func (e *Evaluation) Compare(ctx context.Context, in lifecycle.CompareInput) ([]lifecycle.Comparison, error) {
	t, err := readTruth(ctx, e.Objects, in.Part, nil)
	if err != nil {
		return nil, err
	}
	champion, err := readScores(ctx, e.Objects, in.Champion, len(t.labels))
	if err != nil {
		return nil, err
	}
	challenger, err := readScores(ctx, e.Objects, in.Challenger, len(t.labels))
	if err != nil {
		return nil, err
	}
	out := make([]lifecycle.Comparison, 0, len(in.Metrics))
	for _, metric := range in.Metrics {
		c, err := stats.PairedBootstrap(metric, t.labels, champion, challenger, stats.BootstrapOptions{Seed: seed, Threshold: threshold})
		if err != nil {
			return nil, lifecycle.Fail(lifecycle.DataRejected, "compare by %s on %s: %v", metric, in.Part.Truth, err)
		}
		out = append(out, lifecycle.Comparison{
			Metric: c.Metric, Champion: c.Champion, Challenger: c.Challenger, Delta: c.Delta,
			Low: c.Low, High: c.High, Confidence: c.Confidence, Method: c.Method, Rows: int64(c.Rows),
		})
	}
	return out, nil
}
