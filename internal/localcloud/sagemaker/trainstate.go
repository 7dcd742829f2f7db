package sagemaker

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/process"
)

// maxFailure is how much of output/failure becomes the failure reason: 1,024
// characters (SageMaker's container contract).
const maxFailure = 1024

// trainingJob is the record of a training job.
type trainingJob struct {
	sm.DescribeTrainingJobOutput
	Epoch   int64         // names the logs of the present run
	Begun   time.Time     // when the present run began to count
	Active  time.Duration // what earlier runs took
	Retries int32         // runs that were started over after an internal error
	Told    order         // why the present run was told to end, before it is
}

func (j *trainingJob) head() head {
	return head{name: *j.TrainingJobName, status: string(j.TrainingJobStatus), created: *j.CreationTime, modified: *j.LastModifiedTime}
}

// primary gives a secondary status's status; those not named are InProgress.
var primary = map[types.SecondaryStatus]types.TrainingJobStatus{
	types.SecondaryStatusStopping:            types.TrainingJobStatusStopping,
	types.SecondaryStatusStopped:             types.TrainingJobStatusStopped,
	types.SecondaryStatusMaxRuntimeExceeded:  types.TrainingJobStatusStopped,
	types.SecondaryStatusMaxWaitTimeExceeded: types.TrainingJobStatusStopped,
	types.SecondaryStatusCompleted:           types.TrainingJobStatusCompleted,
	types.SecondaryStatusFailed:              types.TrainingJobStatusFailed,
}

// final reports whether the job has ended.
func (j *trainingJob) final() bool {
	switch j.TrainingJobStatus {
	case types.TrainingJobStatusStopped, types.TrainingJobStatusCompleted, types.TrainingJobStatusFailed:
		return true
	}
	return false
}

// messages are AWS's words for what a job does, as its console and SDKs show
// them.
var messages = map[types.SecondaryStatus]string{
	types.SecondaryStatusStarting:            "Preparing the instances for training",
	types.SecondaryStatusPending:             "Waiting for a free instance", // ours: AWS has more of them
	types.SecondaryStatusDownloading:         "Downloading input data",
	types.SecondaryStatusTraining:            "Training image download completed. Training in progress.",
	types.SecondaryStatusUploading:           "Uploading generated training model",
	types.SecondaryStatusInterrupted:         "Training job interrupted",
	types.SecondaryStatusRestarting:          "Restarting the training job after an internal server error",
	types.SecondaryStatusStopping:            "Stopping the training job",
	types.SecondaryStatusStopped:             "Training job stopped",
	types.SecondaryStatusCompleted:           "Training job completed",
	types.SecondaryStatusFailed:              "Training job failed",
	types.SecondaryStatusMaxRuntimeExceeded:  "Training job runtime exceeded MaxRuntimeInSeconds provided",
	types.SecondaryStatusMaxWaitTimeExceeded: "Training job wait time exceeded MaxWaitTimeInSeconds provided",
}

// enter moves the job to a secondary status. A job that is stopping stays
// Stopping until it has ended, whatever it does meanwhile.
func (j *trainingJob) enter(to types.SecondaryStatus, now time.Time) {
	if j.SecondaryStatus == to {
		return
	}
	message := messages[to]
	if n := len(j.SecondaryStatusTransitions); n > 0 {
		j.SecondaryStatusTransitions[n-1].EndTime = &now
	}
	j.SecondaryStatusTransitions = append(j.SecondaryStatusTransitions,
		types.SecondaryStatusTransition{Status: to, StartTime: &now, StatusMessage: &message})
	status, ok := primary[to]
	if !ok {
		status = types.TrainingJobStatusInProgress
		if j.TrainingJobStatus == types.TrainingJobStatusStopping {
			status = types.TrainingJobStatusStopping
		}
	}
	j.SecondaryStatus, j.TrainingJobStatus, j.LastModifiedTime = to, status, &now
	switch {
	case to == types.SecondaryStatusDownloading:
		j.Begun = now
		if j.Active == 0 {
			j.TrainingStartTime = &now
		}
	case to == types.SecondaryStatusInterrupted || to == types.SecondaryStatusRestarting:
		j.pause(now)
	case j.final():
		j.pause(now)
		j.end(now)
	}
}

// pause ends what the present run counts for.
func (j *trainingJob) pause(now time.Time) {
	if !j.Begun.IsZero() {
		j.Active += now.Sub(j.Begun)
		j.Begun = time.Time{}
	}
	j.Told = ""
}

// spotShare is the part of its time that a spot job is billed for: about what
// EC2 asks for spot instances of the general families. AWS scales the billable
// seconds by the price, so that savings are 1 - billable/training
// (DescribeTrainingJob).
const spotShare = 0.3

// end closes the job's last transition and counts the seconds that its runs
// took, without those between them, and what is billed of them.
func (j *trainingJob) end(now time.Time) {
	j.SecondaryStatusTransitions[len(j.SecondaryStatusTransitions)-1].EndTime = &now
	j.TrainingEndTime = &now
	if j.TrainingStartTime == nil {
		return
	}
	share := 1.0
	if aws.ToBool(j.EnableManagedSpotTraining) {
		share = spotShare
	}
	j.TrainingTimeInSeconds = aws.Int32(int32(math.Ceil(j.Active.Seconds())))
	j.BillableTimeInSeconds = aws.Int32(int32(math.Ceil(share * j.Active.Seconds())))
}

// limit is how long the present run may take: what is left of the longest run
// time.
func (j *trainingJob) limit() time.Duration {
	return max(time.Duration(*j.StoppingCondition.MaxRuntimeInSeconds)*time.Second-j.Active, time.Millisecond)
}

// deadline is when a spot job has waited and run for too long, zero for never.
func (j *trainingJob) deadline() time.Time {
	if j.StoppingCondition.MaxWaitTimeInSeconds == nil {
		return time.Time{}
	}
	return j.CreationTime.Add(time.Duration(*j.StoppingCondition.MaxWaitTimeInSeconds) * time.Second)
}

// outcome is how a training job ends: its last status and the reason of a
// failure.
type outcome struct {
	status types.SecondaryStatus
	reason string
}

// judge decides how a job ended whose container left exit and failure, the
// contents of output/failure.
func judge(exit process.Exit, told order, failure, lastLine string) outcome {
	switch {
	case told == orderStop:
		return outcome{status: types.SecondaryStatusStopped}
	case told == orderLate:
		return outcome{status: types.SecondaryStatusMaxWaitTimeExceeded}
	case exit.Cause == process.TimedOut:
		return outcome{status: types.SecondaryStatusMaxRuntimeExceeded}
	case exit.OK():
		return outcome{status: types.SecondaryStatusCompleted}
	case exit.Error != "":
		return failed("AlgorithmError: the container could not be started: " + exit.Error)
	}
	how := fmt.Sprintf("exit code: %d", exit.Code)
	if exit.Signal != "" {
		how = "signal: " + exit.Signal
	}
	if failure = strings.TrimSpace(truncate(failure, maxFailure)); failure == "" {
		failure = "no message in output/failure; last line of the log: " + truncate(lastLine, maxFailure)
	}
	return failed("AlgorithmError: " + failure + ", " + how)
}

func failed(reason string) outcome { return outcome{types.SecondaryStatusFailed, reason} }

// truncate keeps the first n characters.
func truncate(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
