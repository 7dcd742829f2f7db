package activities

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
	sdk "go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"steward/internal/cloud"
	"steward/internal/container"
	"steward/internal/lifecycle"
	"steward/internal/stats"
)

// bench is everything that builds a release, on a local cloud.
type bench struct {
	*testing.T
	clients    *cloud.Clients
	objects    *cloud.Objects
	data       *Data
	profiling  *Profiling
	training   *Training
	evaluation *Evaluation
	registry   *Registry
	env        *testsuite.TestActivityEnvironment
}

func newBench(t *testing.T) *bench {
	t.Helper()
	clients := startCloud(t)
	objects, jobs := cloud.NewObjects(clients.S3), cloud.NewJobs(clients.SageMaker, testPoll)
	prices := cloud.Prices{"ml.m5.large": 3600}
	b := &bench{
		T: t, clients: clients, objects: objects,
		data:       &Data{Objects: objects, Bucket: testBucket},
		profiling:  &Profiling{jobs, objects, testBucket, testRole, prices},
		training:   &Training{jobs, objects, testBucket, testRole, prices},
		evaluation: &Evaluation{jobs, cloud.NewModels(clients.SageMaker), objects, testBucket, testRole, prices},
		registry:   &Registry{cloud.NewPackages(clients.SageMaker)},
	}
	b.env = environment(t, b.data, b.profiling, b.training, b.evaluation, b.registry)
	return b
}

// parts prepares the parts of n rows.
func (b *bench) parts(n int) (lifecycle.Snapshot, lifecycle.Parts) {
	data := flightData("s3://source/flights/")
	store(b.T, b.objects, map[string]string{data.Sources[0].URI + "1.csv": flights(0, n/2), data.Sources[0].URI + "2.csv": flights(n/2, n-n/2)})
	s := run(b.T, b.env, b.data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: data})
	in := lifecycle.PrepareInput{Of: first, Data: data, Snapshot: s, Slices: []string{"origin"}}
	return s, run(b.T, b.env, b.data.PrepareParts, in)
}

func (b *bench) candidate(image string, parts lifecycle.Parts) lifecycle.TrainInput {
	name := image[strings.LastIndex(image, "/")+1:]
	return lifecycle.TrainInput{
		Of: first, Job: lifecycle.ResourceName("flights", 1, name), Task: lifecycle.Binary,
		Candidate: lifecycle.Candidate{Name: name, Image: image, Instance: "ml.m5.large"},
		Data:      flightData("s3://source/flights/"), Parts: parts, MaxRuntime: lifecycle.Duration(time.Minute),
	}
}

func (b *bench) score(job string, model lifecycle.Trained, part lifecycle.Part) lifecycle.ScoreInput {
	return lifecycle.ScoreInput{Of: first, Job: lifecycle.ResourceName("flights", 1, job), Model: model, Instance: "ml.m5.large", Input: part.Input}
}

func (b *bench) trainingJobs() []types.TrainingJobSummary {
	out, err := b.clients.SageMaker.ListTrainingJobs(b.Context(), &sagemaker.ListTrainingJobsInput{})
	require.NoError(b, err)
	return out.TrainingJobSummaries
}

func (b *bench) transformJobs() []types.TransformJobSummary {
	out, err := b.clients.SageMaker.ListTransformJobs(b.Context(), &sagemaker.ListTransformJobsInput{})
	require.NoError(b, err)
	return out.TransformJobSummaries
}

func (b *bench) models() []types.ModelSummary {
	out, err := b.clients.SageMaker.ListModels(b.Context(), &sagemaker.ListModelsInput{})
	require.NoError(b, err)
	return out.Models
}

// twice runs an activity two times: the second must answer as the first.
func twice[In, Out any](b *bench, activity func(context.Context, In) (Out, error), in In) Out {
	b.Helper()
	out := run(b.T, b.env, activity, in)
	require.Equal(b, out, run(b.T, b.env, activity, in), "again")
	return out
}

func TestBuildOfARelease(t *testing.T) {
	b := newBench(t)
	snapshot, parts := b.parts(3000)

	linear := twice(b, b.training.Train, b.candidate(container.Linear, parts))
	trees := twice(b, b.training.Train, b.candidate(container.Trees, parts))
	require.Len(t, b.trainingJobs(), 2, "a repeat starts no second job")
	for _, model := range []lifecycle.Trained{linear, trees} {
		require.Equal(t, "s3://steward/models/flights/releases/1/training/"+model.Job+"/output/model.tar.gz", model.URI)
		require.Regexp(t, `^sha256:[0-9a-f]{64}$`, model.Digest)
		require.Greater(t, model.Metrics["validation-auc"], 0.7)
		require.InDelta(t, model.Seconds, model.Cost, 1e-9, "a second costs 1")
	}
	b.checkTags("arn:aws:sagemaker:us-east-1:000000000000:training-job/" + linear.Job)

	champion := twice(b, b.evaluation.Score, b.score("linear-test", linear, parts.Test))
	challenger := twice(b, b.evaluation.Score, b.score("trees-test", trees, parts.Test))
	require.Len(t, b.transformJobs(), 2, "a repeat starts no second job")
	require.Empty(t, b.models(), "the models of the transforms are gone")

	in := lifecycle.EvaluateInput{Of: first, Name: "test", Part: parts.Test, Scored: champion, Task: lifecycle.Binary,
		Slices: []lifecycle.SliceWanted{{Column: "origin", Metric: "auc", MinRows: 50}, {Column: "origin", Metric: "auc", MinRows: 10000}}}
	test := twice(b, b.evaluation.Evaluate, in)
	require.Equal(t, int64(600), test.Rows)
	require.Greater(t, test.Metrics["auc"], 0.7)
	require.Equal(t, []string{"ATL", "JFK", "ORD"}, []string{test.Slices[0].Value, test.Slices[1].Value, test.Slices[2].Value})
	require.Len(t, test.Slices, 3)
	rows := int64(0)
	for _, s := range test.Slices {
		require.Greater(t, s.Result, 0.6)
		rows += s.Rows
	}
	require.Equal(t, test.Rows, rows)

	comparison := twice(b, b.evaluation.Compare, lifecycle.CompareInput{Of: first, Part: parts.Test, Task: lifecycle.Binary,
		Metrics: []string{"auc", "log_loss"}, Champion: champion.URI, Challenger: challenger.URI})
	require.Equal(t, []string{stats.MethodDeLong, stats.MethodBootstrap}, []string{comparison[0].Method, comparison[1].Method})
	require.InDelta(t, test.Metrics["auc"], comparison[0].Champion, 1e-12)
	require.InDelta(t, comparison[0].Challenger-comparison[0].Champion, comparison[0].Delta, 1e-12)
	require.Less(t, comparison[0].Low, comparison[0].Delta)

	arn := twice(b, b.registry.Register, lifecycle.RegisterInput{Of: first, Model: linear, Test: test, Snapshot: snapshot})
	b.approve(arn, test)
}

func (b *bench) approve(arn string, test lifecycle.Evaluation) {
	describe := func() *sagemaker.DescribeModelPackageOutput {
		out, err := b.clients.SageMaker.DescribeModelPackage(b.Context(), &sagemaker.DescribeModelPackageInput{ModelPackageName: &arn})
		require.NoError(b, err)
		return out
	}
	pack := describe()
	require.Equal(b, types.ModelApprovalStatusPendingManualApproval, pack.ModelApprovalStatus)
	require.Equal(b, "steward-flights", *pack.ModelPackageGroupName)
	require.Equal(b, "1", pack.CustomerMetadataProperties[cloud.TagRelease])
	require.Contains(b, pack.CustomerMetadataProperties, "test-auc")
	for _, status := range []string{cloud.Approved, cloud.Approved, cloud.Rejected} {
		in := lifecycle.ApprovalInput{Of: first, Package: arn, Status: status, Reason: "because " + status}
		_, err := b.env.ExecuteActivity(b.registry.SetApproval, in)
		require.NoError(b, err)
		require.Equal(b, status, string(describe().ModelApprovalStatus))
	}
	_, err := b.env.ExecuteActivity(b.registry.SetApproval, lifecycle.ApprovalInput{Of: first, Package: arn, Status: "Maybe"})
	require.Equal(b, lifecycle.Invalid, lifecycle.ErrorType(err))
}

func (b *bench) checkTags(arn string) {
	out, err := b.clients.SageMaker.ListTags(b.Context(), &sagemaker.ListTagsInput{ResourceArn: &arn})
	require.NoError(b, err)
	tags := map[string]string{}
	for _, tag := range out.Tags {
		tags[*tag.Key] = *tag.Value
	}
	require.Equal(b, "flights", tags[cloud.TagModel])
	require.Equal(b, "1", tags[cloud.TagRelease])
	require.NotEmpty(b, tags[cloud.TagSpec])
}

func TestPrepareWritesWhatJobsRead(t *testing.T) {
	b := newBench(t)
	_, parts := b.parts(1000)
	_, again := b.parts(1000)
	require.Equal(t, parts, again)
	require.Equal(t, []int64{600, 200, 200}, []int64{parts.Train.Rows, parts.Validation.Rows, parts.Test.Rows})
	require.Equal(t, []string{"delay"}, parts.Numeric)
	require.InDelta(t, 0.5, parts.BaseRate, 0.2)

	read := func(uri string) []string {
		text, err := b.objects.Get(t.Context(), uri)
		require.NoError(t, err)
		return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	source := strings.Split(strings.TrimSuffix(flights(0, 500), "\n"), "\n")[1:]
	source = append(source, strings.Split(strings.TrimSuffix(flights(500, 500), "\n"), "\n")[1:]...)
	field := func(row, column int) string { return strings.Split(source[row], ",")[column] }

	train, input, truth := read(parts.Train.Train+"data-00000.csv"), read(parts.Test.Input+"data.csv"), read(parts.Test.Truth+"data.csv")
	require.Equal(t, "late,delay,origin,hour", train[0])
	require.Len(t, train, 601)
	require.Equal(t, field(0, 5)+",,"+field(0, 3)+","+field(0, 4), train[1], "a missing value is empty")
	require.Len(t, input, 200)
	require.Equal(t, "id,late,origin", strings.Replace(truth[0], "label", "late", 1))
	for i, line := range truth[1:] {
		row := 800 + i
		require.Equal(t, field(row, 0)+","+field(row, 5)+","+field(row, 3), line)
		require.Equal(t, field(row, 3)+","+field(row, 4), input[i][strings.Index(input[i], ",")+1:], "the rows of input and truth are the same")
	}
	require.Empty(t, parts.Test.Train)
	require.Empty(t, parts.Train.Truth)
	require.Len(t, read(parts.Validation.Train+"data-00000.csv"), 201)

	var baseline stats.Profile
	text, err := b.objects.Get(t.Context(), parts.Baseline)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &baseline))
	require.Equal(t, int64(600), baseline.Rows)
	hour, _ := baseline.Column("hour")
	require.Equal(t, stats.Category, hour.Kind, "a category although it looks like a number")
}

func TestPrepareRefusesUselessParts(t *testing.T) {
	b := newBench(t)
	lines := strings.SplitAfter(flights(0, 100), "\n")
	for i := range lines[1:61] {
		lines[i+1] = strings.Replace(lines[i+1], ",1,10", ",0,10", 1)
	}
	lines[99] = strings.Replace(lines[99], ",0,10", ",1,10", 1)
	rest := strings.SplitAfter(flights(0, 100), "\n")
	tail := strings.Join(rest[:81], "") + strings.ReplaceAll(strings.Join(rest[81:], ""), ",1,10", ",0,10")
	for name, tt := range map[string]struct {
		text   string
		change func(*lifecycle.PrepareInput)
		says   string
	}{
		"one class in training": {strings.Join(lines, ""), nil, `label "late" is 0 in all 60 rows of the train part`},
		"one instant":           {strings.Join(lines[:2], "") + lines[1], nil, "too few different times"},
		"few rows by id":        {strings.Join(lines[:3], ""), func(in *lifecycle.PrepareInput) { in.Data.Split.By = "id" }, "the split by id leaves the validation part 0 rows, and at least 1 are needed: the snapshot has 2"},
		"fewer rows than asked": {strings.Join(lines, ""), func(in *lifecycle.PrepareInput) { in.Data.Split.MinRows = 21 }, "leaves the validation part 20 rows, and at least 21 are needed"},
		"one class in test":     {tail, nil, `label "late" is 0 in all 20 rows of the test part, which needs rows of both classes`},
		"unknown slice":         {strings.Join(lines, ""), func(in *lifecycle.PrepareInput) { in.Slices = []string{"orign"} }, `did you mean "origin"`},
	} {
		t.Run(name, func(t *testing.T) {
			data := flightData("s3://source/" + name + "/")
			store(t, b.objects, map[string]string{data.Sources[0].URI + "1.csv": tt.text})
			s := run(t, b.env, b.data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: data})
			in := lifecycle.PrepareInput{Of: first, Data: data, Snapshot: s}
			if tt.change != nil {
				tt.change(&in)
			}
			_, err := try(b.env, b.data.PrepareParts, in)
			require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err), "%v", err)
			require.ErrorContains(t, err, tt.says)
		})
	}
}

func TestTrainFailures(t *testing.T) {
	b := newBench(t)
	_, parts := b.parts(300)
	for name, tt := range map[string]struct {
		change     func(*lifecycle.TrainInput)
		kind, says string
		jobs       int
	}{
		"failing image": {func(in *lifecycle.TrainInput) { in.Candidate.Image = "test/fails" }, lifecycle.JobFailed, "out of luck", 1},
		"too long": {func(in *lifecycle.TrainInput) {
			in.Candidate.Image = "test/hangs"
			in.MaxRuntime = lifecycle.Duration(time.Second)
		}, lifecycle.JobFailed, "MaxRuntimeExceeded", 1},
		"unknown image":         {func(in *lifecycle.TrainInput) { in.Candidate.Image = "test/none" }, lifecycle.Invalid, "test/none", 0},
		"no price":              {func(in *lifecycle.TrainInput) { in.Candidate.Instance = "ml.x9.huge" }, lifecycle.Invalid, "ml.x9.huge", 0},
		"list as a parameter":   {func(in *lifecycle.TrainInput) { in.Candidate.Hyperparameters = map[string]any{"a": []any{1}} }, lifecycle.Invalid, "hyperparameter a", 0},
		"unknown parameter":     {func(in *lifecycle.TrainInput) { in.Candidate.Hyperparameters = map[string]any{"roundz": 3} }, lifecycle.JobFailed, "roundz", 1},
		"the data is not there": {func(in *lifecycle.TrainInput) { in.Parts.Train.Train = "s3://steward/none/" }, lifecycle.JobFailed, "s3://steward/none/", 1},
	} {
		t.Run(name, func(t *testing.T) {
			in := b.candidate(container.Linear, parts)
			in.Job = "steward-" + strings.ReplaceAll(name, " ", "-")
			tt.change(&in)
			before := len(b.trainingJobs())
			for range 2 {
				_, err := try(b.env, b.training.Train, in)
				require.Equal(t, tt.kind, lifecycle.ErrorType(err), "%v", err)
				require.True(t, cloud.Final(err) || strings.Contains(err.Error(), "retryable: false"), "%v", err)
				require.ErrorContains(t, err, tt.says)
			}
			require.Len(t, b.trainingJobs(), before+tt.jobs, "a repeat starts no second job")
		})
	}
}

func TestTrainRefusesAnotherJobOfItsName(t *testing.T) {
	b := newBench(t)
	_, parts := b.parts(300)
	in := b.candidate(container.Linear, parts)
	run(t, b.env, b.training.Train, in)
	in.Candidate.Hyperparameters = map[string]any{"seed": 3}
	_, err := try(b.env, b.training.Train, in)
	require.Equal(t, lifecycle.Conflict, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, in.Job)
}

// interrupted runs an activity whose context ends, for a cause, as soon as when
// holds.
func interrupted[In, Out any](b *bench, activity func(context.Context, In) (Out, error), in In, cause error, when func() bool) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		tick := time.NewTicker(testPoll)
		defer tick.Stop()
		for range tick.C {
			if ctx.Err() != nil || when() {
				cancel(cause)
				return
			}
		}
	}()
	name := b.Name() + cause.Error()
	b.env.RegisterActivityWithOptions(func(worker context.Context, in In) (Out, error) {
		inner, end := context.WithCancelCause(worker)
		defer context.AfterFunc(ctx, func() { end(context.Cause(ctx)) })()
		return activity(inner, in)
	}, sdk.RegisterOptions{Name: name})
	_, err := b.env.ExecuteActivity(name, in)
	cancel(nil)
	<-watched
	return err
}

func TestTrainLeavesItsJobAtAShutdownAndStopsItWhenCancelled(t *testing.T) {
	b := newBench(t)
	_, parts := b.parts(300)
	in := b.candidate("test/hangs", parts)
	running := func() bool {
		out, err := b.clients.SageMaker.DescribeTrainingJob(context.Background(), &sagemaker.DescribeTrainingJobInput{TrainingJobName: &in.Job})
		return err == nil && len(out.FinalMetricDataList) > 0
	}

	require.Error(t, interrupted(b, b.training.Train, in, context.Canceled, running))
	require.Equal(t, types.TrainingJobStatusInProgress, b.trainingJobs()[0].TrainingJobStatus, "the next attempt attaches to it")

	ctx, cancel := context.WithCancel(t.Context())
	var seen lifecycle.Progress
	_, err := b.training.Jobs.WaitTraining(ctx, in.Job, func(p lifecycle.Progress) { seen = p; cancel() })
	require.ErrorIs(t, err, context.Canceled)
	require.InDelta(t, 0.25, seen.Done, 1e-9)
	require.Equal(t, lifecycle.Progress{Job: in.Job, Status: "Training", Done: seen.Done, Metrics: map[string]float64{"train-auc": 0.5}, Started: seen.Started}, seen)

	err = interrupted(b, b.training.Train, in, temporal.NewCanceledError(), running)
	require.True(t, temporal.IsCanceledError(err), "%v", err)
	require.Len(t, b.trainingJobs(), 1)
	require.Equal(t, types.TrainingJobStatusStopped, b.trainingJobs()[0].TrainingJobStatus)

	for _, job := range []string{in.Job, "steward-unknown"} {
		stopped, err := b.training.Jobs.StopTraining(t.Context(), job)
		require.NoError(t, err, job)
		require.False(t, stopped, "%s does not run", job)
	}
}
