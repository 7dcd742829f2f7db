package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/process"
)

// verdict judges a run by the exit record of one host and what its container
// left behind.
func (s *Service) verdict(t *task, c cluster, host int, exit process.Exit, told order) outcome {
	failure, err := os.ReadFile(filepath.Join(c[host].ml, "output", "failure"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		failure = []byte(err.Error())
	}
	t.metrics.read()
	return judge(exit, told, string(failure), t.metrics.lastLine(host))
}

// upload stores the model (unless the job failed) and other output, each made
// of what all hosts left.
func (s *Service) upload(ctx context.Context, t *task, job *trainingJob, c cluster, end outcome) (outcome, error) {
	if err := s.enter(t.name, types.SecondaryStatusUploading); err != nil {
		return outcome{}, err
	}
	var err error
	if end.status != types.SecondaryStatusFailed {
		err = s.uploadModel(ctx, job, c)
	}
	if err == nil {
		err = s.uploadArchive(ctx, c.below("output", "data"), job.output().join("output.tar.gz"), c[0].tmp)
	}
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	if err != nil {
		return failed("ClientError: Artifact upload failed: " + err.Error()), nil //nolint:nilerr // the job failed, not the recording
	}
	return end, nil
}

// output is where a job's outputs go.
func (j *trainingJob) output() location {
	at, _ := parseLocation("", *j.OutputDataConfig.S3OutputPath) // was checked
	return at.join(*j.TrainingJobName).join("output")
}

// place is where the model goes: an archive, or the folder of its files.
func (j *trainingJob) place() location {
	if j.OutputDataConfig.CompressionType == types.OutputCompressionTypeNone {
		return j.output().join("model/")
	}
	return j.output().join("model.tar.gz")
}

// uploadModel stores the model, if there is one.
func (s *Service) uploadModel(ctx context.Context, job *trainingJob, c cluster) error {
	at := job.place()
	if job.OutputDataConfig.CompressionType != types.OutputCompressionTypeNone {
		return s.uploadArchive(ctx, c.below("model"), at, c[0].tmp)
	}
	seen := map[string]bool{}
	for _, h := range c {
		err := h.tree("model").each(func(name, path string, _ fs.FileInfo) error {
			if seen[name] {
				return nil
			}
			seen[name] = true
			return s.putFile(ctx, at.join(name), path)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// uploadArchive stores what is in some folders as one archive, if there is
// anything.
func (s *Service) uploadArchive(ctx context.Context, dirs []string, to location, tmp string) error {
	file := filepath.Join(tmp, filepath.Base(to.key))
	found, err := pack(file, dirs...)
	if err != nil || !found {
		return err
	}
	return s.putFile(ctx, to, file)
}

// finish records a job's end and removes its folder; the logs stay.
func (s *Service) finish(t *task, end outcome) error {
	err := persist(s, s.store.training, t.name, func(j *trainingJob) {
		j.FinalMetricDataList = t.metrics.read()
		if end.status == types.SecondaryStatusFailed {
			j.FailureReason = aws.String(end.reason)
		}
		j.enter(end.status, time.Now().UTC())
	})
	if err != nil {
		return fmt.Errorf("record the end: %w", err)
	}
	return os.RemoveAll(s.trainingDir(t.name))
}
