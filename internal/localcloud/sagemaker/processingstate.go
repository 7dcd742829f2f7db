package sagemaker

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/process"
)

// processingJob is the record of a processing job. It is InProgress, or Stopping
// on the way to Stopped, until it has ended.
type processingJob struct {
	sm.DescribeProcessingJobOutput
	Epoch int64 // names the logs of the present run
}

func (j *processingJob) head() head {
	return head{name: *j.ProcessingJobName, status: string(j.ProcessingJobStatus), created: *j.CreationTime, modified: *j.LastModifiedTime}
}

func (j *processingJob) final() bool {
	return j.ProcessingJobStatus != types.ProcessingJobStatusInProgress && j.ProcessingJobStatus != types.ProcessingJobStatusStopping
}

// stop refuses a job that has ended.
func (j *processingJob) stop(now time.Time) error {
	if j.final() {
		return invalid("The request was rejected because the processing job is in status %s.", j.ProcessingJobStatus)
	}
	j.ProcessingJobStatus, j.LastModifiedTime = types.ProcessingJobStatusStopping, &now
	return nil
}

// begin starts a run, with logs of its own.
func (j *processingJob) begin(now time.Time) {
	j.Epoch = max(now.Unix(), j.Epoch+1)
	j.ProcessingStartTime, j.LastModifiedTime = &now, &now
}

// processed is how a processing job ends.
type processed struct {
	status          types.ProcessingJobStatus
	reason, message string // of a failure, and what the container left in output/message
}

func (j *processingJob) end(how processed, now time.Time) {
	j.ProcessingJobStatus, j.ProcessingEndTime, j.LastModifiedTime = how.status, &now, &now
	if how.reason != "" {
		j.FailureReason = &how.reason
	}
	if how.message != "" {
		j.ExitMessage = aws.String(truncate(how.message, maxFailure))
	}
}

// judgeProcessing decides how a job ended whose container left exit and message.
func judgeProcessing(exit process.Exit, told order, message string) processed {
	message = strings.TrimSpace(message)
	switch {
	case told == orderStop:
		return processed{types.ProcessingJobStatusStopped, "", message}
	case exit.Cause == process.TimedOut:
		return processed{types.ProcessingJobStatusStopped, "Processing job runtime exceeded MaxRuntimeInSeconds provided", message}
	case exit.OK():
		return processed{types.ProcessingJobStatusCompleted, "", message}
	case exit.Error != "":
		return processed{types.ProcessingJobStatusFailed, "AlgorithmError: the container could not be started: " + exit.Error, message}
	}
	how := fmt.Sprintf("exit code: %d", exit.Code)
	if exit.Signal != "" {
		how = "signal: " + exit.Signal
	}
	return processed{types.ProcessingJobStatusFailed, "AlgorithmError: See job logs for more information, " + how, message}
}

func unprocessed(reason string) processed {
	return processed{status: types.ProcessingJobStatusFailed, reason: reason}
}
