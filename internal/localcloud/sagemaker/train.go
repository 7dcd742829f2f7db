package sagemaker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/process"
)

// trainingDir is where a training job's hosts live.
func (s *Service) trainingDir(name string) string { return filepath.Join(s.cfg.Dir, "jobs", name) }

// hostsOf gives the hosts of a job's present run.
func (s *Service) hostsOf(job *trainingJob) cluster {
	return hosts(groupsOf(job.ResourceConfig), s.trainingDir(*job.TrainingJobName), trainingLogs, *job.TrainingJobName, job.Epoch)
}

// resumeTraining takes up the training jobs that have not ended and removes
// what others left behind.
func (s *Service) resumeTraining() error {
	jobs, err := s.store.training.unended()
	if err != nil {
		return err
	}
	alive := map[string]bool{}
	for _, j := range jobs {
		alive[*j.TrainingJobName] = true
	}
	if err := sweepJobs(s.trainingDir(""), alive); err != nil {
		return err
	}
	for _, j := range jobs {
		t := newTask(*j.TrainingJobName)
		t.metrics = newScraper(j.AlgorithmSpecification.MetricDefinitions)
		s.tasks.put(*j.TrainingJobArn, t)
		s.spawn(func() { s.train(t) })
	}
	return nil
}

// sweepJobs removes the folders that jobs which are not alive have left below
// dir.
func sweepJobs(dir string, alive map[string]bool) error {
	left, err := os.ReadDir(dir)
	for _, entry := range left {
		if !alive[entry.Name()] {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
		}
	}
	return err
}

// train sees one training job to its end, or until the service closes.
func (s *Service) train(t *task) {
	job, err := s.store.training.get(t.name)
	if err == nil {
		if job.TrainingJobStatus == types.TrainingJobStatusStopping {
			t.halt()
		}
		defer s.tasks.remove(*job.TrainingJobArn)
		var end outcome
		if end, err = s.trainToEnd(s.ctx, t); err == nil {
			err = s.finish(t, end)
		}
	}
	if err != nil && s.ctx.Err() == nil {
		s.log.Error("training job left unfinished", "job", t.name, "error", err)
	}
}

// trainToEnd runs the job, as often as it has to start over. An error means that
// the job has not ended.
func (s *Service) trainToEnd(ctx context.Context, t *task) (outcome, error) {
	for {
		job, err := s.store.training.get(t.name)
		if err != nil {
			return outcome{}, err
		}
		end, err := s.trainOn(ctx, t, job)
		if !errors.Is(err, errStartOver) || ctx.Err() != nil {
			return end, err
		}
		if err := os.RemoveAll(s.trainingDir(t.name)); err != nil {
			return outcome{}, err
		}
	}
}

// trainOn joins the run that an earlier service started, or begins one. What a
// pipe held when its writer was killed cannot be told: such a run starts over.
func (s *Service) trainOn(ctx context.Context, t *task, job *trainingJob) (outcome, error) {
	between := job.SecondaryStatus == types.SecondaryStatusInterrupted || job.SecondaryStatus == types.SecondaryStatusRestarting
	if between {
		// The run before must not be taken for this one, which has a state of its own
		// as soon as it waits for its place.
		if err := os.RemoveAll(s.trainingDir(t.name)); err != nil {
			return outcome{}, err
		}
	}
	c := s.hostsOf(job)
	runs, err := attachCrew(c.runs())
	switch {
	case errors.Is(err, process.ErrNeverStarted):
		return s.trainAnew(ctx, t, job)
	case err != nil:
		return outcome{}, err
	case job.piped():
		return outcome{}, errors.Join(errStartOver, runs.dismiss())
	}
	select { // it has a slot already, if one is left
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
	}
	return s.awaitTraining(ctx, t, job, c, runs, nil)
}

// trainAnew is the whole way of a run. Steps that fail end the job as AWS words
// it.
func (s *Service) trainAnew(ctx context.Context, t *task, job *trainingJob) (outcome, error) {
	until, cancel := t.until(ctx)
	defer cancel()
	if at := job.deadline(); !at.IsZero() {
		until, cancel = context.WithDeadline(until, at)
		defer cancel()
	}
	release, err := s.occupy(until, func() error { return s.enter(t.name, types.SecondaryStatusPending) })
	var next prepared
	if err == nil {
		defer release()
		next, err = s.prepareRun(until, t, job)
	}
	switch {
	case ctx.Err() != nil:
		return outcome{}, ctx.Err()
	case t.stopping():
		return judge(process.Exit{}, orderStop, "", ""), nil
	case until.Err() != nil:
		return judge(process.Exit{}, orderLate, "", ""), nil
	case err != nil:
		return failed(err.Error()), nil
	}
	runs, err := startCrew(next.specs)
	if err != nil {
		s.settle(s.files(next.hosts)...)
		return failed("AlgorithmError: the container could not be started: " + err.Error()), nil
	}
	return s.awaitTraining(ctx, t, job, next.hosts, runs, next.pipes)
}

// prepared is what a run needs to begin.
type prepared struct {
	hosts cluster
	pipes []feed
	specs []process.Spec
}

// prepareRun makes ready what a run needs, its logs included. Errors are in
// AWS's words.
func (s *Service) prepareRun(ctx context.Context, t *task, job *trainingJob) (next prepared, err error) {
	if err := s.enter(t.name, types.SecondaryStatusStarting); err != nil {
		return next, err
	}
	if err := s.startSlowly(ctx, t.name); err != nil {
		return next, err
	}
	if err := s.enter(t.name, types.SecondaryStatusDownloading); err != nil {
		return next, err
	}
	if err := persist(s, s.store.training, t.name, func(j *trainingJob) {
		j.Epoch, j.Told = nextEpoch(j.Epoch), ""
		*job = *j
	}); err != nil {
		return next, err
	}
	next.hosts = s.hostsOf(job)
	if next.pipes, err = s.prepareTraining(ctx, job, next.hosts); err != nil {
		return next, s.inputFailure(err, *job.RoleArn)
	}
	if err := s.enter(t.name, types.SecondaryStatusTraining); err != nil {
		return next, err
	}
	for _, h := range next.hosts {
		if err == nil {
			err = s.follow(h.log)
		}
	}
	if err == nil {
		next.specs, err = s.trainingRuns(ctx, job, next.hosts)
	}
	if err != nil {
		s.settle(s.files(next.hosts)...)
		return next, fmt.Errorf("AlgorithmError: the container could not be prepared: %w", err)
	}
	return next, nil
}

// enter records a secondary status of a job. A job on its way to Stopped keeps
// saying Stopping.
func (s *Service) enter(name string, to types.SecondaryStatus) error {
	return persist(s, s.store.training, name, func(j *trainingJob) {
		if j.TrainingJobStatus != types.TrainingJobStatusStopping || primary[to] != "" || to == types.SecondaryStatusUploading {
			j.enter(to, time.Now().UTC())
		}
	})
}

// trainingRuns are the containers: `<image> train` on each host.
func (s *Service) trainingRuns(ctx context.Context, job *trainingJob, c cluster) ([]process.Spec, error) {
	a, specs := job.AlgorithmSpecification, make([]process.Spec, len(c))
	arguments := a.ContainerArguments
	if len(arguments) == 0 && len(a.ContainerEntrypoint) == 0 {
		arguments = []string{"train"}
	}
	for i, h := range c {
		var err error
		specs[i], err = s.contain(ctx, contained{image: *a.TrainingImage, entrypoint: a.ContainerEntrypoint, arguments: arguments,
			source: unquoted(job.HyperParameters["sagemaker_submit_directory"]), base: h.ml, tmp: h.tmp, hosts: h.hostsFile(),
			alone: aws.ToBool(job.EnableNetworkIsolation), env: job.Environment,
			contract: map[string]string{"TRAINING_JOB_NAME": *job.TrainingJobName, "TRAINING_JOB_ARN": *job.TrainingJobArn},
		}, process.Spec{Dir: h.run, Log: s.file(h.log), Grace: s.cfg.JobGrace, Limit: job.limit()})
		if err != nil {
			return nil, err
		}
	}
	return specs, nil
}

// unquoted is a hyperparameter's text; the SageMaker Python SDK sends JSON.
func unquoted(value string) string {
	var text string
	if json.Unmarshal([]byte(value), &text) == nil {
		return text
	}
	return value
}
