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
	Epoch int64 // names the log of the present run: its start in seconds since 1970
}

func (j *trainingJob) journal() journal { return trainingJournal(*j.TrainingJobName, 0, j.Epoch) }

func (j *trainingJob) head() head {
	return head{name: *j.TrainingJobName, status: string(j.TrainingJobStatus), created: *j.CreationTime, modified: *j.LastModifiedTime}
}

// primary gives a secondary status's status; those not named are InProgress.
var primary = map[types.SecondaryStatus]types.TrainingJobStatus{
	types.SecondaryStatusStopping:           types.TrainingJobStatusStopping,
	types.SecondaryStatusStopped:            types.TrainingJobStatusStopped,
	types.SecondaryStatusMaxRuntimeExceeded: types.TrainingJobStatusStopped,
	types.SecondaryStatusCompleted:          types.TrainingJobStatusCompleted,
	types.SecondaryStatusFailed:             types.TrainingJobStatusFailed,
}

// final reports whether the job has ended.
func (j *trainingJob) final() bool {
	switch j.TrainingJobStatus {
	case types.TrainingJobStatusStopped, types.TrainingJobStatusCompleted, types.TrainingJobStatusFailed:
		return true
	}
	return false
}

// enter moves the job to a secondary status. A job that is stopping stays
// Stopping until it has ended, whatever it does meanwhile.
func (j *trainingJob) enter(to types.SecondaryStatus, message string, now time.Time) {
	if j.SecondaryStatus == to {
		return
	}
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
	if to == types.SecondaryStatusDownloading {
		j.TrainingStartTime = &now
	}
	if j.final() {
		j.end(now)
	}
}

// end closes the job's last transition and counts what it is billed for: the
// seconds from TrainingStartTime to TrainingEndTime.
func (j *trainingJob) end(now time.Time) {
	j.SecondaryStatusTransitions[len(j.SecondaryStatusTransitions)-1].EndTime = &now
	j.TrainingEndTime = &now
	if j.TrainingStartTime != nil {
		seconds := aws.Int32(int32(math.Ceil(now.Sub(*j.TrainingStartTime).Seconds())))
		j.TrainingTimeInSeconds, j.BillableTimeInSeconds = seconds, seconds
	}
}

// outcome is how a training job ends: its last status and a message, which is
// the failure reason of a failed one.
type outcome struct {
	status  types.SecondaryStatus
	message string
}

// judge decides how a job ended whose container left exit and failure, the
// contents of output/failure.
func judge(exit process.Exit, stopped bool, failure, lastLine string) outcome {
	switch {
	case stopped:
		return outcome{types.SecondaryStatusStopped, "Training job stopped"}
	case exit.Cause == process.TimedOut:
		return outcome{types.SecondaryStatusMaxRuntimeExceeded, "Training job runtime exceeded MaxRuntimeInSeconds provided"}
	case exit.OK():
		return outcome{types.SecondaryStatusCompleted, "Training job completed"}
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
