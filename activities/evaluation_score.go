package activities

import (
	"cmp"
	"context"
	"errors"
	"time"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// Score has a model answer every row of a part by a batch transform in the
// model's own serving container, and waits for it. The model resource that this
// needs is made for it and deleted after it. A transform that ran and failed, or
// that took longer than the request's MaxRuntime and was stopped, is
// lifecycle.JobFailed with the reason.
func (e *Evaluation) Score(ctx context.Context, in lifecycle.ScoreInput) (lifecycle.Scored, error) {
	if _, err := e.Prices.Hour(in.Instance); err != nil {
		return lifecycle.Scored{}, err
	}
	job := cloud.TransformJob{
		Of: in.Of, Name: in.Job, Model: in.Job, Instance: in.Instance,
		Input: in.Input, Output: releaseURI(e.Bucket, in.Of, "scores/"+in.Job+"/"),
	}
	model := cloud.Model{Of: in.Of, Name: in.Job, Image: in.Model.Image, Data: in.Model.URI, Role: e.Role, Env: in.Model.ServingEnv()}
	ended, err := e.run(ctx, model, job, cmp.Or(in.MaxRuntime.Std(), scoreRuntime))
	if err != nil {
		return lifecycle.Scored{}, err
	}
	if _, err := e.Models.Delete(ctx, model.Name); err != nil {
		return lifecycle.Scored{}, err
	}
	if err := completed("transform job", job.Name, ended); err != nil {
		return lifecycle.Scored{}, err
	}
	cost, err := e.Prices.Cost(in.Instance, ended.Billed)
	return lifecycle.Scored{URI: job.Output, Cost: cost}, err
}

// scoreRuntime is how long a batch transform may take when nobody says.
const scoreRuntime = time.Hour

// run waits for the job. An error that a later attempt may mend leaves model
// and job for that attempt; any other, and a cancellation, leaves nothing.
func (e *Evaluation) run(ctx context.Context, model cloud.Model, job cloud.TransformJob, longest time.Duration) (ended cloud.Ended, err error) {
	if err := e.Models.Create(ctx, model); err != nil {
		return ended, err
	}
	remove := func(ctx context.Context) error {
		_, err := e.Models.Delete(ctx, model.Name)
		return err
	}
	stop := func(ctx context.Context) error {
		if err := stopTransform(ctx, e.Jobs, job.Name); err != nil {
			return err
		}
		return remove(ctx)
	}
	err = e.Jobs.StartTransform(ctx, job)
	if cloud.Final(err) { // there is no job, or it is somebody else's
		return ended, afterFault(ctx, err, remove)
	}
	if err == nil {
		ended, err = e.wait(ctx, job.Name, longest)
	}
	switch {
	case cancelled(ctx):
		return ended, afterCancel(ctx, stop)
	case cloud.Final(err):
		return ended, afterFault(ctx, err, stop)
	}
	return ended, err
}

// wait waits for a job until it has taken too long, which is final. AWS has no
// such limit for a batch transform.
func (e *Evaluation) wait(ctx context.Context, name string, longest time.Duration) (cloud.Ended, error) {
	late := lifecycle.Fail(lifecycle.JobFailed, "transform job %s took longer than %s and was stopped", name, longest)
	looking, end := context.WithCancelCause(ctx)
	defer end(nil)
	report, began := beat(ctx), time.Now()
	ended, err := e.Jobs.WaitTransform(looking, name, func(p lifecycle.Progress) {
		report(p)
		if !p.Started.IsZero() { // it may have waited for an instance, or for this attempt
			began = p.Started
		}
		if time.Since(began) > longest {
			end(late)
		}
	})
	if err != nil && errors.Is(context.Cause(looking), late) {
		return ended, late
	}
	return ended, err
}
