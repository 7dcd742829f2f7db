package sagemaker_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/faults"
	"steward/internal/localcloud/process"
	"steward/internal/localcloud/sagemaker"
)

func spot(name, mode string) *sm.CreateTrainingJobInput {
	in := trainingInput(name, map[string]string{"mode": mode})
	in.EnableManagedSpotTraining = aws.Bool(true)
	in.StoppingCondition.MaxWaitTimeInSeconds = aws.Int32(120)
	in.CheckpointConfig = &types.CheckpointConfig{S3Uri: aws.String("s3://data/checkpoints/" + name)}
	return in
}

// upset gives the cloud an injector of faults.
func upset(i *faults.Injector) func(*sagemaker.Config) {
	return func(cfg *sagemaker.Config) { cfg.Faults, cfg.SyncInterval = i, 20*time.Millisecond }
}

func injector() *faults.Injector {
	return faults.NewInjector(faults.Plan{}, slog.New(slog.DiscardHandler))
}

// TestSpotInterruption takes the instances away from a running job, which goes
// on from its checkpoint.
func TestSpotInterruption(t *testing.T) {
	rules := injector()
	c := start(t, upset(rules))
	c.put("checkpoints/spotless/state", "of another job")
	c.train(spot("spot", "checkpoint"))
	c.eventually(func() bool { return c.has("checkpoints/spot/deep/state") }, "checkpoints are synced while it runs")
	require.Equal(t, "step 1", c.get("checkpoints/spot/deep/state"))
	rules.Set(faults.Plan{Rules: []faults.Rule{{Fault: faults.Interrupt, Resource: "sp*", Delay: "10ms", Count: 1}}})

	job := c.awaitJob("spot", types.TrainingJobStatusCompleted)
	require.Equal(t, []types.SecondaryStatus{"Starting", "Downloading", "Training", "Interrupted", "Starting", "Downloading", "Training", "Uploading", "Completed"}, secondary(job))
	require.Equal(t, "from step two", c.untar("out/spot/output/model.tar.gz", "model.txt"), "what was saved in the last moment counts")
	require.Less(t, *job.BillableTimeInSeconds, *job.TrainingTimeInSeconds+1)
	streams, _ := c.told("/aws/sagemaker/TrainingJobs", "spot/")
	require.Len(t, streams, 2, "each run has a stream of its own")
}

func TestOnlySpotJobsAreInterrupted(t *testing.T) {
	rules := injector()
	c := start(t, upset(rules))
	rules.Set(faults.Plan{Rules: []faults.Rule{{Fault: faults.Interrupt}}})
	c.train(trainingInput("steady", nil))
	require.NotContains(t, secondary(c.awaitJob("steady", types.TrainingJobStatusCompleted)), types.SecondaryStatusInterrupted)
}

func TestSpotWaitsTooLong(t *testing.T) {
	c := start(t, func(cfg *sagemaker.Config) { cfg.MaxJobs = 1 })
	gate := filepath.Join(t.TempDir(), "gate")
	c.train(trainingInput("holds", map[string]string{"mode": "gate", "gate": gate}))
	c.awaitMetric("holds", 0.125)
	in := spot("waits", "")
	in.StoppingCondition = &types.StoppingCondition{MaxRuntimeInSeconds: aws.Int32(1), MaxWaitTimeInSeconds: aws.Int32(1)}
	c.train(in)
	job := c.awaitJob("waits", types.TrainingJobStatusStopped)
	require.Equal(t, types.SecondaryStatusMaxWaitTimeExceeded, job.SecondaryStatus)
	require.Nil(t, job.TrainingStartTime)
	require.NoError(t, os.WriteFile(gate, nil, 0o644))
	c.awaitJob("holds", types.TrainingJobStatusCompleted)
}

func TestSlowStart(t *testing.T) {
	rules := injector()
	rules.Set(faults.Plan{Rules: []faults.Rule{{Fault: faults.SlowStart, Resource: "slow", Delay: "1h"}}})
	c := start(t, upset(rules))
	c.train(trainingInput("slow", nil))
	c.train(trainingInput("quick", nil))
	c.awaitJob("quick", types.TrainingJobStatusCompleted)
	require.Equal(t, types.SecondaryStatusStarting, c.job("slow").SecondaryStatus)
	_, err := c.sm.StopTrainingJob(t.Context(), &sm.StopTrainingJobInput{TrainingJobName: aws.String("slow")})
	require.NoError(t, err)
	c.awaitJob("slow", types.TrainingJobStatusStopped)
}

func TestServersStartSlowly(t *testing.T) {
	rules := injector()
	rules.Set(faults.Plan{Rules: []faults.Rule{{Fault: faults.SlowStart, Resource: "late/red", Delay: "1h"}}})
	c := start(t, upset(rules))
	c.model("red", "red")
	c.config("red", production("red", 1))
	c.endpoint("late", "red")
	c.endpoint("early", "red")
	c.awaitEndpoint("early", types.EndpointStatusInService)
	require.Equal(t, types.EndpointStatusCreating, c.described("late").EndpointStatus)
}

// killSupervisor takes a job's process away, as a lost instance would.
func (c *cloud) killSupervisor(job string) {
	c.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, "sagemaker", "jobs", job, "algo-1", "run", "lock"))
	require.NoError(c, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(c, err)
	require.NoError(c, syscall.Kill(pid, syscall.SIGKILL))
}

func TestRetries(t *testing.T) {
	c := start(t, nil)
	gate := filepath.Join(t.TempDir(), "gate")
	in := trainingInput("again", map[string]string{"mode": "gate", "gate": gate})
	in.RetryStrategy = &types.RetryStrategy{MaximumRetryAttempts: aws.Int32(1)}
	c.train(in)
	for run := range 2 {
		c.eventually(func() bool {
			streams, _ := c.told("/aws/sagemaker/TrainingJobs", "again/")
			return len(streams) == run+1
		}, "it runs")
		c.killSupervisor("again")
	}
	job := c.awaitJob("again", types.TrainingJobStatusFailed)
	require.Equal(t, []types.SecondaryStatus{"Starting", "Downloading", "Training", "Restarting", "Starting", "Downloading", "Training", "Failed"}, secondary(job))
	require.Contains(t, *job.FailureReason, "InternalServerError")
}

// TestSpotSurvivesKill kills the cloud in the middle of a spot job: its
// checkpoints and its end are not lost.
func TestSpotSurvivesKill(t *testing.T) {
	rules := injector()
	c := start(t, upset(rules))
	c.put("in/a", "a")
	c.shut()
	dead := c.boot()
	c.train(spot("spot", "checkpoint"))
	c.awaitTold("/aws/sagemaker/TrainingJobs", "spot/", "saved")
	require.NoError(t, dead.Process.Kill())
	_ = dead.Wait()
	c.open()
	rules.Set(faults.Plan{Rules: []faults.Rule{{Fault: faults.Interrupt, Count: 1}}})
	c.awaitJob("spot", types.TrainingJobStatusCompleted)
	require.Equal(t, "from step two", c.untar("out/spot/output/model.tar.gz", "model.txt"))
}

// TestSpotIsKilledTwice kills the cloud between two runs of a spot job, before it
// has cleared the first away, and again before the second has begun. The first
// one's end is not the second one's.
func TestSpotIsKilledTwice(t *testing.T) {
	rules := injector()
	rules.Set(faults.Plan{Rules: []faults.Rule{{Fault: faults.SlowStart, Resource: "spot", Delay: "1h"}}})
	c := start(t, upset(rules))
	c.train(spot("spot", ""))
	begins := func() bool { return c.job("spot").SecondaryStatus == types.SecondaryStatusStarting }
	c.eventually(begins, "it begins")
	c.shut()

	// As the first cloud left it.
	dir := filepath.Join(c.dir, "sagemaker", "jobs", "spot", "algo-1")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	first, err := process.Start(process.Spec{Dir: filepath.Join(dir, "run"), Command: []string{"false"}, Env: []string{"PATH=" + os.Getenv("PATH")}, Log: filepath.Join(dir, "log")})
	require.NoError(t, err)
	<-first.Done()
	c.interrupted("spot")

	c.open()
	c.eventually(begins, "it begins again")
	c.shut()
	rules.Set(faults.Plan{})
	c.open()
	c.awaitJob("spot", types.TrainingJobStatusCompleted)
}

// interrupted records of a closed cloud's job that it was interrupted.
func (c *cloud) interrupted(job string) {
	c.Helper()
	require.NoError(c, sagemaker.Interrupted(filepath.Join(c.dir, "sagemaker"), job))
}
