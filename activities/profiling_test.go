package activities

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/container"
	"steward/internal/lifecycle"
	"steward/internal/stats"
)

// profiles prepares parts for a profiling job: several files of rows.
func (b *bench) profiles(image string) lifecycle.ProfileInput {
	b.data.FileRows = 500
	data := flightData("s3://source/flights/")
	store(b.T, b.objects, map[string]string{data.Sources[0].URI + "1.csv": flights(0, 9000), data.Sources[0].URI + "2.csv": flights(9000, 9000)})
	s := run(b.T, b.env, b.data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: data})
	data.Profile = &lifecycle.Profiling{Image: image, Instance: "ml.m5.large", Count: 2}
	return lifecycle.ProfileInput{
		Of: first, Job: lifecycle.ResourceName("flights", 1, "profile", "train"), Profiling: *data.Profile,
		Parts:      run(b.T, b.env, b.data.PrepareParts, lifecycle.PrepareInput{Of: first, Data: data, Snapshot: s}),
		MaxRuntime: lifecycle.Duration(time.Minute),
	}
}

func (b *bench) baseline(uri string) *stats.Profile {
	raw, err := b.objects.Get(b.Context(), uri)
	require.NoError(b, err)
	out := &stats.Profile{}
	require.NoError(b, json.Unmarshal(raw, out))
	return out
}

func (b *bench) processingStatus(name string) types.ProcessingJobStatus {
	out, err := b.clients.SageMaker.DescribeProcessingJob(b.Context(), &sagemaker.DescribeProcessingJobInput{ProcessingJobName: &name})
	require.NoError(b, err)
	return out.ProcessingJobStatus
}

// A baseline is the same whether the worker or the hosts of a processing job
// made it.
func TestProfileByAJob(t *testing.T) {
	b := newBench(t)
	in := b.profiles(container.Profile)
	require.Empty(t, in.Parts.Baseline, "the job is to make it")
	require.Greater(t, len(names(t, b.objects, in.Parts.Train.Train)), 1, "several files to share out")
	byJob := twice(b, b.profiling.ProfilePart, in)
	require.Positive(t, byJob.Cost)
	require.Len(t, names(t, b.objects, "s3://steward/models/flights/releases/1/profile/"), len(names(t, b.objects, in.Parts.Train.Train)))
	job := b.baseline(byJob.Baseline)

	data := flightData("s3://source/flights/")
	s := run(t, b.env, b.data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: data})
	parts := run(t, b.env, b.data.PrepareParts, lifecycle.PrepareInput{Of: first, Data: data, Snapshot: s})
	require.Equal(t, in.Parts.Train, parts.Train)
	requireSameProfile(t, b.baseline(parts.Baseline), job)
}

// requireSameProfile allows the last bits of sums that were taken over batches of
// other sizes.
func requireSameProfile(t *testing.T, want, have *stats.Profile) {
	t.Helper()
	require.Equal(t, want.Rows, have.Rows)
	require.Len(t, have.Columns, len(want.Columns))
	for i, w := range want.Columns {
		h := have.Columns[i]
		for _, m := range []struct{ want, have **float64 }{{&w.Mean, &h.Mean}, {&w.Std, &h.Std}, {&w.Skewness, &h.Skewness}, {&w.Kurtosis, &h.Kurtosis}} {
			if *m.want != nil && *m.have != nil {
				require.InEpsilon(t, **m.want, **m.have, 1e-12, w.Name)
				*m.have = *m.want
			}
		}
		require.Equal(t, w, h, w.Name)
	}
}

func TestProfileByAJobThatFails(t *testing.T) {
	b := newBench(t)
	in := b.profiles(container.Profile)
	store(t, b.objects, map[string]string{in.Parts.Columns + "columns.json": `[{"name":"dealy","type":"number"}]`})
	_, err := b.env.ExecuteActivity(b.profiling.ProfilePart, in)
	require.Equal(t, lifecycle.JobFailed, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, `did you mean "delay"?`)
}

func TestProfileByAJobIsStopped(t *testing.T) {
	b := newBench(t)
	in := b.profiles("test/hangs")
	begun := func() bool {
		out, err := b.clients.SageMaker.ListProcessingJobs(t.Context(), &sagemaker.ListProcessingJobsInput{})
		return err == nil && len(out.ProcessingJobSummaries) == 1
	}
	require.Error(t, interrupted(b, b.profiling.ProfilePart, in, context.Canceled, begun))
	b.env = environment(t, b.profiling, b.evaluation)
	removed := run(t, b.env, b.evaluation.Abandon, lifecycle.AbandonInput{Of: first, Processing: []string{in.Job}})
	require.Equal(t, []string{"processing-job/" + in.Job}, removed.Resources)
	require.Equal(t, types.ProcessingJobStatusStopped, b.processingStatus(in.Job))
}
