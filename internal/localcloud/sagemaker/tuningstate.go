package sagemaker

import (
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// tuningJob is the record of a hyperparameter tuning job.
type tuningJob struct {
	sm.DescribeHyperParameterTuningJobOutput
	Tags    []types.Tag // go to the training jobs as well
	Seed    uint64
	Known   []map[string]string                     // combinations that parents have tried
	Parent  *types.HyperParameterTrainingJobSummary // the best of all parents, where results compare
	Trials  []trial                                 // in the order of their launch
	Winding bool                                    // no more is launched, and what runs is stopped
}

// trial is a training job of a tuning job, from its decision on.
type trial struct {
	types.HyperParameterTrainingJobSummary
	Definition int  // index into definitions
	Launched   bool // the training job was seen
}

// tuningMove is a change of a tuning job's status. A move from another status
// than these does not happen.
type tuningMove struct {
	from []types.HyperParameterTuningJobStatus
	to   types.HyperParameterTuningJobStatus
}

var (
	askedToStop = tuningMove{[]types.HyperParameterTuningJobStatus{types.HyperParameterTuningJobStatusInProgress}, types.HyperParameterTuningJobStatusStopping}
	hasStopped  = tuningMove{[]types.HyperParameterTuningJobStatus{types.HyperParameterTuningJobStatusStopping}, types.HyperParameterTuningJobStatusStopped}
	isComplete  = tuningMove{[]types.HyperParameterTuningJobStatus{types.HyperParameterTuningJobStatusInProgress}, types.HyperParameterTuningJobStatusCompleted}
	hasFailed   = tuningMove{[]types.HyperParameterTuningJobStatus{types.HyperParameterTuningJobStatusInProgress}, types.HyperParameterTuningJobStatusFailed}
)

func (j *tuningJob) move(m tuningMove, now time.Time) bool {
	if !slices.Contains(m.from, j.HyperParameterTuningJobStatus) {
		return false
	}
	j.HyperParameterTuningJobStatus, j.LastModifiedTime = m.to, &now
	if j.final() {
		j.HyperParameterTuningEndTime = &now
	}
	return true
}

func (j *tuningJob) head() head {
	return head{name: *j.HyperParameterTuningJobName, status: string(j.HyperParameterTuningJobStatus),
		created: *j.CreationTime, modified: *j.LastModifiedTime}
}

func (j *tuningJob) final() bool {
	return j.HyperParameterTuningJobStatus != types.HyperParameterTuningJobStatusInProgress && j.HyperParameterTuningJobStatus != types.HyperParameterTuningJobStatusStopping
}

func (t *trial) final() bool {
	return t.TrainingJobStatus != types.TrainingJobStatusInProgress && t.TrainingJobStatus != types.TrainingJobStatusStopping
}

// definitions are those of the training jobs, one or several.
func (j *tuningJob) definitions() []types.HyperParameterTrainingJobDefinition {
	if j.TrainingJobDefinition != nil {
		return []types.HyperParameterTrainingJobDefinition{*j.TrainingJobDefinition}
	}
	return j.TrainingJobDefinitions
}

// objective is what a definition's training jobs are judged by.
func (j *tuningJob) objective(definition int) *types.HyperParameterTuningJobObjective {
	if o := j.definitions()[definition].TuningObjective; o != nil {
		return o
	}
	return j.HyperParameterTuningJobConfig.HyperParameterTuningJobObjective
}

func (j *tuningJob) goal() types.HyperParameterTuningJobObjectiveType { return j.objective(0).Type }

// advance decides what comes next: it launches trials while there is room for
// them, and ends the job when all have ended. It reports whether anything has
// changed.
func (j *tuningJob) advance(now time.Time) bool {
	running := j.running()
	switch {
	case j.final():
		return false
	case j.enough(now):
		begun := !j.Winding
		j.Winding = true
		j.Trials = slices.DeleteFunc(j.Trials, func(t trial) bool { return !t.final() && !t.Launched })
		return len(j.running()) == 0 && j.end(now) || begun
	case len(j.Trials) < j.limit():
		return j.launch(int(*j.HyperParameterTuningJobConfig.ResourceLimits.MaxParallelTrainingJobs)-len(running), now)
	}
	return len(running) == 0 && j.end(now)
}

// enough reports whether the job shall end before it has launched all.
func (j *tuningJob) enough(now time.Time) bool {
	cfg := j.HyperParameterTuningJobConfig
	if j.Winding || j.HyperParameterTuningJobStatus == types.HyperParameterTuningJobStatusStopping {
		return true
	}
	if s := cfg.ResourceLimits.MaxRuntimeInSeconds; s != nil && now.Sub(*j.CreationTime) >= time.Duration(*s)*time.Second {
		return true
	}
	c := cfg.TuningJobCompletionCriteria
	if c == nil {
		return false
	}
	if best, ok := metric(j.best()); ok && c.TargetObjectiveMetricValue != nil && !better(j.goal(), *c.TargetObjectiveMetricValue, best) {
		return true
	}
	return c.BestObjectiveNotImproving != nil && c.BestObjectiveNotImproving.MaxNumberOfTrainingJobsNotImproving != nil &&
		j.notImproving() >= int(*c.BestObjectiveNotImproving.MaxNumberOfTrainingJobsNotImproving)
}

func (j *tuningJob) end(now time.Time) bool {
	if j.move(hasStopped, now) {
		return true
	}
	if slices.ContainsFunc(j.Trials, func(t trial) bool { return t.TrainingJobStatus != types.TrainingJobStatusFailed }) {
		return j.move(isComplete, now)
	}
	j.FailureReason = aws.String("All training jobs failed. Please take a look at the training jobs failures to get more details.")
	return j.move(hasFailed, now)
}

// see takes in what a trial's training job says of itself.
func (t *trial) see(job *trainingJob, objective *types.HyperParameterTuningJobObjective) (changed bool) {
	if t.Launched && t.TrainingJobStatus == job.TrainingJobStatus {
		return false
	}
	t.Launched, t.TrainingJobStatus = true, job.TrainingJobStatus
	t.CreationTime, t.TrainingStartTime, t.TrainingEndTime = job.CreationTime, job.TrainingStartTime, job.TrainingEndTime
	if !t.final() {
		return true
	}
	t.FailureReason, t.ObjectiveStatus = job.FailureReason, types.ObjectiveStatusFailed
	if t.TrainingJobStatus == types.TrainingJobStatusFailed {
		return true
	}
	for _, m := range job.FinalMetricDataList {
		if *m.MetricName == *objective.MetricName {
			t.ObjectiveStatus = types.ObjectiveStatusSucceeded
			t.FinalHyperParameterTuningJobObjectiveMetric = &types.FinalHyperParameterTuningJobObjectiveMetric{
				Type: objective.Type, MetricName: m.MetricName, Value: m.Value}
		}
	}
	return true
}

// lose ends a trial that has no training job.
func (t *trial) lose(reason string) {
	t.TrainingJobStatus, t.ObjectiveStatus, t.FailureReason = types.TrainingJobStatusFailed, types.ObjectiveStatusFailed, &reason
}

// best is the completed training job with the best objective; nil if none has
// one.
func (j *tuningJob) best() *types.HyperParameterTrainingJobSummary {
	var best *types.HyperParameterTrainingJobSummary
	for i := range j.Trials {
		t := &j.Trials[i].HyperParameterTrainingJobSummary
		value, ok := metric(t)
		record, any := metric(best)
		if ok && t.TrainingJobStatus == types.TrainingJobStatusCompleted && (!any || better(j.goal(), value, record)) {
			best = t
		}
	}
	return best
}

// notImproving counts the training jobs since the last that was better by 1 % or
// more than all that ended before it (BestObjectiveNotImproving in the SageMaker
// API reference).
func (j *tuningJob) notImproving() (n int) {
	var ended []*types.HyperParameterTrainingJobSummary
	for i := range j.Trials {
		if t := &j.Trials[i].HyperParameterTrainingJobSummary; t.FinalHyperParameterTuningJobObjectiveMetric != nil && t.TrainingEndTime != nil {
			ended = append(ended, t)
		}
	}
	slices.SortStableFunc(ended, func(a, b *types.HyperParameterTrainingJobSummary) int {
		return a.TrainingEndTime.Compare(*b.TrainingEndTime)
	})
	var record float32
	for i, t := range ended {
		value, _ := metric(t)
		gain := math.Abs(float64(value) - float64(record))
		if i == 0 || better(j.goal(), value, record) && gain >= 0.01*math.Abs(float64(record)) {
			n = 0
		} else {
			n++
		}
		if i == 0 || better(j.goal(), value, record) {
			record = value
		}
	}
	return n
}
