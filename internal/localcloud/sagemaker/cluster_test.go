package sagemaker_test

import (
	"bytes"
	"compress/gzip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

func TestTrainingOnSeveralHosts(t *testing.T) {
	c := start(t, nil)
	for _, name := range []string{"a", "b", "c"} {
		c.put("in/"+name, name)
	}
	in := trainingInput("together", map[string]string{"mode": "cluster"})
	in.ResourceConfig.InstanceCount = aws.Int32(2)
	in.InputDataConfig = []types.Channel{channelOf("all", "s3://data/in/", "S3Prefix"), channelOf("part", "s3://data/in/", "S3Prefix")}
	in.InputDataConfig[1].DataSource.S3DataSource.S3DataDistributionType = types.S3DataDistributionShardedByS3Key
	c.train(in)
	job := c.awaitJob("together", types.TrainingJobStatusCompleted)
	require.Equal(t, float32(0.5), *job.FinalMetricDataList[0].Value)
	const archive = "out/together/output/model.tar.gz"
	require.Equal(t, "homogeneousCluster of [algo-1 algo-2]: [all/a all/b all/c part/a part/c]", c.untar(archive, "algo-1.txt"))
	require.Equal(t, "homogeneousCluster of [algo-1 algo-2]: [all/a all/b all/c part/b]", c.untar(archive, "algo-2.txt"))
	require.Equal(t, "algo-1", c.untar(archive, "same.txt"), "the first host's file wins")
	streams, messages := c.told("/aws/sagemaker/TrainingJobs", "together/")
	require.Len(t, streams, 2)
	require.Contains(t, messages, "auc=0.5 on algo-2")
}

func TestTrainingInGroups(t *testing.T) {
	c := start(t, nil)
	c.put("in/a", "a")
	c.put("in/b", "b")
	in := trainingInput("grouped", map[string]string{"mode": "cluster"})
	in.ResourceConfig = &types.ResourceConfig{VolumeSizeInGB: aws.Int32(1), InstanceGroups: []types.InstanceGroup{
		{InstanceGroupName: aws.String("data"), InstanceType: "ml.m5.large", InstanceCount: aws.Int32(1)},
		{InstanceGroupName: aws.String("compute"), InstanceType: "ml.c5.xlarge", InstanceCount: aws.Int32(1)},
	}}
	in.InputDataConfig = []types.Channel{channelOf("all", "s3://data/in/", "S3Prefix"), channelOf("some", "s3://data/in/", "S3Prefix")}
	source := in.InputDataConfig[1].DataSource.S3DataSource
	source.InstanceGroupNames, source.S3DataDistributionType = []string{"compute"}, types.S3DataDistributionShardedByS3Key
	in.OutputDataConfig.CompressionType = types.OutputCompressionTypeNone
	c.train(in)
	job := c.awaitJob("grouped", types.TrainingJobStatusCompleted)
	require.Equal(t, "s3://data/out/grouped/output/model/", *job.ModelArtifacts.S3ModelArtifacts)
	require.Equal(t, "data of [algo-1 algo-2]: [all/a all/b]", c.get("out/grouped/output/model/algo-1.txt"))
	require.Equal(t, "compute of [algo-1 algo-2]: [all/a all/b some/a some/b]", c.get("out/grouped/output/model/algo-2.txt"))
	require.Equal(t, "algo-1", c.get("out/grouped/output/model/same.txt"))
}

// TestOneHostFails ends the others and blames the one.
func TestOneHostFails(t *testing.T) {
	c := start(t, nil)
	in := trainingInput("fails", map[string]string{"mode": "cluster", "fails": "algo-2"})
	in.ResourceConfig.InstanceCount = aws.Int32(3)
	c.train(in)
	job := c.awaitJob("fails", types.TrainingJobStatusFailed)
	require.Equal(t, "AlgorithmError: algo-2 is out of memory, exit code: 1", *job.FailureReason)
	transitions := job.SecondaryStatusTransitions
	require.Equal(t, "Training job failed", *transitions[len(transitions)-1].StatusMessage)
	require.False(t, c.has("out/fails/output/model"))
}

func zipped(t *testing.T, text string) string {
	var data bytes.Buffer
	z := gzip.NewWriter(&data)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return data.String()
}

func TestTrainingFromPipes(t *testing.T) {
	c := start(t, nil)
	c.put("in/1", zipped(t, "one,"))
	c.put("in/2", zipped(t, "two"))
	in := trainingInput("piped", map[string]string{"mode": "pipe", "epochs": "3"})
	in.AlgorithmSpecification.TrainingInputMode = types.TrainingInputModePipe
	in.InputDataConfig = []types.Channel{channelOf("train", "s3://data/in/", "S3Prefix")}
	in.InputDataConfig[0].CompressionType = types.CompressionTypeGzip
	c.train(in)
	c.awaitJob("piped", types.TrainingJobStatusCompleted)
	require.Equal(t, "0:one,two\n1:one,two\n2:one,two\n", c.untar("out/piped/output/model.tar.gz", "model.txt"))

	c.put("in/3", "plain")
	in.TrainingJobName = aws.String("broken")
	c.train(in)
	require.Contains(t, *c.awaitJob("broken", types.TrainingJobStatusFailed).FailureReason, "ClientError: Data download failed: channel train: epoch 0: s3://data/in/3 is not compressed with gzip")
}
