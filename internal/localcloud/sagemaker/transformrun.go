package sagemaker

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// Defaults of a transform job (CreateTransformJob).
const (
	defaultPayloadMB  = 6
	defaultConcurrent = 1
	defaultRetries    = 3
	defaultTimeout    = 600 * time.Second
)

// resumeTransforms starts unfinished jobs over: their outputs are written whole
// or not at all, so doing it twice does no harm.
func (s *Service) resumeTransforms() error {
	jobs, err := s.store.transforms.unended()
	for _, j := range jobs {
		s.setOut(newTask(*j.TransformJobName), *j.TransformJobArn)
	}
	return err
}

// transform sees one transform job to its end, or until the service closes.
func (s *Service) transform(t *task) {
	job, err := s.store.transforms.get(t.name)
	if err == nil {
		if job.TransformJobStatus == types.TransformJobStatusStopping {
			t.halt()
		}
		ctx, cancel := t.until(s.ctx)
		failure := s.runTransform(ctx, job)
		cancel()
		if s.ctx.Err() != nil {
			return // starts over with the next service
		}
		err = s.finishTransform(t, failure)
	}
	if err != nil {
		s.log.Error("transform job left unfinished", "job", t.name, "error", err)
	}
}

func (s *Service) finishTransform(t *task, failure error) error {
	return persist(s, s.store.transforms, t.name, func(j *transformJob) {
		now := time.Now().UTC()
		j.TransformEndTime, j.Modified = &now, now
		switch {
		case t.stopping():
			j.TransformJobStatus = types.TransformJobStatusStopped
		case failure != nil:
			j.TransformJobStatus, j.FailureReason = types.TransformJobStatusFailed, aws.String(failure.Error())
		default:
			j.TransformJobStatus = types.TransformJobStatusCompleted
		}
	})
}

// runTransform starts the model server, sends it all inputs and ends it.
func (s *Service) runTransform(ctx context.Context, job *transformJob) error {
	release, err := s.occupy(ctx, func() error { return nil })
	if err != nil {
		return err
	}
	defer release()
	if err := persist(s, s.store.transforms, *job.TransformJobName, func(j *transformJob) {
		j.TransformStartTime = aws.Time(time.Now().UTC())
	}); err != nil {
		return err
	}
	source := job.TransformInput.DataSource.S3DataSource
	inputs, err := s.sources(ctx, source.S3DataType, *source.S3Uri)
	if err != nil {
		return fmt.Errorf("ClientError: %w", err)
	}
	b := s.newBatch(job)
	server, err := s.startServer(ctx, serverSpec{container: job.Container, env: b.env(), fetch: fetchTimeout,
		startup: s.cfg.StartupTimeout, log: batchJournal(*job.TransformJobName)})
	if err != nil {
		return fmt.Errorf("AlgorithmError: %w; see job logs for more information", err)
	}
	defer server.halt()
	addr, ok := server.acquire()
	if !ok {
		return fmt.Errorf("AlgorithmError: the model server ended; see job logs for more information")
	}
	defer server.release()
	b.addr = addr
	if err := b.askParameters(ctx); err != nil {
		return fmt.Errorf("AlgorithmError: %w", err)
	}
	for _, in := range inputs {
		if err := b.object(ctx, in, filepath.Join(server.dir, "tmp", "out")); err != nil {
			return err
		}
	}
	return nil
}
