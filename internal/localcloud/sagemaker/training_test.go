package sagemaker_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/sagemaker"
)

func trainingInput(name string, hyper map[string]string) *sm.CreateTrainingJobInput {
	return &sm.CreateTrainingJobInput{
		TrainingJobName: &name, RoleArn: aws.String(role), HyperParameters: hyper,
		Environment: map[string]string{"COLOUR": "red"},
		AlgorithmSpecification: &types.AlgorithmSpecification{TrainingImage: aws.String(image), TrainingInputMode: types.TrainingInputModeFile,
			MetricDefinitions: []types.MetricDefinition{{Name: aws.String("auc"), Regex: aws.String(`auc=([0-9.]+)`)}, {Name: aws.String("loss"), Regex: aws.String(`loss=(\S+)`)}}},
		OutputDataConfig:  &types.OutputDataConfig{S3OutputPath: aws.String("s3://data/out")},
		ResourceConfig:    &types.ResourceConfig{InstanceType: types.TrainingInstanceTypeMlM5Large, InstanceCount: aws.Int32(1), VolumeSizeInGB: aws.Int32(1)},
		StoppingCondition: &types.StoppingCondition{MaxRuntimeInSeconds: aws.Int32(60)},
		Tags:              []types.Tag{{Key: aws.String("steward:model"), Value: aws.String("m")}},
	}
}

func channelOf(name, uri string, kind types.S3DataType) types.Channel {
	return types.Channel{ChannelName: &name, DataSource: &types.DataSource{S3DataSource: &types.S3DataSource{S3DataType: kind, S3Uri: &uri}}}
}

func (c *cloud) train(in *sm.CreateTrainingJobInput) string {
	c.Helper()
	out, err := c.sm.CreateTrainingJob(c.Context(), in)
	require.NoError(c, err)
	return *out.TrainingJobArn
}

func (c *cloud) job(name string) *sm.DescribeTrainingJobOutput {
	c.Helper()
	out, err := c.sm.DescribeTrainingJob(c.Context(), &sm.DescribeTrainingJobInput{TrainingJobName: &name})
	require.NoError(c, err)
	return out
}

func (c *cloud) awaitJob(name string, status types.TrainingJobStatus) (out *sm.DescribeTrainingJobOutput) {
	c.Helper()
	c.eventually(func() bool {
		out = c.job(name)
		return out.TrainingJobStatus == status
	}, "job "+name+" never became "+string(status))
	return out
}

func (c *cloud) awaitMetric(name string, value float32) {
	c.Helper()
	c.eventually(func() bool {
		list := c.job(name).FinalMetricDataList
		return len(list) == 1 && *list[0].Value == value
	}, "metric of a running job")
}

func secondary(job *sm.DescribeTrainingJobOutput) (list []types.SecondaryStatus) {
	for _, t := range job.SecondaryStatusTransitions {
		list = append(list, t.Status)
	}
	return list
}

func TestTrainingCompletes(t *testing.T) {
	t.Setenv("SECRET_OF_THE_HOST", "leaked")
	c := start(t, nil)
	c.put("in/a.csv", "1,2")
	c.put("in/deep/b.csv", "3,4")
	c.put("in/unlisted.csv", "5,6")
	manifest := c.put("manifest.json", `[{"prefix": "s3://data/in/"}, "a.csv", "deep/b.csv"]`)
	in := trainingInput("happy", map[string]string{"rounds": "7"})
	in.InputDataConfig = []types.Channel{channelOf("train", "s3://data/in", types.S3DataTypeS3Prefix), channelOf("listed", manifest, types.S3DataTypeManifestFile)}
	arn := c.train(in)
	require.Equal(t, "arn:aws:sagemaker:us-east-1:000000000000:training-job/happy", arn)

	job := c.awaitJob("happy", types.TrainingJobStatusCompleted)
	require.Equal(t, []types.SecondaryStatus{"Starting", "Downloading", "Training", "Uploading", "Completed"}, secondary(job))
	for i, s := range job.SecondaryStatusTransitions {
		require.NotNil(t, s.EndTime, i)
	}
	require.Equal(t, "s3://data/out/happy/output/model.tar.gz", *job.ModelArtifacts.S3ModelArtifacts)
	require.Len(t, job.FinalMetricDataList, 1, "loss=nan is no number")
	require.Equal(t, "auc", *job.FinalMetricDataList[0].MetricName)
	require.Equal(t, float32(0.91), *job.FinalMetricDataList[0].Value)
	require.GreaterOrEqual(t, *job.BillableTimeInSeconds, int32(1))
	require.False(t, job.TrainingEndTime.Before(*job.TrainingStartTime))

	model := c.untar("out/happy/output/model.tar.gz", "model.txt")
	for _, want := range []string{"data/train/a.csv:1,2\n", "data/train/deep/b.csv:3,4\n", "data/train/unlisted.csv:5,6\n",
		"data/listed/a.csv:1,2\n", "data/listed/deep/b.csv:3,4\n", `"rounds": "7"`, `"current_host": "algo-1"`, `"TrainingInputMode": "File"`,
		"TRAINING_JOB_NAME=happy\n", "TRAINING_JOB_ARN=" + arn + "\n", "AWS_REGION=us-east-1\n", "COLOUR=red\n", "SECRET_OF_THE_HOST=\n"} {
		require.Contains(t, model, want)
	}
	require.NotContains(t, model, "data/listed/unlisted.csv")
	require.Equal(t, "extra", c.untar("out/happy/output/output.tar.gz", "extra.txt"))
	c.eventually(func() bool {
		_, err := os.Stat(filepath.Join(c.dir, "sagemaker", "jobs", "happy"))
		return os.IsNotExist(err)
	}, "the job's folder is still there")
	require.Contains(t, c.log("happy"), "auc=0.91 loss=nan", "the log stays")

	_, err := c.sm.CreateTrainingJob(t.Context(), in)
	refused(t, err, "ResourceInUse", "Training job names must be unique within an AWS account and region, and a training job with this name already exists ("+arn+")")
	_, err = c.sm.StopTrainingJob(t.Context(), &sm.StopTrainingJobInput{TrainingJobName: aws.String("happy")})
	refused(t, err, "ValidationException", "training job is in status Completed")
	_, err = c.sm.DescribeTrainingJob(t.Context(), &sm.DescribeTrainingJobInput{TrainingJobName: aws.String("none")})
	refused(t, err, "ValidationException", "Requested resource not found")
}

func TestTrainingFails(t *testing.T) {
	c := start(t, nil)
	missing := trainingInput("missing", nil)
	missing.InputDataConfig = []types.Channel{channelOf("train", "s3://data/nothing/", types.S3DataTypeS3Prefix)}
	for _, tt := range []struct {
		in     *sm.CreateTrainingJobInput
		reason string
	}{
		{trainingInput("fails", map[string]string{"mode": "fail"}), "AlgorithmError: the label has one class, exit code: 1"},
		{trainingInput("crashes", map[string]string{"mode": "crash"}), "last words, exit code: 3"},
		{missing, `ClientError: Data download failed:No S3 objects found under S3 URL "s3://data/nothing/" given in input data source.` +
			` Please ensure that the bucket exists in the selected region (us-east-1), that objects exist under that S3 prefix,` +
			` and that the role "arn:aws:iam::000000000000:role/test" has "s3:ListBucket" permissions on bucket "data".`},
	} {
		c.train(tt.in)
		job := c.awaitJob(*tt.in.TrainingJobName, types.TrainingJobStatusFailed)
		require.Contains(t, *job.FailureReason, tt.reason)
		require.Equal(t, "s3://data/out/"+*tt.in.TrainingJobName+"/output/model.tar.gz", *job.ModelArtifacts.S3ModelArtifacts, "where it would be")
		require.False(t, c.has("out/"+*tt.in.TrainingJobName+"/output/model"))
	}
}

func TestTrainingStops(t *testing.T) {
	c := start(t, nil)
	c.train(trainingInput("stopped", map[string]string{"mode": "hang"}))
	c.awaitMetric("stopped", 0.25)
	require.Equal(t, types.SecondaryStatusTraining, c.job("stopped").SecondaryStatus)
	pid := c.loggedPID("stopped")
	_, err := c.sm.StopTrainingJob(t.Context(), &sm.StopTrainingJobInput{TrainingJobName: aws.String("stopped")})
	require.NoError(t, err)
	job := c.awaitJob("stopped", types.TrainingJobStatusStopped)
	require.Equal(t, types.SecondaryStatusStopped, job.SecondaryStatus)
	require.Contains(t, secondary(job), types.SecondaryStatusStopping)
	require.Equal(t, "partial", c.untar("out/stopped/output/model.tar.gz", "model.txt"), "artifacts still upload")
	c.requireGone(pid)
}

func TestTrainingRunsOutOfTime(t *testing.T) {
	c := start(t, nil)
	in := trainingInput("slow", map[string]string{"mode": "hang"})
	in.StoppingCondition.MaxRuntimeInSeconds = aws.Int32(1)
	c.train(in)
	job := c.awaitJob("slow", types.TrainingJobStatusStopped)
	require.Equal(t, types.SecondaryStatusMaxRuntimeExceeded, job.SecondaryStatus)
	require.Equal(t, "s3://data/out/slow/output/model.tar.gz", *job.ModelArtifacts.S3ModelArtifacts)
}

func TestTrainingWaitsForASlot(t *testing.T) {
	c := start(t, func(cfg *sagemaker.Config) { cfg.MaxJobs = 1 })
	gate := filepath.Join(t.TempDir(), "gate")
	c.train(trainingInput("one", map[string]string{"mode": "gate", "gate": gate}))
	c.awaitMetric("one", 0.125)
	c.train(trainingInput("two", nil))
	c.train(trainingInput("three", nil))
	c.eventually(func() bool { return c.job("two").SecondaryStatus == types.SecondaryStatusPending }, "second job waits")
	_, err := c.sm.StopTrainingJob(t.Context(), &sm.StopTrainingJobInput{TrainingJobName: aws.String("three")})
	require.NoError(t, err)
	require.Nil(t, c.awaitJob("three", types.TrainingJobStatusStopped).TrainingStartTime, "a waiting job stops without having run")
	require.NoError(t, os.WriteFile(gate, nil, 0o644))
	c.awaitJob("one", types.TrainingJobStatusCompleted)
	c.awaitJob("two", types.TrainingJobStatusCompleted)
}

// TestTrainingStartsOverAfterClose closes the cloud in mid-training.
func TestTrainingStartsOverAfterClose(t *testing.T) {
	c := start(t, nil)
	gate := filepath.Join(t.TempDir(), "gate")
	c.train(trainingInput("again", map[string]string{"mode": "gate", "gate": gate}))
	c.awaitMetric("again", 0.125)
	pid := c.loggedPID("again")
	c.shut()
	c.requireGone(pid)
	require.NoError(t, os.WriteFile(gate, nil, 0o644))
	c.open()
	job := c.awaitJob("again", types.TrainingJobStatusCompleted)
	require.Equal(t, float32(0.91), *job.FinalMetricDataList[0].Value)
	require.Greater(t, len(slices.DeleteFunc(secondary(job), func(s types.SecondaryStatus) bool { return s != "Downloading" })), 1)
}

func TestContainerOverrides(t *testing.T) {
	c := start(t, nil)
	in := trainingInput("override", nil)
	in.AlgorithmSpecification.ContainerEntrypoint = []string{os.Args[0], "container", "custom"}
	in.AlgorithmSpecification.ContainerArguments = []string{"--depth", "3"}
	c.train(in)
	c.awaitJob("override", types.TrainingJobStatusCompleted)
	require.Contains(t, c.log("override"), "arguments [custom --depth 3]")
}

func TestTrainingIsChecked(t *testing.T) {
	c := start(t, nil)
	for _, tt := range []struct {
		name   string
		change func(*sm.CreateTrainingJobInput)
		want   string
	}{
		{"name", func(in *sm.CreateTrainingJobInput) { in.TrainingJobName = aws.String("../etc") }, "trainingJobName"},
		{"image", func(in *sm.CreateTrainingJobInput) { in.AlgorithmSpecification.TrainingImage = aws.String("other/x") }, "other/x not found. Known to this local cloud: test/*"},
		{"regex", func(in *sm.CreateTrainingJobInput) {
			in.AlgorithmSpecification.MetricDefinitions[0].Regex = aws.String("auc")
		}, "must be valid and have a group"},
		{"spot", func(in *sm.CreateTrainingJobInput) { in.EnableManagedSpotTraining = aws.Bool(true) }, "Invalid MaxWaitTimeInSeconds. It must be present"},
		{"cluster", func(in *sm.CreateTrainingJobInput) { in.ResourceConfig.InstanceCount = aws.Int32(0) }, "greater than or equal to 1"},
		{"groups", func(in *sm.CreateTrainingJobInput) {
			in.ResourceConfig.InstanceGroups = []types.InstanceGroup{{InstanceGroupName: aws.String("a"), InstanceType: "ml.m5.large", InstanceCount: aws.Int32(1)}}
		}, "InstanceGroups and InstanceType"},
		{"wait", func(in *sm.CreateTrainingJobInput) { in.StoppingCondition.MaxWaitTimeInSeconds = aws.Int32(60) }, "goes with EnableManagedSpotTraining"},
		{"hyperparameters", func(in *sm.CreateTrainingJobInput) {
			in.HyperParameters = map[string]string{}
			for i := range 101 {
				in.HyperParameters[strconv.Itoa(i)] = "x"
			}
		}, "at 'hyperParameters' failed to satisfy constraint: Member must have length less than or equal to 100"},
		{"hyperparameter", func(in *sm.CreateTrainingJobInput) {
			in.HyperParameters = map[string]string{"k": strings.Repeat("x", 2501)}
		}, "less than or equal to 2500"},
		{"key", func(in *sm.CreateTrainingJobInput) {
			in.HyperParameters = map[string]string{strings.Repeat("x", 257): ""}
		}, "Map keys must satisfy constraint: [Member must have length less than or equal to 256, "},
		{"channels", func(in *sm.CreateTrainingJobInput) {
			in.InputDataConfig = slices.Repeat([]types.Channel{channelOf("a", "s3://data/x", "S3Prefix")}, 21)
		}, "at 'inputDataConfig' failed to satisfy constraint: Member must have length less than or equal to 20"},
		{"channel twice", func(in *sm.CreateTrainingJobInput) {
			in.InputDataConfig = []types.Channel{channelOf("a", "s3://data/x", "S3Prefix"), channelOf("a", "s3://data/x", "S3Prefix")}
		}, `"a" is there twice`},
		{"augmented manifest", func(in *sm.CreateTrainingJobInput) {
			in.InputDataConfig = []types.Channel{channelOf("a", "s3://data/x", "AugmentedManifestFile")}
		}, `S3DataType "AugmentedManifestFile"`},
		{"record wrapper", func(in *sm.CreateTrainingJobInput) {
			in.InputDataConfig = []types.Channel{channelOf("a", "s3://data/x", "S3Prefix")}
			in.InputDataConfig[0].RecordWrapperType = types.RecordWrapperRecordio
		}, `RecordWrapperType "RecordIO"`},
		{"shuffle", func(in *sm.CreateTrainingJobInput) {
			in.InputDataConfig = []types.Channel{channelOf("a", "s3://data/x", "S3Prefix")}
			in.InputDataConfig[0].ShuffleConfig = &types.ShuffleConfig{Seed: aws.Int64(1)}
		}, "InputDataConfig.ShuffleConfig"},
		{"gzip", func(in *sm.CreateTrainingJobInput) {
			in.InputDataConfig = []types.Channel{channelOf("a", "s3://data/x", "S3Prefix")}
			in.InputDataConfig[0].CompressionType = types.CompressionTypeGzip
		}, "goes with the input mode Pipe only"},
		{"group of a channel", func(in *sm.CreateTrainingJobInput) {
			in.InputDataConfig = []types.Channel{channelOf("a", "s3://data/x", "S3Prefix")}
			in.InputDataConfig[0].DataSource.S3DataSource.InstanceGroupNames = []string{"gpus"}
		}, `"gpus" is none of ResourceConfig.InstanceGroups`},
		{"checkpoints", func(in *sm.CreateTrainingJobInput) {
			in.CheckpointConfig = &types.CheckpointConfig{S3Uri: aws.String("s3://data/c"), LocalPath: aws.String("/opt/ml/../tmp")}
		}, "name a folder below /opt/ml"},
		{"retries", func(in *sm.CreateTrainingJobInput) {
			in.RetryStrategy = &types.RetryStrategy{MaximumRetryAttempts: aws.Int32(31)}
		}, "less than or equal to 30"},
		{"debugger", func(in *sm.CreateTrainingJobInput) {
			in.DebugHookConfig = &types.DebugHookConfig{S3OutputPath: aws.String("s3://data/d"), CollectionConfigurations: []types.CollectionConfiguration{{}}}
		}, "DebugHookConfig.CollectionConfigurations"},
		{"output", func(in *sm.CreateTrainingJobInput) { in.OutputDataConfig.S3OutputPath = aws.String("/tmp") }, "Member must satisfy regular expression pattern: (https|s3)://([^/]+)/?(.*)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := trainingInput("checked", nil)
			tt.change(in)
			_, err := c.sm.CreateTrainingJob(t.Context(), in)
			refused(t, err, "ValidationException", tt.want)
		})
	}
}

func TestListTrainingJobsAndTags(t *testing.T) {
	c := start(t, nil)
	var arn string
	for _, name := range []string{"b-job", "a-job", "c-job", "other"} {
		arn = c.train(trainingInput(name, nil))
	}
	for _, name := range []string{"b-job", "a-job", "c-job", "other"} {
		c.awaitJob(name, types.TrainingJobStatusCompleted)
	}
	var names []string
	pages := sm.NewListTrainingJobsPaginator(c.sm, &sm.ListTrainingJobsInput{NameContains: aws.String("job"), MaxResults: aws.Int32(2),
		SortBy: types.SortByName, SortOrder: types.SortOrderDescending, StatusEquals: types.TrainingJobStatusCompleted, CreationTimeAfter: aws.Time(time.Now().Add(-time.Hour))})
	for pages.HasMorePages() {
		p, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		require.LessOrEqual(t, len(p.TrainingJobSummaries), 2)
		for _, s := range p.TrainingJobSummaries {
			names = append(names, *s.TrainingJobName)
		}
	}
	require.Equal(t, []string{"c-job", "b-job", "a-job"}, names)

	_, err := c.sm.AddTags(t.Context(), &sm.AddTagsInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("extra"), Value: aws.String("1")}}})
	require.NoError(t, err)
	_, err = c.sm.DeleteTags(t.Context(), &sm.DeleteTagsInput{ResourceArn: &arn, TagKeys: []string{"steward:model"}})
	require.NoError(t, err)
	tags, err := c.sm.ListTags(t.Context(), &sm.ListTagsInput{ResourceArn: &arn})
	require.NoError(t, err)
	require.Equal(t, "extra", *tags.Tags[0].Key)
	require.Len(t, tags.Tags, 1)
	_, err = c.sm.ListTags(t.Context(), &sm.ListTagsInput{ResourceArn: aws.String(arn + "x")})
	refused(t, err, "ValidationException", "not found")
}

// Links among a model's files are followed; one that leads elsewhere fails the job.
func TestModelOfLinks(t *testing.T) {
	c := start(t, nil)
	for name, tt := range map[string]struct {
		script string
		status types.TrainingJobStatus
	}{
		"linked": {`echo best > $SAGEMAKER_BASE_DIR/model/step-7 && ln -s $SAGEMAKER_BASE_DIR/model/step-7 $SAGEMAKER_BASE_DIR/model/best && cp -P $SAGEMAKER_BASE_DIR/model/* $SAGEMAKER_BASE_DIR/checkpoints/`, types.TrainingJobStatusCompleted},
		"astray": {`ln -s /etc/hosts $SAGEMAKER_BASE_DIR/model/hosts`, types.TrainingJobStatusFailed},
	} {
		in := trainingInput(name, nil)
		in.OutputDataConfig.CompressionType = types.OutputCompressionTypeNone
		in.CheckpointConfig = &types.CheckpointConfig{S3Uri: aws.String("s3://data/checkpoints/" + name)}
		in.AlgorithmSpecification.ContainerEntrypoint = []string{"sh", "-c", tt.script}
		require.Equal(t, "arn:aws:sagemaker:us-east-1:000000000000:training-job/"+name, c.train(in))
		require.Equal(t, "s3://data/out/"+name+"/output/model/", *c.job(name).ModelArtifacts.S3ModelArtifacts, "from the start")
		job := c.awaitJob(name, tt.status)
		if tt.status == types.TrainingJobStatusCompleted {
			require.Equal(t, "best\n", c.get("out/linked/output/model/best"))
			require.Equal(t, "best\n", c.get("checkpoints/linked/best"))
		} else {
			require.Equal(t, "ClientError: Artifact upload failed: /opt/ml/model/hosts is a link to a place that is not below /opt/ml: put a copy of that there", *job.FailureReason)
		}
	}
}
