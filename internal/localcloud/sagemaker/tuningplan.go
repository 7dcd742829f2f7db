package sagemaker

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

func (j *tuningJob) running() (list []*trial) {
	for i := range j.Trials {
		if !j.Trials[i].final() {
			list = append(list, &j.Trials[i])
		}
	}
	return list
}

// limit is how many training jobs the tuning job has in all.
func (j *tuningJob) limit() int {
	if n := j.HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs; n != nil {
		return int(*n)
	}
	return maxTrials
}

// launch decides on at most n more trials.
func (j *tuningJob) launch(n int, now time.Time) bool {
	n = min(n, j.limit()-len(j.Trials))
	if n <= 0 {
		return false
	}
	known := map[string]bool{}
	for _, hyper := range j.Known {
		known[fingerprint(hyper)] = true
	}
	for i := range j.Trials {
		known[fingerprint(j.Trials[i].TunedHyperParameters)] = true
	}
	for range n {
		t := j.choose(func(hyper map[string]string) bool { return known[fingerprint(hyper)] })
		known[fingerprint(t.TunedHyperParameters)] = true
		name := j.trialName(len(j.Trials) + 1)
		t.TrainingJobName, t.CreationTime = &name, &now
		t.TrainingJobArn = aws.String(strings.TrimSuffix(*j.HyperParameterTuningJobArn, "hyper-parameter-tuning-job/"+*j.HyperParameterTuningJobName) + "training-job/" + name)
		t.TrainingJobDefinitionName = j.definitions()[t.Definition].DefinitionName
		t.TrainingJobStatus, t.ObjectiveStatus = types.TrainingJobStatusInProgress, types.ObjectiveStatusPending
		j.Trials = append(j.Trials, t)
	}
	j.LastModifiedTime = &now
	return true
}

// trialName is the name of the n-th training job, as SageMaker makes them: the
// tuning job's, a number and eight hexadecimal digits, which are the job's own
// so that a name is not given again when the tuning job is.
func (j *tuningJob) trialName(n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", *j.HyperParameterTuningJobArn, j.CreationTime.UnixNano(), n))
	return fmt.Sprintf("%s-%03d-%s", *j.HyperParameterTuningJobName, n, hex.EncodeToString(sum[:4]))
}

// choose gives the next trial its definition and hyperparameters. Definitions
// take turns in a random search; a grid goes through one after another.
func (j *tuningJob) choose(known func(map[string]string) bool) (t trial) {
	n := len(j.Trials)
	if j.HyperParameterTuningJobConfig.Strategy != types.HyperParameterTuningJobStrategyTypeGrid {
		t.Definition = n % len(j.definitions())
		t.TunedHyperParameters = j.space(t.Definition).draw(j.Seed, n, known)
		return t
	}
	for t.Definition = range j.definitions() {
		s := j.space(t.Definition)
		if n < s.combinations() {
			t.TunedHyperParameters = s.point(n)
			break
		}
		n -= s.combinations()
	}
	return t
}

// space is what a definition searches; it was checked when the job was made.
func (j *tuningJob) space(definition int) space {
	ranges := j.definitions()[definition].HyperParameterRanges
	if ranges == nil {
		ranges = j.HyperParameterTuningJobConfig.ParameterRanges
	}
	s, err := newSpace("ParameterRanges", ranges)
	if err != nil {
		panic("sagemaker: tuning job " + *j.HyperParameterTuningJobName + " was stored with bad ranges: " + err.Error())
	}
	return s
}
