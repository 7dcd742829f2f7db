package activities

import (
	"context"
	"errors"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// Abandon stops the jobs of a release that still run, waits until they write
// nothing any more, and deletes the models that its transforms were given. It
// returns what it stopped and deleted; a repeat finds nothing.
func (e *Evaluation) Abandon(ctx context.Context, in lifecycle.AbandonInput) (out lifecycle.Removed, err error) {
	each := func(kind string, names []string, do func(context.Context, string) (bool, error)) {
		for _, name := range names {
			var done bool
			if err == nil {
				done, err = do(ctx, name)
			}
			if done {
				out.Resources = append(out.Resources, kind+"/"+name)
			}
		}
	}
	ended := func(wait waiting) func(context.Context, string) (bool, error) {
		return func(ctx context.Context, name string) (bool, error) { return false, waitEnd(ctx, wait, name) }
	}
	// All are asked before any is waited for: each may take two minutes.
	each("training-job", in.Training, e.Jobs.StopTraining)
	each("transform-job", in.Transforms, e.Jobs.StopTransform)
	each("processing-job", in.Processing, e.Jobs.StopProcessing)
	each("", in.Training, ended(e.Jobs.WaitTraining))
	each("", in.Transforms, ended(e.Jobs.WaitTransform))
	each("", in.Processing, ended(e.Jobs.WaitProcessing))
	each("model", in.Transforms, e.Models.Delete)
	return out, err
}

// waiting waits for a job of one kind.
type waiting func(context.Context, string, func(lifecycle.Progress)) (cloud.Ended, error)

// waitEnd waits until a job writes nothing any more. There may be none: it was
// cancelled before it could start.
func waitEnd(ctx context.Context, wait waiting, name string) error {
	if _, err := wait(ctx, name, beat(ctx)); !errors.Is(err, cloud.ErrNotFound) {
		return err
	}
	return nil
}

// stopTraining stops a training job and waits until it writes nothing any more.
func stopTraining(ctx context.Context, jobs *cloud.Jobs, name string) error {
	if _, err := jobs.StopTraining(ctx, name); err != nil {
		return err
	}
	return waitEnd(ctx, jobs.WaitTraining, name)
}

// stopTransform is stopTraining for a batch transform.
func stopTransform(ctx context.Context, jobs *cloud.Jobs, name string) error {
	if _, err := jobs.StopTransform(ctx, name); err != nil {
		return err
	}
	return waitEnd(ctx, jobs.WaitTransform, name)
}

// stopProcessing is stopTraining for a processing job.
func stopProcessing(ctx context.Context, jobs *cloud.Jobs, name string) error {
	if _, err := jobs.StopProcessing(ctx, name); err != nil {
		return err
	}
	return waitEnd(ctx, jobs.WaitProcessing, name)
}
