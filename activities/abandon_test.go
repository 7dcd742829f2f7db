package activities

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/cloud"
	"steward/internal/container"
	"steward/internal/lifecycle"
)

// hanging leaves a training job and a batch transform running, as a worker does
// that goes away, and returns what they were asked for.
func (b *bench) hanging() (lifecycle.TrainInput, lifecycle.ScoreInput) {
	_, parts := b.parts(300)
	model := run(b.T, b.env, b.training.Train, b.candidate(container.Linear, parts))
	train := b.candidate("test/hangs", parts)
	require.Error(b, interrupted(b, b.training.Train, train, context.Canceled, func() bool { return len(b.trainingJobs()) == 2 }))
	model.Image = "test/hangs"
	score := b.score("hangs", model, parts.Test)
	b.env = environment(b.T, b.data, b.training, b.evaluation)
	require.Error(b, interrupted(b, b.evaluation.Score, score, context.Canceled, func() bool { return len(b.transformJobs()) == 1 }))
	require.Len(b, b.models(), 1)
	return train, score
}

func (b *bench) statuses() []string {
	var out []string
	for _, j := range b.trainingJobs() {
		out = append(out, *j.TrainingJobName+" "+string(j.TrainingJobStatus))
	}
	for _, j := range b.transformJobs() {
		out = append(out, *j.TransformJobName+" "+string(j.TransformJobStatus))
	}
	return out
}

func TestAbandon(t *testing.T) {
	b := newBench(t)
	train, score := b.hanging()
	in := lifecycle.AbandonInput{Of: first,
		Training:   []string{lifecycle.ResourceName("flights", 1, "linear"), train.Job, lifecycle.ResourceName("flights", 1, "never")},
		Transforms: []string{lifecycle.ResourceName("flights", 1, "never", "test"), score.Job},
	}
	removed := run(t, b.env, b.evaluation.Abandon, in)
	require.Equal(t, []string{"training-job/" + train.Job, "transform-job/" + score.Job, "model/" + score.Job}, removed.Resources)
	require.ElementsMatch(t, []string{in.Training[0] + " Completed", train.Job + " Stopped", score.Job + " Stopped"}, b.statuses())
	require.Empty(t, b.models())
	require.Empty(t, run(t, b.env, b.evaluation.Abandon, in).Resources, "a second time there is nothing")
}

func TestScoreTakesNoLongerThanItMay(t *testing.T) {
	b := newBench(t)
	_, parts := b.parts(300)
	model := run(t, b.env, b.training.Train, b.candidate(container.Linear, parts))
	model.Image = "test/hangs"
	in := b.score("hangs", model, parts.Test)
	in.MaxRuntime = lifecycle.Duration(time.Second)
	_, err := try(b.env, b.evaluation.Score, in)
	require.Equal(t, lifecycle.JobFailed, lifecycle.ErrorType(err), "%v", err)
	require.ErrorContains(t, err, "took longer than 1s and was stopped")
	require.Equal(t, types.TransformJobStatusStopped, b.transformJobs()[0].TransformJobStatus)
	require.Empty(t, b.models())
}

// denying refuses one operation of SageMaker.
type denying string

func (d denying) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+string(d)) {
		return http.DefaultClient.Do(r)
	}
	return &http.Response{
		StatusCode: http.StatusBadRequest, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(strings.NewReader(`{"__type":"AccessDeniedException","message":"not for you"}`)),
	}, nil
}

// An activity that will not look at its job again stops it.
func TestJobsThatCannotBeWatchedAreStopped(t *testing.T) {
	b := newBench(t)
	_, parts := b.parts(300)
	model := run(t, b.env, b.training.Train, b.candidate(container.Linear, parts))
	model.Image = "test/hangs"
	jobs := func(denied denying) *cloud.Jobs {
		return cloud.NewJobs(sagemaker.New(b.clients.SageMaker.Options(), func(o *sagemaker.Options) { o.HTTPClient = denied }), testPoll)
	}
	b.training.Jobs, b.evaluation.Jobs = jobs("ListTrainingJobs"), jobs("ListTransformJobs")

	_, err := try(b.env, b.training.Train, b.candidate("test/hangs", parts))
	require.Equal(t, lifecycle.Denied, lifecycle.ErrorType(err), "%v", err)
	_, err = try(b.env, b.evaluation.Score, b.score("hangs", model, parts.Test))
	require.Equal(t, lifecycle.Denied, lifecycle.ErrorType(err), "%v", err)
	require.Eventually(t, func() bool { return !strings.Contains(strings.Join(b.statuses(), ";"), "InProgress") }, 20*time.Second, testPoll, "%v", b.statuses())
}
