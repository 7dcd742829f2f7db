package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/process"
)

// awaitTraining accompanies a run to its end: pipes are fed, checkpoints are
// kept, orders are carried out. Then it uploads what the run made, or says that
// the job starts over. When the service closes, the run is interrupted and
// starts over another time.
func (s *Service) awaitTraining(ctx context.Context, t *task, job *trainingJob, c cluster, runs crew, pipes []feed) (outcome, error) {
	along, cancel := context.WithCancel(ctx)
	defer cancel()
	t.metrics.follow(s.files(c)...)
	kept, fed := keepMirrors(along, s.mirrorCheckpoints(job, c)), s.feedAll(along, pipes)
	told, err := runs.await(ctx, s.trainingOrders(along, t, job, fed))
	fed.halt()
	s.settle(s.files(c)...)
	// A run that is interrupted may have saved its state at the last moment.
	if lost := kept.finish(context.WithoutCancel(ctx)); lost != nil && err == nil {
		return failed("ClientError: Checkpoint upload failed: " + lost.Error()), nil
	}
	if err != nil {
		return outcome{}, err
	}
	switch {
	case t.stopping():
		told = orderStop
	case told == "":
		told = job.Told // before an earlier service was killed
	}
	return s.conclude(ctx, t, job, c, runs, told, fed.failure())
}

// trainingOrders are what may end a run. An order that was recorded comes again.
func (s *Service) trainingOrders(ctx context.Context, t *task, job *trainingJob, fed *feeds) orders {
	o := orders{stop: t.stop, data: fed.broken, record: func(why order) error {
		return persist(s, s.store.training, t.name, func(j *trainingJob) { j.Told = why })
	}}
	if at := job.deadline(); !at.IsZero() {
		o.late = time.After(time.Until(at))
	}
	switch {
	case job.Told == orderSpot:
		now := make(chan struct{})
		close(now)
		o.spot = now
	case aws.ToBool(job.EnableManagedSpotTraining):
		o.spot = s.interruption(ctx, t.name)
	}
	return o
}

// conclude judges a run that has ended.
func (s *Service) conclude(ctx context.Context, t *task, job *trainingJob, c cluster, runs crew, told order, unfed error) (outcome, error) {
	host, exit, err := runs.culprit()
	switch {
	case errors.Is(err, process.ErrLost) && told == "":
		return s.retry(t, job, err)
	case err != nil && !errors.Is(err, process.ErrLost):
		return outcome{}, err
	case told == orderSpot:
		return outcome{}, errors.Join(s.enter(t.name, types.SecondaryStatusInterrupted), errStartOver)
	case told == orderData && unfed != nil:
		return failed("ClientError: Data download failed: " + unfed.Error()), nil //nolint:nilerr // however its process ended
	case exit.Cause == process.Interrupted && told == "":
		return outcome{}, errStartOver
	}
	for i, run := range runs {
		if used, err := run.Exit(); err == nil {
			s.measure(t.name, i, used)
		}
	}
	return s.upload(ctx, t, job, c, s.verdict(t, c, host, exit, told))
}

// retry starts a job over whose process was lost, as often as it may.
func (s *Service) retry(t *task, job *trainingJob, lost error) (outcome, error) {
	reason := fmt.Sprintf("InternalServerError: We encountered an internal error. Please try again. (%v)", lost)
	if job.RetryStrategy == nil || job.Retries >= *job.RetryStrategy.MaximumRetryAttempts {
		return failed(reason), nil
	}
	err := persist(s, s.store.training, t.name, func(j *trainingJob) {
		j.Retries++
		j.enter(types.SecondaryStatusRestarting, time.Now().UTC())
	})
	return outcome{}, errors.Join(err, errStartOver)
}
