package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// Training runs training jobs. Role is the ARN that jobs act as.
type Training struct {
	Jobs    *cloud.Jobs
	Objects *cloud.Objects
	Bucket  string
	Role    string
	Prices  cloud.Prices
}

// Train starts the job of a candidate, or attaches to it if an earlier attempt
// started it, and waits for it to end. It stops the job when the workflow
// cancels it. A job that ran and failed is lifecycle.JobFailed with the
// container's reason.
func (t *Training) Train(ctx context.Context, in lifecycle.TrainInput) (lifecycle.Trained, error) {
	code, err := t.pin(ctx, in)
	if err != nil {
		return lifecycle.Trained{}, err
	}
	hyperparameters, err := hyperparametersOf(in, code)
	if err != nil {
		return lifecycle.Trained{}, err
	}
	if _, err := t.Prices.Hour(in.Candidate.Instance); err != nil {
		return lifecycle.Trained{}, err
	}
	job := cloud.TrainingJob{
		Of: in.Of, Name: in.Job, Image: in.Candidate.Image, Instance: in.Candidate.Instance, Role: t.Role,
		Output:          releaseURI(t.Bucket, in.Of, "training"),
		Channels:        map[string]string{"train": in.Parts.Train.Train, "validation": in.Parts.Validation.Train},
		Hyperparameters: hyperparameters,
		MaxRuntime:      in.MaxRuntime.Std(),
	}
	ended, err := t.run(ctx, job)
	if err != nil {
		return lifecycle.Trained{}, err
	}
	return t.trained(ctx, job, code, ended)
}

func (t *Training) run(ctx context.Context, job cloud.TrainingJob) (ended cloud.Ended, err error) {
	err = t.Jobs.StartTraining(ctx, job)
	if cloud.Final(err) { // there is no job, or it is somebody else's
		return ended, err
	}
	if err == nil {
		ended, err = t.Jobs.WaitTraining(ctx, job.Name, beat(ctx))
	}
	stop := func(ctx context.Context) error { return stopTraining(ctx, t.Jobs, job.Name) }
	switch {
	case cancelled(ctx):
		return ended, afterCancel(ctx, stop)
	case cloud.Final(err):
		return ended, afterFault(ctx, err, stop)
	case err != nil:
		return ended, err
	}
	return ended, completed("training job", job.Name, ended)
}

// trained describes the product of a job that completed.
func (t *Training) trained(ctx context.Context, job cloud.TrainingJob, code *lifecycle.Code, ended cloud.Ended) (lifecycle.Trained, error) {
	digest, err := digestOf(ctx, t.Objects, ended.Output)
	if err != nil {
		return lifecycle.Trained{}, err
	}
	cost, err := t.Prices.Cost(job.Instance, ended.Billed)
	return lifecycle.Trained{
		Job: job.Name, Image: job.Image, URI: ended.Output, Digest: digest,
		Metrics: ended.Metrics, Seconds: ended.Billed.Seconds(), Cost: cost, Code: code,
	}, err
}

// builtIn begins the names of the images that come with Steward.
const builtIn = "steward/"

// hyperparametersOf are the candidate's own as text. Our own images also get
// what the model file knows already; others take hyperparameters of their own
// names only. Those of a script are JSON, with the names that tell script mode
// what to run, as the SageMaker Python SDK sends them.
func hyperparametersOf(in lifecycle.TrainInput, code *lifecycle.Code) (map[string]string, error) {
	texts, encode := map[string]string{}, textOf
	if code != nil {
		encode = jsonOf
		texts["sagemaker_program"] = strconv.Quote(code.Program)
		texts[submitDirectory] = strconv.Quote(code.URI)
		texts["sagemaker_job_name"] = strconv.Quote(in.Job)
		texts["sagemaker_container_log_level"] = "20"
	}
	for name, value := range in.Candidate.Hyperparameters {
		text, err := encode(value)
		if err != nil {
			return nil, lifecycle.Fail(lifecycle.Invalid, "candidate %s: hyperparameter %s: %v", in.Candidate.Name, name, err)
		}
		texts[name] = text
	}
	if strings.HasPrefix(in.Candidate.Image, builtIn) {
		texts["task"] = string(in.Task)
		if len(in.Data.Categorical) > 0 {
			texts["categorical"] = strings.Join(in.Data.Categorical, ",")
		}
	}
	return texts, nil
}

// textOf writes a value that came through JSON as the container shall read it:
// whole numbers without an exponent.
func textOf(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatFloat(v, 'f', -1, 64), nil
		}
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	}
	return "", fmt.Errorf("%v (%T) is neither a number nor text nor true or false", value, value)
}

// digestOf streams an object and returns the digest of its content.
func digestOf(ctx context.Context, objects *cloud.Objects, uri string) (string, error) {
	body, err := objects.Read(ctx, uri)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(sum, pulse{ctx, "reading " + uri}), body); err != nil {
		return "", fmt.Errorf("read %s: %w", uri, err)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}
