package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/process"
)

// processingDir is where a processing job's hosts live.
func (s *Service) processingDir(name string) string {
	return filepath.Join(s.cfg.Dir, "processing", name)
}

// processors gives the hosts of a job's present run.
func (s *Service) processors(j *processingJob) cluster {
	c := j.ProcessingResources.ClusterConfig
	group := types.InstanceGroup{InstanceGroupName: aws.String(soleGroup), InstanceType: types.TrainingInstanceType(c.InstanceType), InstanceCount: c.InstanceCount}
	return hosts([]types.InstanceGroup{group}, s.processingDir(*j.ProcessingJobName), processingLogs, *j.ProcessingJobName, j.Epoch)
}

// resumeProcessing takes up the processing jobs that have not ended and removes
// what others left behind.
func (s *Service) resumeProcessing() error {
	jobs, err := s.store.processing.unended()
	if err != nil {
		return err
	}
	alive := map[string]bool{}
	for _, j := range jobs {
		alive[*j.ProcessingJobName] = true
	}
	if err := sweepJobs(s.processingDir(""), alive); err != nil {
		return err
	}
	for _, j := range jobs {
		s.beginProcessing(j)
	}
	return nil
}

// processJob sees one processing job to its end, or until the service closes.
func (s *Service) processJob(t *task) {
	job, err := s.store.processing.get(t.name)
	if err == nil && job.ProcessingJobStatus == types.ProcessingJobStatusStopping {
		t.halt()
	}
	var how processed
	for err == nil {
		if how, err = s.processOn(s.ctx, t, job); !errors.Is(err, errStartOver) || s.ctx.Err() != nil {
			break
		}
		err = os.RemoveAll(s.processingDir(t.name))
	}
	if err == nil {
		err = persist(s, s.store.processing, t.name, func(j *processingJob) { j.end(how, time.Now().UTC()) })
	}
	if err == nil {
		err = os.RemoveAll(s.processingDir(t.name))
	}
	if err != nil && s.ctx.Err() == nil {
		s.log.Error("processing job left unfinished", "job", t.name, "error", err)
	}
}

// processOn joins the run that an earlier service started, or begins one.
func (s *Service) processOn(ctx context.Context, t *task, job *processingJob) (processed, error) {
	runs, err := attachCrew(s.processors(job).runs())
	if err == nil {
		select { // it has a slot already, if one is left
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		default:
		}
		return s.awaitProcessing(ctx, t, job, runs)
	}
	if !errors.Is(err, process.ErrNeverStarted) {
		return processed{}, err
	}
	until, cancel := t.until(ctx)
	defer cancel()
	release, err := s.occupy(until, func() error { return nil })
	if err == nil {
		defer release()
		runs, err = s.startProcessing(until, t, job)
	}
	switch {
	case ctx.Err() != nil:
		return processed{}, errors.Join(ctx.Err(), runs.dismiss())
	case err != nil && t.stopping():
		return judgeProcessing(process.Exit{}, orderStop, ""), nil
	case err != nil:
		return unprocessed(err.Error()), nil
	}
	return s.awaitProcessing(ctx, t, job, runs)
}

// startProcessing makes the hosts ready and starts the containers. Errors are in
// AWS's words.
func (s *Service) startProcessing(ctx context.Context, t *task, job *processingJob) (crew, error) {
	if err := s.startSlowly(ctx, t.name); err != nil {
		return nil, err
	}
	if err := persist(s, s.store.processing, t.name, func(j *processingJob) {
		j.begin(time.Now().UTC())
		*job = *j
	}); err != nil {
		return nil, err
	}
	c := s.processors(job)
	if err := s.prepareProcessing(ctx, job, c); err != nil {
		return nil, s.inputFailure(err, *job.RoleArn)
	}
	var specs []process.Spec
	var err error
	for _, h := range c {
		var spec process.Spec
		if err = s.follow(h.log); err == nil {
			spec, err = s.processingRun(ctx, job, h)
		}
		if err != nil {
			break
		}
		specs = append(specs, spec)
	}
	var runs crew
	if err == nil {
		runs, err = startCrew(specs)
	}
	if err != nil {
		s.settle(s.files(c)...)
		return nil, fmt.Errorf("AlgorithmError: the container could not be started: %w", err)
	}
	return runs, nil
}

// awaitProcessing waits for a run's end and uploads what it made.
func (s *Service) awaitProcessing(ctx context.Context, t *task, job *processingJob, runs crew) (processed, error) {
	c := s.processors(job)
	kept := keepMirrors(ctx, s.mirrorOutputs(job, c, types.ProcessingS3UploadModeContinuous))
	told, err := runs.await(ctx, orders{stop: t.stop, record: func(order) error { return nil }}) // Stopping is on record
	s.settle(s.files(c)...)
	if err != nil {
		kept.halt()
		return processed{}, err
	}
	if t.stopping() {
		told = orderStop
	}
	unsent := kept.finish(ctx)
	how, err := concludeProcessing(c, runs, told)
	if err == nil && how.status != types.ProcessingJobStatusFailed {
		for _, m := range s.mirrorOutputs(job, c, types.ProcessingS3UploadModeEndOfJob) {
			unsent = errors.Join(unsent, m.sync(ctx))
		}
		if unsent != nil {
			how = unprocessed("ClientError: Output upload failed: " + unsent.Error())
		}
	}
	return how, errors.Join(err, ctx.Err())
}

// concludeProcessing judges a run that has ended.
func concludeProcessing(c cluster, runs crew, told order) (processed, error) {
	host, exit, err := runs.culprit()
	switch {
	case errors.Is(err, process.ErrLost) && told == "":
		return unprocessed(fmt.Sprintf("InternalServerError: We encountered an internal error. Please try again. (%v)", err)), nil
	case err != nil && !errors.Is(err, process.ErrLost):
		return processed{}, err
	case exit.Cause == process.Interrupted && told == "":
		return processed{}, errStartOver
	}
	message, _ := os.ReadFile(filepath.Join(c[host].ml, "output", "message")) // it need not be there
	return judgeProcessing(exit, told, string(message)), nil
}

func (s *Service) mirrorOutputs(job *processingJob, c cluster, mode types.ProcessingS3UploadMode) (all []*mirror) {
	for _, out := range job.outputs() {
		if out.S3UploadMode != mode {
			continue
		}
		folder, _ := belowOpt("", *out.LocalPath)
		at, _ := parseLocation("", *out.S3Uri) // both were checked
		for _, h := range c {
			all = append(all, s.mirror(h.tree(folder), at))
		}
	}
	return all
}
