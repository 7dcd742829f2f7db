package sagemaker

import (
	"errors"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/wire"
)

// AWS's limits of tuning jobs ("Resource limits for automatic model tuning" in
// the SageMaker developer guide).
const (
	maxTrials       = 750
	maxParallel     = 100
	maxParentTrials = 500
	maxHyper        = 100
)

func (s *Service) checkTuning(in *sm.CreateHyperParameterTuningJobInput) error {
	cfg := in.HyperParameterTuningJobConfig
	if err := first(
		only("", in, "HyperParameterTuningJobName", "HyperParameterTuningJobConfig", "TrainingJobDefinition", "TrainingJobDefinitions", "WarmStartConfig", "Tags"),
		only("HyperParameterTuningJobConfig.", cfg, "Strategy", "ResourceLimits", "HyperParameterTuningJobObjective", "ParameterRanges",
			"TrainingJobEarlyStoppingType", "TuningJobCompletionCriteria", "RandomSeed"),
		oneOf("HyperParameterTuningJobConfig.Strategy", cfg.Strategy, types.HyperParameterTuningJobStrategyTypeRandom,
			types.HyperParameterTuningJobStrategyTypeGrid, types.HyperParameterTuningJobStrategyTypeBayesian),
	); err != nil {
		return err
	}
	return first(checkCriteria(cfg.TuningJobCompletionCriteria), checkLimits(cfg.ResourceLimits, cfg.TuningJobCompletionCriteria, cfg.Strategy))
}

func checkCriteria(c *types.TuningJobCompletionCriteria) error {
	if c == nil {
		return nil
	}
	if d := c.ConvergenceDetected; d != nil && d.CompleteOnConvergence == types.CompleteOnConvergenceEnabled {
		return unsupported("TuningJobCompletionCriteria.ConvergenceDetected", "leave it out; BestObjectiveNotImproving is supported")
	}
	return nil
}

// checkLimits wants an end of the tuning job to be in sight.
func checkLimits(l *types.ResourceLimits, criteria *types.TuningJobCompletionCriteria, strategy types.HyperParameterTuningJobStrategyType) error {
	const quota = "The account-level service limit '%s' is %d, with a request of %d: lower it"
	switch {
	case *l.MaxParallelTrainingJobs > maxParallel:
		return wire.Errorf("ResourceLimitExceeded", quota, "Maximum number of parallel training jobs per hyperparameter tuning job", maxParallel, *l.MaxParallelTrainingJobs)
	case aws.ToInt32(l.MaxNumberOfTrainingJobs) > maxTrials:
		return wire.Errorf("ResourceLimitExceeded", quota, "Maximum number of training jobs per hyperparameter tuning job", maxTrials, *l.MaxNumberOfTrainingJobs)
	case l.MaxNumberOfTrainingJobs == nil && l.MaxRuntimeInSeconds == nil && criteria == nil && strategy != types.HyperParameterTuningJobStrategyTypeGrid:
		return invalid("ResourceLimits: give MaxNumberOfTrainingJobs, MaxRuntimeInSeconds or completion criteria, so that the tuning job ends")
	}
	return nil
}

// checkDefinitions checks what the training jobs of a new tuning job will be,
// and counts those of a grid.
func (s *Service) checkDefinitions(j *tuningJob) error {
	if (j.TrainingJobDefinition == nil) == (len(j.TrainingJobDefinitions) == 0) {
		return invalid("give either TrainingJobDefinition or TrainingJobDefinitions")
	}
	cfg := j.HyperParameterTuningJobConfig
	if j.TrainingJobDefinition == nil && (cfg.HyperParameterTuningJobObjective != nil || cfg.ParameterRanges != nil) {
		return invalid("HyperParameterTuningJobConfig: with TrainingJobDefinitions, each gives its own TuningObjective and HyperParameterRanges")
	}
	points, seen := 0, map[string]bool{}
	for i, d := range j.definitions() {
		name := aws.ToString(d.DefinitionName)
		if j.TrainingJobDefinition == nil && (name == "" || seen[name]) {
			return invalid("TrainingJobDefinitions: DefinitionName %q: each definition needs a name of its own", name)
		}
		seen[name] = true
		n, err := s.checkDefinition(j, i, &d)
		if err != nil {
			return err
		}
		points += n
	}
	if cfg.Strategy != types.HyperParameterTuningJobStrategyTypeGrid {
		return nil
	}
	if n := cfg.ResourceLimits.MaxNumberOfTrainingJobs; n != nil && int(*n) != points || points > maxTrials {
		return invalid("ResourceLimits.MaxNumberOfTrainingJobs: a grid has one training job for each of its %d combinations: leave it out; at most %d are allowed", points, maxTrials)
	}
	cfg.ResourceLimits.MaxNumberOfTrainingJobs = aws.Int32(int32(points))
	return nil
}

// checkDefinition checks one definition and gives the number of its combinations.
func (s *Service) checkDefinition(j *tuningJob, i int, d *types.HyperParameterTrainingJobDefinition) (int, error) {
	const path = "TrainingJobDefinition."
	if err := first(
		only(path+"AlgorithmSpecification.", d.AlgorithmSpecification, "TrainingImage", "TrainingInputMode", "MetricDefinitions"),
		checkObjective(j.objective(i), j.objective(0), d.AlgorithmSpecification.MetricDefinitions),
	); err != nil {
		return 0, err
	}
	ranges := d.HyperParameterRanges
	if ranges == nil {
		ranges = j.HyperParameterTuningJobConfig.ParameterRanges
	}
	searched, err := newSpace(path+"HyperParameterRanges", ranges)
	if err != nil {
		return 0, err
	}
	for _, dim := range searched {
		if _, ok := d.StaticHyperParameters[dim.name]; ok {
			return 0, invalid("%sStaticHyperParameters: %q has a range as well: give one of them", path, dim.name)
		}
	}
	if n := len(searched) + len(d.StaticHyperParameters); n > maxHyper {
		return 0, invalid("%sStaticHyperParameters: %d hyperparameters with those that are searched; at most %d are allowed", path, n, maxHyper)
	}
	points := searched.combinations()
	if j.HyperParameterTuningJobConfig.Strategy == types.HyperParameterTuningJobStrategyTypeGrid && points == 0 {
		return 0, invalid("%sHyperParameterRanges: Grid is for categorical ranges of at most %d combinations", path, maxTrials)
	}
	t := trial{Definition: i}
	t.TrainingJobName, t.TunedHyperParameters = aws.String(j.trialName(1)), map[string]string{}
	job, err := j.training(&t)
	if err != nil {
		return 0, err
	}
	return points, s.checkTraining(job)
}

// checkObjective wants a metric that is measured, and one goal for all
// definitions: the best of all is chosen by its value.
func checkObjective(o, of0 *types.HyperParameterTuningJobObjective, metrics []types.MetricDefinition) error {
	if o == nil || o.MetricName == nil || !slices.ContainsFunc(metrics, func(m types.MetricDefinition) bool { return aws.ToString(m.Name) == *o.MetricName }) {
		return invalid("A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric definitions.")
	}
	if o.Type != of0.Type {
		return invalid("TrainingJobDefinitions: TuningObjective.Type is %s for some and %s for others: training jobs could not be compared", of0.Type, o.Type)
	}
	return nil
}

// warmStart takes in what the parents have found. Combinations that they have
// tried are not tried again; where data and algorithm are the same, the best of
// them counts for OverallBestTrainingJob.
func (s *Service) warmStart(j *tuningJob) error {
	w := j.WarmStartConfig
	if w == nil {
		return nil
	}
	if j.HyperParameterTuningJobConfig.Strategy == types.HyperParameterTuningJobStrategyTypeGrid || j.TrainingJobDefinition == nil {
		return invalid("WarmStartConfig: a warm start needs the strategy Bayesian or Random and one TrainingJobDefinition")
	}
	for _, p := range w.ParentHyperParameterTuningJobs {
		parent, err := s.store.tunings.get(aws.ToString(p.HyperParameterTuningJobName))
		if errors.Is(err, errMissing) {
			return s.noTuning(p.HyperParameterTuningJobName)
		}
		if err == nil {
			err = j.inherit(parent, w.WarmStartType)
		}
		if err != nil {
			return err
		}
	}
	if n := len(j.Known); n > maxParentTrials {
		return invalid("WarmStartConfig: the parents launched %d training jobs; at most %d are allowed", n, maxParentTrials)
	}
	return nil
}

func (j *tuningJob) inherit(parent *tuningJob, kind types.HyperParameterTuningJobWarmStartType) error {
	name := *parent.HyperParameterTuningJobName
	ours, theirs := j.definitions()[0], parent.definitions()[0]
	count := func(j *tuningJob) int { return len(j.space(0)) + len(j.definitions()[0].StaticHyperParameters) }
	switch {
	case !parent.final():
		return invalid("WarmStartConfig: tuning job %s is in status %s: a parent must have ended", name, parent.HyperParameterTuningJobStatus)
	case !reflect.DeepEqual(j.objective(0), parent.objective(0)):
		return invalid("WarmStartConfig: the objective must be that of tuning job %s", name)
	case count(j) != count(parent):
		return invalid("WarmStartConfig: %d static and searched hyperparameters, but %d in tuning job %s: the number must be the same", count(j), count(parent), name)
	}
	if kind == types.HyperParameterTuningJobWarmStartTypeIdenticalDataAndAlgorithm {
		if !reflect.DeepEqual(ours.InputDataConfig, theirs.InputDataConfig) ||
			untagged(*ours.AlgorithmSpecification.TrainingImage) != untagged(*theirs.AlgorithmSpecification.TrainingImage) {
			return invalid("WarmStartConfig: IdenticalDataAndAlgorithm needs the InputDataConfig and TrainingImage of tuning job %s: use them, or TransferLearning", name)
		}
		for _, theirs := range []*types.HyperParameterTrainingJobSummary{parent.best(), parent.Parent} {
			value, ok := metric(theirs)
			record, any := metric(j.Parent)
			if ok && (!any || better(j.goal(), value, record)) {
				j.Parent = theirs
			}
		}
	}
	for i := range parent.Trials {
		j.Known = append(j.Known, parent.Trials[i].TunedHyperParameters)
	}
	return nil
}
