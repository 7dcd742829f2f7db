package conformance

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

// jobBill is more than a short job is charged for on AWS.
const jobBill = 10 * time.Minute

var trainingCases = []kase{
	{name: "training job completes", covers: "CreateTrainingJob DescribeTrainingJob", run: trainingCompletes, bills: jobBill},
	{name: "training job fails", covers: "CreateTrainingJob DescribeTrainingJob", run: trainingFails, bills: jobBill},
	{name: "training job is stopped", covers: "CreateTrainingJob StopTrainingJob DescribeTrainingJob", run: trainingStops, bills: jobBill},
	{name: "training job has no data", covers: "CreateTrainingJob DescribeTrainingJob", run: trainingWithoutData, bills: jobBill},
	{name: "training jobs are listed", covers: "ListTrainingJobs CreateTrainingJob StopTrainingJob", run: trainingListed, bills: 3 * jobBill},
	{name: "training job is checked", covers: "CreateTrainingJob", run: trainingChecked},
	{name: "training job is missing", covers: "DescribeTrainingJob StopTrainingJob ListTrainingJobs", run: trainingMissing},
}

// training is a job that the container of this package runs.
func (c *cloud) training(bucket *string, do string) *sagemaker.CreateTrainingJobInput {
	return &sagemaker.CreateTrainingJobInput{
		TrainingJobName: c.name(), RoleArn: &at.role, HyperParameters: map[string]string{"do": do},
		AlgorithmSpecification: &types.AlgorithmSpecification{TrainingImage: &at.image, TrainingInputMode: types.TrainingInputModeFile,
			MetricDefinitions: []types.MetricDefinition{{Name: aws.String("score"), Regex: aws.String(`score=([0-9.]+)`)}, {Name: aws.String("loss"), Regex: aws.String(`loss=(\S+)`)}}},
		OutputDataConfig:  &types.OutputDataConfig{S3OutputPath: aws.String("s3://" + *bucket + "/out")},
		ResourceConfig:    &types.ResourceConfig{InstanceType: types.TrainingInstanceType(at.instance), InstanceCount: aws.Int32(1), VolumeSizeInGB: aws.Int32(1)},
		StoppingCondition: &types.StoppingCondition{MaxRuntimeInSeconds: aws.Int32(600)},
	}
}

func channel(name, uri string) types.Channel {
	return types.Channel{ChannelName: &name, ContentType: aws.String("text/csv"), DataSource: &types.DataSource{S3DataSource: &types.S3DataSource{
		S3DataType: types.S3DataTypeS3Prefix, S3Uri: &uri, S3DataDistributionType: types.S3DataDistributionFullyReplicated}}}
}

// train starts a job, which is stopped at the end of the case if it still runs.
func (c *cloud) train(in *sagemaker.CreateTrainingJobInput) *string {
	c.Helper()
	out, err := c.sm.CreateTrainingJob(c.Context(), in)
	require.NoError(c, err)
	c.atEnd(func(ctx context.Context) error {
		if job := c.trainingJob(ctx, in.TrainingJobName); job.TrainingJobStatus != types.TrainingJobStatusInProgress {
			return nil
		}
		_, err := c.sm.StopTrainingJob(ctx, &sagemaker.StopTrainingJobInput{TrainingJobName: in.TrainingJobName})
		return err
	})
	return out.TrainingJobArn
}

func (c *cloud) trainingJob(ctx context.Context, name *string) *sagemaker.DescribeTrainingJobOutput {
	c.Helper()
	out, err := c.sm.DescribeTrainingJob(ctx, &sagemaker.DescribeTrainingJobInput{TrainingJobName: name})
	require.NoError(c, err)
	return out
}

// ended waits for the end of a training job.
func (c *cloud) ended(name *string) (job *sagemaker.DescribeTrainingJobOutput) {
	c.Helper()
	c.eventually("training job "+*name+" ends", func() bool {
		job = c.trainingJob(c.Context(), name)
		return job.TrainingJobStatus != types.TrainingJobStatusInProgress && job.TrainingJobStatus != types.TrainingJobStatusStopping
	})
	return job
}

// untar gives a file of a tar.gz in S3.
func (c *cloud) untar(uri, name string) string {
	c.Helper()
	z, err := gzip.NewReader(strings.NewReader(c.read(uri)))
	require.NoError(c, err)
	for files := tar.NewReader(z); ; {
		header, err := files.Next()
		require.NoError(c, err, "no %s in %s", name, uri)
		if strings.TrimPrefix(header.Name, "./") == name {
			text, err := io.ReadAll(files)
			require.NoError(c, err)
			return string(text)
		}
	}
}

func trainingCompletes(c *cloud) {
	bucket := c.bucket()
	c.put(bucket, "data/a.csv", "1,2\n")
	c.put(bucket, "data/deep/b.csv", "3,4\n")
	c.put(bucket, "database", "of the same beginning")
	in := c.training(bucket, "")
	in.HyperParameters["rounds"] = "7"
	in.Environment = map[string]string{"COLOUR": "red"}
	in.InputDataConfig = []types.Channel{channel("train", "s3://"+*bucket+"/data/")}
	began := time.Now()
	arn := c.train(in)
	name := *in.TrainingJobName
	require.Equal(c, fmt.Sprintf("arn:aws:sagemaker:%s:%s:training-job/%s", at.sdk.Region, at.account, name), *arn)
	_, err := c.sm.CreateTrainingJob(c.Context(), in)
	c.refused(err, "ResourceInUse", "Training job names must be unique within an AWS account and region, and a training job with this name already exists ("+*arn+")")

	job := c.ended(in.TrainingJobName)
	require.Equal(c, types.TrainingJobStatusCompleted, job.TrainingJobStatus, aws.ToString(job.FailureReason))
	require.Equal(c, types.SecondaryStatusCompleted, job.SecondaryStatus)
	require.Equal(c, []any{*arn, name, at.role, in.HyperParameters, in.Environment, *in.ResourceConfig.VolumeSizeInGB},
		[]any{*job.TrainingJobArn, *job.TrainingJobName, *job.RoleArn, job.HyperParameters, job.Environment, *job.ResourceConfig.VolumeSizeInGB})
	require.Equal(c, at.image, *job.AlgorithmSpecification.TrainingImage)
	require.Equal(c, "train", *job.InputDataConfig[0].ChannelName)
	require.Nil(c, job.FailureReason)
	for _, flag := range []*bool{job.EnableNetworkIsolation, job.EnableInterContainerTrafficEncryption, job.EnableManagedSpotTraining} {
		require.NotNil(c, flag, "told though it was not asked for")
		require.False(c, *flag)
	}
	trainingTimes(c, job, began)
	scores := map[string]float32{}
	for _, m := range job.FinalMetricDataList {
		scores[*m.MetricName] = *m.Value
		require.False(c, m.Timestamp.IsZero())
	}
	require.Equal(c, map[string]float32{"score": 0.75, "loss": 0.001}, scores, "the last of each")

	out := "s3://" + *bucket + "/out/" + name + "/output/"
	require.Equal(c, out+"model.tar.gz", *job.ModelArtifacts.S3ModelArtifacts)
	require.Equal(c, "a note", c.untar(out+"output.tar.gz", "note.txt"))
	trainingFound(c, c.untar(out+"model.tar.gz", "model.txt"), job)
}

// trainingTimes checks the order of what happened.
func trainingTimes(c *cloud, job *sagemaker.DescribeTrainingJobOutput, began time.Time) {
	var seen []types.SecondaryStatus
	for i, s := range job.SecondaryStatusTransitions {
		seen = append(seen, s.Status)
		require.NotNil(c, s.StartTime)
		require.NotNil(c, s.EndTime)
		require.NotEmpty(c, *s.StatusMessage)
		if i > 0 {
			require.False(c, s.StartTime.Before(*job.SecondaryStatusTransitions[i-1].StartTime))
		}
	}
	seen = slices.DeleteFunc(seen, func(s types.SecondaryStatus) bool { return s == types.SecondaryStatusPending })
	seen = slices.Compact(seen) // a job that had to wait for an instance starts before and after
	require.Equal(c, []types.SecondaryStatus{"Starting", "Downloading", "Training", "Uploading", "Completed"}, seen)
	require.WithinDuration(c, began, *job.CreationTime, 15*time.Minute)
	require.False(c, job.TrainingStartTime.Before(*job.CreationTime))
	require.False(c, job.TrainingEndTime.Before(*job.TrainingStartTime))
	require.False(c, job.LastModifiedTime.Before(*job.CreationTime))
	require.GreaterOrEqual(c, *job.BillableTimeInSeconds, int32(1))
	require.GreaterOrEqual(c, *job.TrainingTimeInSeconds, int32(0))
}

// trainingFound checks what the container saw.
func trainingFound(c *cloud, model string, job *sagemaker.DescribeTrainingJobOutput) {
	var found map[string]string
	require.NoError(c, json.Unmarshal([]byte(model), &found))
	for key, want := range map[string]string{"data/train/a.csv": "1,2\n", "data/train/deep/b.csv": "3,4\n", "COLOUR": "red",
		"TRAINING_JOB_NAME": *job.TrainingJobName, "TRAINING_JOB_ARN": *job.TrainingJobArn, "AWS_REGION": at.sdk.Region} {
		require.Equal(c, want, found[key], key)
	}
	require.NotContains(c, found, "data/train/database")
	require.JSONEq(c, `{"do": "", "rounds": "7"}`, found["config/hyperparameters.json"])
	var channels map[string]map[string]string
	require.NoError(c, json.Unmarshal([]byte(found["config/inputdataconfig.json"]), &channels))
	require.Equal(c, []string{"File", "FullyReplicated", "text/csv", "None"}, []string{channels["train"]["TrainingInputMode"], channels["train"]["S3DistributionType"],
		channels["train"]["ContentType"], channels["train"]["RecordWrapperType"]})
	var resources struct {
		Current  string   `json:"current_host"`
		Instance string   `json:"current_instance_type"`
		Group    string   `json:"current_group_name"`
		Hosts    []string `json:"hosts"`
		Network  string   `json:"network_interface_name"`
	}
	require.NoError(c, json.Unmarshal([]byte(found["config/resourceconfig.json"]), &resources))
	require.Equal(c, []any{"algo-1", at.instance, "homogeneousCluster", []string{"algo-1"}}, []any{resources.Current, resources.Instance, resources.Group, resources.Hosts})
	require.NotEmpty(c, resources.Network)
}

func trainingFails(c *cloud) {
	in := c.training(c.bucket(), "fail")
	c.train(in)
	job := c.ended(in.TrainingJobName)
	require.Equal(c, []any{types.TrainingJobStatusFailed, types.SecondaryStatusFailed}, []any{job.TrainingJobStatus, job.SecondaryStatus})
	require.Equal(c, "AlgorithmError: the label has one class, exit code: 7", *job.FailureReason)
	require.Len(c, job.FinalMetricDataList, 1)
	require.Equal(c, float32(0.25), *job.FinalMetricDataList[0].Value)
	_, err := c.sm.StopTrainingJob(c.Context(), &sagemaker.StopTrainingJobInput{TrainingJobName: in.TrainingJobName})
	c.refused(err, "ValidationException", "The request was rejected because the training job is in status Failed.")
}

func trainingStops(c *cloud) {
	in := c.training(c.bucket(), "wait")
	c.train(in)
	c.eventually("the job trains", func() bool { return len(c.trainingJob(c.Context(), in.TrainingJobName).FinalMetricDataList) > 0 })
	_, err := c.sm.StopTrainingJob(c.Context(), &sagemaker.StopTrainingJobInput{TrainingJobName: in.TrainingJobName})
	require.NoError(c, err)
	job := c.ended(in.TrainingJobName)
	require.Equal(c, []any{types.TrainingJobStatusStopped, types.SecondaryStatusStopped}, []any{job.TrainingJobStatus, job.SecondaryStatus})
	require.Equal(c, "stopped", c.untar(*job.ModelArtifacts.S3ModelArtifacts, "model.txt"), "the model is kept")
}

func trainingWithoutData(c *cloud) {
	bucket := c.bucket()
	in := c.training(bucket, "")
	in.InputDataConfig = []types.Channel{channel("train", "s3://"+*bucket+"/nothing/")}
	c.train(in)
	job := c.ended(in.TrainingJobName)
	require.Equal(c, types.TrainingJobStatusFailed, job.TrainingJobStatus)
	require.Contains(c, *job.FailureReason, fmt.Sprintf(`S3 objects found under S3 URL "s3://%s/nothing/"`, *bucket))
}

func trainingListed(c *cloud) {
	bucket := c.bucket()
	var names []string
	token := *c.name()
	for i := range 3 {
		in := c.training(bucket, "")
		in.TrainingJobName = aws.String(fmt.Sprintf("%s-list-%d", token, i))
		names = append(names, *in.TrainingJobName)
		c.train(in)
	}
	for _, name := range names {
		c.ended(&name)
	}
	list := func(in *sagemaker.ListTrainingJobsInput) (found []string) {
		in.NameContains = aws.String(token + "-list")
		pages := sagemaker.NewListTrainingJobsPaginator(c.sm, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(c.Context())
			require.NoError(c, err)
			if in.MaxResults != nil {
				require.LessOrEqual(c, len(page.TrainingJobSummaries), int(*in.MaxResults))
			}
			for _, s := range page.TrainingJobSummaries {
				found = append(found, *s.TrainingJobName)
				require.NotNil(c, s.CreationTime)
				require.NotNil(c, s.TrainingEndTime)
				require.Contains(c, *s.TrainingJobArn, *s.TrainingJobName)
			}
		}
		return found
	}
	require.ElementsMatch(c, names, list(&sagemaker.ListTrainingJobsInput{MaxResults: aws.Int32(2)}))
	down := slices.Clone(names)
	slices.Reverse(down)
	require.Equal(c, down, list(&sagemaker.ListTrainingJobsInput{SortBy: types.SortByName, SortOrder: types.SortOrderDescending, MaxResults: aws.Int32(1)}))
	require.Len(c, list(&sagemaker.ListTrainingJobsInput{StatusEquals: types.TrainingJobStatusCompleted}), 3)
	require.Empty(c, list(&sagemaker.ListTrainingJobsInput{StatusEquals: types.TrainingJobStatusFailed}))
	require.Empty(c, list(&sagemaker.ListTrainingJobsInput{CreationTimeBefore: aws.Time(time.Now().Add(-time.Hour))}))
	require.Len(c, list(&sagemaker.ListTrainingJobsInput{CreationTimeAfter: aws.Time(time.Now().Add(-time.Hour)), LastModifiedTimeAfter: aws.Time(time.Now().Add(-time.Hour))}), 3)
	_, err := c.sm.StopTrainingJob(c.Context(), &sagemaker.StopTrainingJobInput{TrainingJobName: &names[0]})
	c.refused(err, "ValidationException", "The request was rejected because the training job is in status Completed.")
}

func trainingChecked(c *cloud) {
	bucket := aws.String(at.prefix)
	for name, tt := range map[string]struct {
		change func(*sagemaker.CreateTrainingJobInput)
		want   string
	}{
		"name pattern": {func(in *sagemaker.CreateTrainingJobInput) { in.TrainingJobName = aws.String("under_score") },
			"1 validation error detected: Value 'under_score' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"},
		"name length": {func(in *sagemaker.CreateTrainingJobInput) { in.TrainingJobName = aws.String(strings.Repeat("n", 64)) },
			"at 'trainingJobName' failed to satisfy constraint: Member must have length less than or equal to 63"},
		"runtime": {func(in *sagemaker.CreateTrainingJobInput) { in.StoppingCondition.MaxRuntimeInSeconds = aws.Int32(0) }, "Value '0' at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		"volume":  {func(in *sagemaker.CreateTrainingJobInput) { in.ResourceConfig.VolumeSizeInGB = aws.Int32(-1) }, "failed to satisfy constraint: Member must have value greater than or equal to"},
		"instance": {func(in *sagemaker.CreateTrainingJobInput) { in.ResourceConfig.InstanceType = "ml.none.large" },
			"Value 'ml.none.large' at 'resourceConfig.instanceType' failed to satisfy constraint: Member must satisfy enum value set: ["},
		"mode": {func(in *sagemaker.CreateTrainingJobInput) { in.AlgorithmSpecification.TrainingInputMode = "Flow" },
			"Value 'Flow' at 'algorithmSpecification.trainingInputMode' failed to satisfy constraint: Member must satisfy enum value set: ["},
		"output": {func(in *sagemaker.CreateTrainingJobInput) { in.OutputDataConfig.S3OutputPath = aws.String("/tmp") }, "at 'outputDataConfig.s3OutputPath' failed to satisfy constraint: Member must satisfy regular expression pattern: (https|s3)://([^/]+)/?(.*)"},
		"channel": {func(in *sagemaker.CreateTrainingJobInput) {
			in.InputDataConfig = []types.Channel{channel("a b", "s3://b/k")}
		}, "Value 'a b' at 'inputDataConfig.1.member.channelName' failed to satisfy constraint: Member must satisfy regular expression pattern: [A-Za-z0-9\\.\\-_]+"},
		"hyperparameter": {func(in *sagemaker.CreateTrainingJobInput) {
			in.HyperParameters = map[string]string{"long": strings.Repeat("x", 2501)}
		}, "at 'hyperParameters' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 2500, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: .*]"},
		"two at once": {func(in *sagemaker.CreateTrainingJobInput) {
			in.StoppingCondition.MaxRuntimeInSeconds, in.ResourceConfig.VolumeSizeInGB = aws.Int32(0), aws.Int32(-1)
		}, "2 validation errors detected: Value '"},
	} {
		in := c.training(bucket, "")
		tt.change(in)
		_, err := c.sm.CreateTrainingJob(c.Context(), in)
		require.Error(c, err, name)
		c.refused(err, "ValidationException", tt.want)
		require.Equal(c, 400, status(err), name)
	}
}

func trainingMissing(c *cloud) {
	_, err := c.sm.DescribeTrainingJob(c.Context(), &sagemaker.DescribeTrainingJobInput{TrainingJobName: c.name()})
	c.refused(err, "ValidationException", "Requested resource not found.")
	require.Equal(c, 400, status(err))
	_, err = c.sm.StopTrainingJob(c.Context(), &sagemaker.StopTrainingJobInput{TrainingJobName: c.name()})
	c.refused(err, "ValidationException", "Requested resource not found.")
	for _, n := range []int32{0, 101} {
		_, err = c.sm.ListTrainingJobs(c.Context(), &sagemaker.ListTrainingJobsInput{MaxResults: &n})
		c.refused(err, "ValidationException", fmt.Sprintf("Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value", n))
	}
}
