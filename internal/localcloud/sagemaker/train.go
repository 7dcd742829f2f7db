package sagemaker

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/process"
)

// errInterrupted says that a job's run was ended by a closing service; the job
// starts over.
var errInterrupted = errors.New("interrupted")

// jobDirs is where a training job lives: run is the supervisor's, ml plays
// /opt/ml.
type jobDirs struct{ root, run, ml, tmp string }

func (s *Service) jobDirs(name string) jobDirs {
	root := filepath.Join(s.cfg.Dir, "jobs", name)
	return jobDirs{root, filepath.Join(root, "run"), filepath.Join(root, "ml"), filepath.Join(root, "tmp")}
}

// resumeTraining takes up the training jobs that have not ended and removes
// what others left behind.
func (s *Service) resumeTraining() error {
	jobs, err := s.store.training.unended()
	if err != nil {
		return err
	}
	lives := map[string]bool{}
	for _, j := range jobs {
		lives[*j.TrainingJobName] = true
	}
	left, err := os.ReadDir(filepath.Join(s.cfg.Dir, "jobs"))
	for _, dir := range left {
		if !lives[dir.Name()] {
			err = errors.Join(err, os.RemoveAll(s.jobDirs(dir.Name()).root))
		}
	}
	if err != nil {
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

// train sees one training job to its end, or until the service closes.
func (s *Service) train(t *task) {
	job, err := s.store.training.get(t.name)
	if err == nil {
		if job.TrainingJobStatus == types.TrainingJobStatusStopping {
			t.halt()
		}
		defer s.tasks.remove(*job.TrainingJobArn)
		var end outcome
		if end, err = s.trainToEnd(s.ctx, t, job); err == nil {
			err = s.finish(t, end)
		}
	}
	if err != nil && s.ctx.Err() == nil {
		s.log.Error("training job left unfinished", "job", t.name, "error", err)
	}
}

// trainToEnd runs the job, or joins the run that an earlier service started.
// An error means that the job has not ended.
func (s *Service) trainToEnd(ctx context.Context, t *task, job *trainingJob) (end outcome, err error) {
	for {
		run, err := process.Attach(s.jobDirs(t.name).run)
		switch {
		case errors.Is(err, process.ErrNeverStarted):
			end, err = s.trainAnew(ctx, t, job)
		case err == nil:
			end, err = s.rejoin(ctx, t, job, run)
		}
		if !errors.Is(err, errInterrupted) || ctx.Err() != nil {
			return end, err
		}
		if err := os.RemoveAll(s.jobDirs(t.name).root); err != nil {
			return outcome{}, err
		}
	}
}

// rejoin sees a run to its end that has a slot already, if one is left.
func (s *Service) rejoin(ctx context.Context, t *task, job *trainingJob, run *process.Run) (outcome, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
	}
	t.metrics.follow(s.file(job.journal()))
	return s.awaitTraining(ctx, t, job, run)
}

// trainAnew is a job's whole way. Steps that fail end it as AWS words it.
func (s *Service) trainAnew(ctx context.Context, t *task, job *trainingJob) (outcome, error) {
	until, cancel := t.until(ctx)
	defer cancel()
	release, err := s.occupy(until, func() error {
		return s.enter(t.name, types.SecondaryStatusPending, "Waiting for a free instance")
	})
	if err == nil {
		defer release()
		if err = s.enter(t.name, types.SecondaryStatusDownloading, "Downloading input data"); err == nil {
			err = s.prepareTraining(until, job)
		}
		if err == nil {
			err = s.openJournal(t, job)
		}
	}
	switch {
	case ctx.Err() != nil:
		return outcome{}, ctx.Err()
	case t.stopping():
		return judge(process.Exit{}, true, "", ""), nil
	case err != nil:
		return failed("ClientError: Data download failed: " + err.Error()), nil
	}
	if err := s.enter(t.name, types.SecondaryStatusTraining, "Training image download completed. Training in progress."); err != nil {
		return outcome{}, err
	}
	spec, err := s.trainingRun(until, job)
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	if err != nil && t.stopping() {
		return judge(process.Exit{}, true, "", ""), nil
	}
	if err != nil {
		return failed("AlgorithmError: the container could not be prepared: " + err.Error()), nil
	}
	run, err := process.Start(spec)
	if err != nil {
		return failed("AlgorithmError: the container could not be started: " + err.Error()), nil
	}
	return s.awaitTraining(ctx, t, job, run)
}

// openJournal gives a job's run a log of its own.
func (s *Service) openJournal(t *task, job *trainingJob) error {
	err := persist(s, s.store.training, t.name, func(j *trainingJob) {
		j.Epoch = max(time.Now().Unix(), j.Epoch+1)
		job.Epoch = j.Epoch
	})
	if err == nil {
		err = s.follow(job.journal())
	}
	t.metrics.follow(s.file(job.journal()))
	return err
}

// enter records a secondary status of a job. A job on its way to Stopped keeps
// saying Stopping.
func (s *Service) enter(name string, to types.SecondaryStatus, message string) error {
	return persist(s, s.store.training, name, func(j *trainingJob) {
		if j.TrainingJobStatus != types.TrainingJobStatusStopping || primary[to] != "" || to == types.SecondaryStatusUploading {
			j.enter(to, message, time.Now().UTC())
		}
	})
}

// trainingRun is the container: `<image> train` in a folder that plays /opt/ml.
func (s *Service) trainingRun(ctx context.Context, job *trainingJob) (process.Spec, error) {
	d, a := s.jobDirs(*job.TrainingJobName), job.AlgorithmSpecification
	arguments := a.ContainerArguments
	if len(arguments) == 0 && len(a.ContainerEntrypoint) == 0 {
		arguments = []string{"train"}
	}
	return s.contain(ctx, contained{image: *a.TrainingImage, entrypoint: a.ContainerEntrypoint, arguments: arguments,
		source: unquoted(job.HyperParameters["sagemaker_submit_directory"]), base: d.ml, tmp: d.tmp,
	}, process.Spec{
		Dir: d.run, WorkDir: d.ml, Log: s.file(job.journal()),
		Env: s.baseEnv(d.ml, d.tmp, job.Environment, map[string]string{
			"TRAINING_JOB_NAME": *job.TrainingJobName, "TRAINING_JOB_ARN": *job.TrainingJobArn}),
		Grace: s.cfg.JobGrace, Limit: time.Duration(*job.StoppingCondition.MaxRuntimeInSeconds) * time.Second,
	})
}

// unquoted is a hyperparameter's text; the SageMaker Python SDK sends JSON.
func unquoted(value string) string {
	var text string
	if json.Unmarshal([]byte(value), &text) == nil {
		return text
	}
	return value
}

// awaitTraining waits for a run's end and uploads what it made. When the
// service closes, the run is interrupted and starts over another time.
func (s *Service) awaitTraining(ctx context.Context, t *task, job *trainingJob, run *process.Run) (outcome, error) {
	stop := t.stop
	for ended := false; !ended; {
		select {
		case <-run.Done():
			ended = true
		case <-stop:
			stop = nil
			if err := run.Stop(); err != nil {
				return outcome{}, err
			}
		case <-ctx.Done():
			err := run.Interrupt()
			<-run.Done()
			s.settle(s.file(job.journal()))
			return outcome{}, errors.Join(errInterrupted, err)
		}
	}
	s.settle(s.file(job.journal()))
	exit, err := run.Exit()
	if errors.Is(err, process.ErrLost) {
		return failed("InternalServerError: the job's process was lost: " + err.Error()), nil
	}
	if err != nil {
		return outcome{}, err
	}
	if exit.Cause == process.Interrupted && !t.stopping() {
		return outcome{}, errInterrupted
	}
	return s.upload(ctx, t, job, s.verdict(t, exit))
}
