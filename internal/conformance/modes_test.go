package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud"
)

// modeCases are other ways to run a training job than with files on one host.
var modeCases = []kase{
	{name: "training on several hosts", covers: "CreateTrainingJob DescribeTrainingJob", run: severalHosts, bills: 2 * jobBill},
	{name: "training from pipes", covers: "CreateTrainingJob DescribeTrainingJob", run: fromPipes, bills: jobBill},
	{name: "training from fast files", covers: "CreateTrainingJob DescribeTrainingJob", run: fromFastFiles, bills: jobBill},
	{name: "training on spot instances", covers: "CreateTrainingJob DescribeTrainingJob", run: onSpot, bills: 2 * jobBill},
}

// finish runs a job to its good end.
func (c *cloud) finish(in *sagemaker.CreateTrainingJobInput) *sagemaker.DescribeTrainingJobOutput {
	c.Helper()
	c.train(in)
	job := c.ended(in.TrainingJobName)
	require.Equal(c, types.TrainingJobStatusCompleted, job.TrainingJobStatus, aws.ToString(job.FailureReason))
	return job
}

// found reads what a job's container wrote down of its input.
func (c *cloud) found(job *sagemaker.DescribeTrainingJobOutput, file string) (found map[string]string) {
	c.Helper()
	require.NoError(c, json.Unmarshal([]byte(c.untar(*job.ModelArtifacts.S3ModelArtifacts, file)), &found))
	return found
}

func severalHosts(c *cloud) {
	bucket := c.bucket()
	for i := range 4 {
		c.put(bucket, fmt.Sprintf("data/%d.csv", i), fmt.Sprint(i))
	}
	in := c.training(bucket, "each")
	in.ResourceConfig.InstanceCount = aws.Int32(2)
	sharded := channel("part", "s3://"+*bucket+"/data/")
	sharded.DataSource.S3DataSource.S3DataDistributionType = types.S3DataDistributionShardedByS3Key
	in.InputDataConfig = []types.Channel{sharded, channel("all", "s3://"+*bucket+"/data/")}
	job := c.finish(in)
	require.Equal(c, int32(2), *job.ResourceConfig.InstanceCount)
	var parts []string
	for _, host := range []string{"algo-1", "algo-2"} {
		found := c.found(job, host+".json")
		var resources struct {
			Current string   `json:"current_host"`
			Hosts   []string `json:"hosts"`
		}
		require.NoError(c, json.Unmarshal([]byte(found["config/resourceconfig.json"]), &resources))
		require.Equal(c, host, resources.Current)
		require.Equal(c, []string{"algo-1", "algo-2"}, resources.Hosts)
		mine := 0
		for i := range 4 {
			require.Equal(c, fmt.Sprint(i), found[fmt.Sprintf("data/all/%d.csv", i)])
			if text, ok := found[fmt.Sprintf("data/part/%d.csv", i)]; ok {
				parts, mine = append(parts, text), mine+1
			}
		}
		require.Equal(c, 2, mine, "%s has its share", host)
	}
	slices.Sort(parts)
	require.Equal(c, []string{"0", "1", "2", "3"}, parts, "every object is on one host")
}

func fromPipes(c *cloud) {
	bucket := c.bucket()
	c.put(bucket, "data/a.csv", "1,2\n")
	c.put(bucket, "data/b.csv", "3,4\n")
	in := c.training(bucket, "pipe")
	in.AlgorithmSpecification.TrainingInputMode = types.TrainingInputModePipe
	in.InputDataConfig = []types.Channel{channel("train", "s3://"+*bucket+"/data/")}
	found := c.found(c.finish(in), "model.txt")
	require.Equal(c, []string{"1,2\n3,4\n", "1,2\n3,4\n"}, []string{found["train_0"], found["train_1"]}, "all objects, an epoch for each pipe")
	require.Contains(c, found["config"], `"Pipe"`)
}

func fromFastFiles(c *cloud) {
	bucket := c.bucket()
	c.put(bucket, "data/a.csv", "1,2\n")
	c.put(bucket, "data/deep/b.csv", "3,4\n")
	in := c.training(bucket, "")
	in.AlgorithmSpecification.TrainingInputMode = types.TrainingInputModeFastfile
	in.InputDataConfig = []types.Channel{channel("train", "s3://"+*bucket+"/data/")}
	job := c.finish(in)
	require.Equal(c, types.TrainingInputModeFastfile, job.AlgorithmSpecification.TrainingInputMode)
	found := c.found(job, "model.txt")
	require.Equal(c, []string{"1,2\n", "3,4\n"}, []string{found["data/train/a.csv"], found["data/train/deep/b.csv"]})
}

// onSpot has a local cloud take the instance away, which AWS does when it likes.
func onSpot(c *cloud) {
	bucket := c.bucket()
	in := c.training(bucket, "spot")
	if at.real {
		in.HyperParameters["do"] = ""
	}
	in.EnableManagedSpotTraining = aws.Bool(true)
	in.StoppingCondition.MaxWaitTimeInSeconds = aws.Int32(1200)
	in.CheckpointConfig = &types.CheckpointConfig{S3Uri: aws.String("s3://" + *bucket + "/checkpoints")}
	if at.real {
		job := c.finish(in)
		require.LessOrEqual(c, *job.BillableTimeInSeconds, *job.TrainingTimeInSeconds)
		return
	}
	c.train(in)
	c.eventually("the job trains", func() bool {
		metrics := c.trainingJob(c.Context(), in.TrainingJobName).FinalMetricDataList
		return len(metrics) > 0 && *metrics[0].Value == 0.5
	})
	c.fault(`{"fault": "interrupt", "resource": "` + *in.TrainingJobName + `", "count": 1}`)
	job := c.ended(in.TrainingJobName)
	require.Equal(c, types.TrainingJobStatusCompleted, job.TrainingJobStatus, aws.ToString(job.FailureReason))
	var seen []types.SecondaryStatus
	for _, s := range job.SecondaryStatusTransitions {
		seen = append(seen, s.Status)
	}
	require.Contains(c, seen, types.SecondaryStatusInterrupted)
	require.Equal(c, types.SecondaryStatusCompleted, seen[len(seen)-1])
	require.Equal(c, "resumed after run 1", c.untar(*job.ModelArtifacts.S3ModelArtifacts, "model.txt"), "the second run goes on from the checkpoint of the first")
	require.Equal(c, "run 1", c.read("s3://"+*bucket+"/checkpoints/state"))
	require.True(c, *job.EnableManagedSpotTraining)
	require.LessOrEqual(c, *job.BillableTimeInSeconds, *job.TrainingTimeInSeconds)
}

// fault sets a rule of a local cloud.
func (c *cloud) fault(rule string) {
	c.Helper()
	body := strings.NewReader(`{"rules": [` + rule + `]}`)
	req, err := http.NewRequestWithContext(c.Context(), http.MethodPut, *at.sdk.BaseEndpoint+localcloud.FaultsPath, body)
	require.NoError(c, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c, err)
	said, err := io.ReadAll(resp.Body)
	require.NoError(c, err)
	require.NoError(c, resp.Body.Close())
	require.Equal(c, http.StatusOK, resp.StatusCode, "%s", bytes.TrimSpace(said))
}
