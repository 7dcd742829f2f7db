package sagemaker_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

// boot runs the cloud's directory in a process of its own.
func (c *cloud) boot() *exec.Cmd {
	c.Helper()
	cmd := exec.Command(os.Args[0], "cloud", c.dir)
	_, err := cmd.StdinPipe()
	require.NoError(c, err)
	out, err := cmd.StdoutPipe()
	require.NoError(c, err)
	cmd.Stderr = os.Stderr
	require.NoError(c, cmd.Start())
	c.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(c, err)
	c.connect(line[:len(line)-1])
	return cmd
}

// TestCloudIsKilled kills the cloud in mid-training, with an endpoint that
// captures. The next cloud on the directory finds everything.
func TestCloudIsKilled(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	_, err := c.sm.CreateEndpointConfig(t.Context(), &sm.CreateEndpointConfigInput{EndpointConfigName: aws.String("c"),
		ProductionVariants: []types.ProductionVariant{production("red", 1)}, DataCaptureConfig: captureTo("s3://data/captured", 100, types.CaptureModeInput)})
	require.NoError(t, err)
	c.shut()

	dead := c.boot()
	gate := filepath.Join(t.TempDir(), "gate")
	c.train(trainingInput("survivor", map[string]string{"mode": "gate", "gate": gate}))
	c.train(trainingInput("unseen", map[string]string{"mode": "gate", "gate": gate}))
	c.awaitMetric("survivor", 0.125)
	c.awaitMetric("unseen", 0.125)
	job, unseen := c.loggedPID("survivor"), c.loggedPID("unseen")
	c.endpoint("e", "c")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	server := c.pid("e", "")
	for range 20 {
		c.answer("e", "", "1")
	}
	require.NoError(t, dead.Process.Kill())
	_ = dead.Wait()
	c.requireGone(server)
	require.NoError(t, os.WriteFile(gate, nil, 0o644))
	c.requireGone(job)
	c.requireGone(unseen)

	c.open()
	done := c.awaitJob("survivor", types.TrainingJobStatusCompleted)
	require.Equal(t, []types.SecondaryStatus{"Starting", "Downloading", "Training", "Uploading", "Completed"}, secondary(done), "it was not started again")
	require.Equal(t, float32(0.91), *done.FinalMetricDataList[0].Value)
	require.True(t, c.has("out/survivor/output/model.tar.gz"))
	c.awaitJob("unseen", types.TrainingJobStatusCompleted)

	require.Equal(t, types.EndpointStatusInService, c.described("e").EndpointStatus)
	require.Equal(t, "red<1>\n", c.answer("e", "", "1"), "invocations wait for the servers to come back")
	require.NotEqual(t, server, c.pid("e", ""))
	c.eventually(func() bool { return len(c.captures("captured/e/red/")) == 23 }, "every answered invocation was captured once")
}

// TestJobRunsThroughRestart restarts the cloud while a job's process lives on.
func TestJobRunsThroughRestart(t *testing.T) {
	c := start(t, nil)
	c.shut()
	dead := c.boot()
	gate := filepath.Join(t.TempDir(), "gate")
	c.train(trainingInput("runs", map[string]string{"mode": "gate", "gate": gate}))
	c.train(trainingInput("stops", map[string]string{"mode": "hang"}))
	c.awaitMetric("runs", 0.125)
	c.awaitMetric("stops", 0.25)
	pid := c.loggedPID("runs")
	require.NoError(t, dead.Process.Kill())
	_ = dead.Wait()

	c.open()
	require.Equal(t, types.SecondaryStatusTraining, c.job("runs").SecondaryStatus)
	c.awaitMetric("runs", 0.125)
	require.Equal(t, pid, c.loggedPID("runs"), "the same process goes on")
	_, err := c.sm.StopTrainingJob(t.Context(), &sm.StopTrainingJobInput{TrainingJobName: aws.String("stops")})
	require.NoError(t, err)
	c.awaitJob("stops", types.TrainingJobStatusStopped)
	require.NoError(t, os.WriteFile(gate, nil, 0o644))
	c.awaitJob("runs", types.TrainingJobStatusCompleted)
}

// TestEndpointSurvivesClose stops the cloud cleanly and starts it again, in the
// middle of an update as well.
func TestEndpointSurvivesClose(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	c.model("blue", "blue")
	c.config("red", production("red", 1))
	c.config("blue", production("blue", 1))
	c.endpoint("e", "red")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	pid := c.pid("e", "")
	c.update("e", "blue")
	c.shut()
	c.requireGone(pid)
	c.open()
	d := c.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, "blue", *d.EndpointConfigName)
	require.Equal(t, "blue<x>\n", c.answer("e", "", "x"))
}
