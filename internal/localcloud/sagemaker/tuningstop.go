package sagemaker

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// curve is the values of a training job's objective by epoch: every value in the
// log is one epoch's.
type curve struct {
	log    *scraper
	file   string
	values []float32
	whole  bool // the job has completed: there will be no more
}

func newCurve(objective types.MetricDefinition) *curve {
	c := &curve{log: newScraper([]types.MetricDefinition{objective})}
	c.log.heard = func(value float32) { c.values = append(c.values, value) }
	return c
}

// read takes in what a log has gained. A job that started over has a new log.
func (c *curve) read(file string) {
	if file != c.file {
		c.log.follow(file)
		c.file, c.values = file, nil
	}
	c.log.read()
}

// hopeless are the training jobs that early stopping ends, by the median rule.
func (s *Service) hopeless(j *tuningJob, curves map[string]*curve) (names []string) {
	var done [][]float32
	running := map[string][]float32{}
	for i := range j.Trials {
		t := &j.Trials[i]
		name := *t.TrainingJobName
		if !t.Launched {
			continue
		}
		if curves[name] == nil {
			curves[name] = newCurve(j.objectiveDefinition(t.Definition))
		}
		c, status := curves[name], t.TrainingJobStatus
		if !c.whole && (status == types.TrainingJobStatusCompleted || status == types.TrainingJobStatusInProgress) {
			job, err := s.store.training.get(name)
			if err != nil {
				continue // it was deleted
			}
			c.read(s.file(s.hostsOf(job)[0].log))
			c.whole = status == types.TrainingJobStatusCompleted
		}
		switch {
		case c.whole:
			done = append(done, c.values)
		case status == types.TrainingJobStatusInProgress:
			running[name] = c.values
		}
	}
	for name, values := range running {
		if belowMedian(values, done, j.goal()) {
			names = append(names, name)
		}
	}
	return names
}

// objectiveDefinition says how a definition's objective is found in a log.
func (j *tuningJob) objectiveDefinition(definition int) types.MetricDefinition {
	list := j.definitions()[definition].AlgorithmSpecification.MetricDefinitions
	i := slices.IndexFunc(list, func(m types.MetricDefinition) bool { return *m.Name == *j.objective(definition).MetricName })
	return list[i] // checked when the job was made
}

// belowMedian is the median rule: it reports whether a job's last value is worse
// than the median of the running averages of the completed jobs up to the same
// epoch. Jobs that had fewer epochs do not count. (SageMaker developer guide,
// "Stop Training Jobs Early"; Golovin et al., Google Vizier, KDD 2017, 3.2.2.)
func belowMedian(values []float32, completed [][]float32, goal types.HyperParameterTuningJobObjectiveType) bool {
	epochs := len(values)
	if epochs == 0 {
		return false
	}
	var averages []float64
	for _, other := range completed {
		if len(other) < epochs {
			continue
		}
		var sum float64
		for _, v := range other[:epochs] {
			sum += float64(v)
		}
		averages = append(averages, sum/float64(epochs))
	}
	if len(averages) == 0 {
		return false
	}
	slices.Sort(averages)
	n := len(averages)
	median := (averages[(n-1)/2] + averages[n/2]) / 2
	return better(goal, float32(median), values[epochs-1])
}
