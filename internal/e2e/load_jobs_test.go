package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/process/processtest"
)

// shortJobs is a load that trains one small model after another.
type shortJobs struct {
	prefix       string
	n            int
	acknowledged []string // creations
	doubtful     string   // a creation that was asked for
	checked      int      // of the acknowledged ones
}

// training is the request for a job, whose model goes below models/.
func training(name, image string) *sagemaker.CreateTrainingJobInput {
	return &sagemaker.CreateTrainingJobInput{
		TrainingJobName: &name, RoleArn: aws.String("arn:aws:iam::000000000000:role/test"),
		AlgorithmSpecification: &types.AlgorithmSpecification{TrainingImage: &image, TrainingInputMode: types.TrainingInputModeFile},
		HyperParameters:        map[string]string{"task": "regression"},
		InputDataConfig: []types.Channel{{ChannelName: aws.String("train"), ContentType: aws.String("text/csv"),
			DataSource: &types.DataSource{S3DataSource: &types.S3DataSource{S3DataType: types.S3DataTypeS3Prefix, S3Uri: aws.String("s3://" + bucket + "/rows/")}}}},
		OutputDataConfig:  &types.OutputDataConfig{S3OutputPath: aws.String("s3://" + bucket + "/models")},
		ResourceConfig:    &types.ResourceConfig{InstanceType: types.TrainingInstanceTypeMlM5Large, InstanceCount: aws.Int32(1), VolumeSizeInGB: aws.Int32(1)},
		StoppingCondition: &types.StoppingCondition{MaxRuntimeInSeconds: aws.Int32(600)},
	}
}

func (j *shortJobs) step(ctx context.Context, c clients) error {
	j.n++
	name := fmt.Sprintf("%s-%d", j.prefix, j.n)
	j.doubtful = name
	if _, err := c.sm.CreateTrainingJob(ctx, training(name, "steward/linear")); err != nil {
		return err
	}
	j.acknowledged, j.doubtful = append(j.acknowledged, name), ""
	_, err := c.trained(ctx, name)
	return err
}

// check holds that every job that was acknowledged completes.
func (j *shortJobs) check(ctx context.Context, c clients) error {
	if j.doubtful != "" {
		switch there, err := c.exists(ctx, j.doubtful); {
		case err != nil:
			return err
		case there:
			j.acknowledged = append(j.acknowledged, j.doubtful)
		}
		j.doubtful = ""
	}
	for ; j.checked < len(j.acknowledged); j.checked++ {
		name := j.acknowledged[j.checked]
		if _, err := c.trained(ctx, name); err != nil {
			return err
		}
		if _, err := c.modelOf(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (c clients) exists(ctx context.Context, job string) (bool, error) {
	_, err := c.sm.DescribeTrainingJob(ctx, &sagemaker.DescribeTrainingJobInput{TrainingJobName: &job})
	if err != nil && strings.Contains(err.Error(), "Requested resource not found") {
		return false, nil
	}
	return err == nil, err
}

// trained waits until a job has completed.
func (c clients) trained(ctx context.Context, job string) (out *sagemaker.DescribeTrainingJobOutput, err error) {
	err = c.until(ctx, func() (bool, error) {
		if out, err = c.sm.DescribeTrainingJob(ctx, &sagemaker.DescribeTrainingJobInput{TrainingJobName: &job}); err != nil {
			return false, fmt.Errorf("%s: %w", job, err)
		}
		switch out.TrainingJobStatus {
		case types.TrainingJobStatusInProgress:
			return false, nil
		case types.TrainingJobStatusCompleted:
			return true, nil
		}
		return false, fmt.Errorf("%s is %s: %s", job, out.TrainingJobStatus, aws.ToString(out.FailureReason))
	})
	return out, err
}

// modelOf is the first file of a job's model.
func (c clients) modelOf(ctx context.Context, job string) ([]byte, error) {
	key := "models/" + job + "/output/model.tar.gz"
	archive, err := read(ctx, c, key)
	if err != nil || archive == nil {
		return nil, errors.Join(fmt.Errorf("%s is not there", key), err)
	}
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	files := tar.NewReader(z)
	if _, err := files.Next(); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return io.ReadAll(files)
}

// heldJobs is a load of long training jobs, two at a time: each lasts until it
// is let go, which may be while no cloud is alive.
type heldJobs struct {
	home    string
	random  *rand.Rand
	n       int
	held    []*heldJob
	crossed int // jobs that were found running by another life
}

type heldJob struct {
	name         string
	acknowledged bool
	process      string // see processtest; empty until it was seen to run
	let          bool
}

const atOnce = 2

func (h *heldJobs) gate(job string) string { return filepath.Join(h.home, gate+"-"+job) }

func (h *heldJobs) step(ctx context.Context, c clients) error {
	if len(h.held) == atOnce {
		<-c.dying
		return nil
	}
	h.n++
	j := &heldJob{name: fmt.Sprintf("held-%d", h.n)}
	h.held = append(h.held, j)
	if _, err := c.sm.CreateTrainingJob(ctx, training(j.name, heldImage)); err != nil {
		return err
	}
	j.acknowledged = true
	return c.until(ctx, func() (bool, error) { return h.look(j) })
}

// look finds out which process a job has.
func (h *heldJobs) look(j *heldJob) (found bool, err error) {
	starts, err := os.ReadFile(h.gate(j.name) + startsSuffix)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.HasSuffix(starts, []byte("\n")) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	j.process = strings.TrimSpace(string(starts))
	return true, nil
}

// running waits until a job runs that was not let go. It looks at files alone, as
// another load's goroutine.
func (h *heldJobs) running(ctx context.Context) error {
	return clients{}.until(ctx, func() (bool, error) {
		started, err := filepath.Glob(h.gate("held-*") + startsSuffix)
		return slices.ContainsFunc(started, func(file string) bool {
			_, err := os.Stat(strings.TrimSuffix(file, startsSuffix))
			return errors.Is(err, fs.ErrNotExist)
		}), err
	})
}

// meanwhile finds out what ran when the cloud died and lets some jobs go, while
// there is no cloud.
func (h *heldJobs) meanwhile() error {
	for _, j := range h.held {
		if _, err := h.look(j); err != nil {
			return err
		}
		if h.random.IntN(3) == 0 {
			if err := h.let(j); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *heldJobs) let(j *heldJob) error {
	j.let = true
	return os.WriteFile(h.gate(j.name), nil, 0o600)
}

// check holds that what ran still runs, in the same process, and that what is
// let go completes. One of two jobs is held for another life.
func (h *heldJobs) check(ctx context.Context, c clients) error {
	for i, j := range slices.Clone(h.held) {
		there, err := c.exists(ctx, j.name)
		if err != nil || j.acknowledged && !there {
			return errors.Join(fmt.Errorf("%s was acknowledged", j.name), err)
		}
		if !there {
			h.drop(j)
			continue
		}
		if err := h.checkRunning(ctx, c, j); err != nil {
			return err
		}
		if !j.let && i > 0 {
			continue
		}
		if err := errors.Join(h.let(j), h.checkEnd(ctx, c, j)); err != nil {
			return err
		}
		h.drop(j)
	}
	return nil
}

func (h *heldJobs) drop(j *heldJob) {
	h.held = slices.DeleteFunc(h.held, func(o *heldJob) bool { return o == j })
}

func (h *heldJobs) checkRunning(ctx context.Context, c clients, j *heldJob) error {
	if j.process == "" || j.let {
		return nil
	}
	h.crossed++
	d, err := c.sm.DescribeTrainingJob(ctx, &sagemaker.DescribeTrainingJobInput{TrainingJobName: &j.name})
	if err != nil {
		return err
	}
	if d.SecondaryStatus != types.SecondaryStatusTraining {
		return fmt.Errorf("%s ran and is %s: %s", j.name, d.SecondaryStatus, aws.ToString(d.FailureReason))
	}
	if processtest.Find(j.process) == 0 {
		return fmt.Errorf("%s: its process %s is gone", j.name, j.process)
	}
	return nil
}

// checkEnd holds that a job completes and that, once seen to run, it was never
// started again.
func (h *heldJobs) checkEnd(ctx context.Context, c clients, j *heldJob) error {
	if _, err := c.trained(ctx, j.name); err != nil {
		return err
	}
	starts, err := c.modelOf(ctx, j.name)
	if err != nil {
		return err
	}
	if want := fmt.Sprintln(j.process); j.process != "" && string(starts) != want {
		return fmt.Errorf("%s ran as process %s, its model is of %q", j.name, j.process, starts)
	}
	return nil
}
