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

// verdict judges a run by its exit record and what the container left behind.
func (s *Service) verdict(t *task, exit process.Exit) outcome {
	failure, err := os.ReadFile(filepath.Join(s.jobDirs(t.name).ml, "output", "failure"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		failure = []byte(err.Error())
	}
	t.metrics.read()
	s.measure(t.name, 0, exit)
	return judge(exit, t.stopping(), string(failure), t.metrics.lastLine())
}

// upload stores the model (unless the job failed) and other output.
func (s *Service) upload(ctx context.Context, t *task, job *trainingJob, end outcome) (outcome, error) {
	if err := s.enter(t.name, types.SecondaryStatusUploading, "Uploading generated training model"); err != nil {
		return outcome{}, err
	}
	to, err := parseLocation("S3OutputPath", *job.OutputDataConfig.S3OutputPath)
	if err != nil {
		return outcome{}, err
	}
	to = to.join(t.name).join("output")
	d, model := s.jobDirs(t.name), ""
	if end.status != types.SecondaryStatusFailed {
		var stored bool
		stored, err = s.uploadFolder(ctx, filepath.Join(d.ml, "model"), to.join("model.tar.gz"), d.tmp)
		if stored {
			model = to.join("model.tar.gz").String()
		}
	}
	if err == nil {
		_, err = s.uploadFolder(ctx, filepath.Join(d.ml, "output", "data"), to.join("output.tar.gz"), d.tmp)
	}
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	if err != nil {
		return failed("ClientError: Artifact upload failed: " + err.Error()), nil //nolint:nilerr // the job failed, not the recording
	}
	return end, persist(s, s.store.training, t.name, func(j *trainingJob) {
		j.ModelArtifacts = &types.ModelArtifacts{}
		if model != "" {
			j.ModelArtifacts.S3ModelArtifacts = aws.String(model)
		}
	})
}

func (s *Service) uploadFolder(ctx context.Context, dir string, to location, tmp string) (bool, error) {
	file := filepath.Join(tmp, filepath.Base(to.key))
	found, err := pack(file, dir)
	if err != nil || !found {
		return false, err
	}
	return true, s.putFile(ctx, to, file)
}

// finish records a job's end and removes its folder; the log stays.
func (s *Service) finish(t *task, end outcome) error {
	err := persist(s, s.store.training, t.name, func(j *trainingJob) {
		j.FinalMetricDataList = t.metrics.read()
		if end.status == types.SecondaryStatusFailed {
			j.FailureReason = aws.String(end.message)
		}
		j.enter(end.status, end.message, time.Now().UTC())
	})
	if err != nil {
		return fmt.Errorf("record the end: %w", err)
	}
	return os.RemoveAll(s.jobDirs(t.name).root)
}
