package sagemaker

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

const (
	// maxRanges is AWS's limit of hyperparameters that one tuning job searches.
	maxRanges = 30
	// wide is the ratio of a range's ends from which Auto means Logarithmic.
	wide = 1000
	// maxRedraws is how often a combination that is known already is drawn anew.
	maxRedraws = 100
)

// dimension is one hyperparameter that is searched. Its value is chosen by a
// draw that is uniform in [0, 1).
type dimension struct {
	name   string
	values []string // of a categorical one
	value  func(draw float64) string
}

// space is what a training job definition searches.
type space []dimension

// newSpace reads the ranges; path is the request's name for them.
func newSpace(path string, r *types.ParameterRanges) (space, error) {
	if r == nil {
		return nil, invalid("%s: at least one range is required", path)
	}
	if err := only(path+".", r, "IntegerParameterRanges", "ContinuousParameterRanges", "CategoricalParameterRanges"); err != nil {
		return nil, err
	}
	var s space
	add := func(d dimension, err error) error {
		s = append(s, d)
		return err
	}
	for i := range r.CategoricalParameterRanges {
		s = append(s, categorical(&r.CategoricalParameterRanges[i]))
	}
	for i := range r.IntegerParameterRanges {
		if err := add(integers(path, &r.IntegerParameterRanges[i])); err != nil {
			return nil, err
		}
	}
	for i := range r.ContinuousParameterRanges {
		if err := add(continuous(path, &r.ContinuousParameterRanges[i])); err != nil {
			return nil, err
		}
	}
	return s, s.check(path)
}

func (s space) check(path string) error {
	if n := len(s); n == 0 || n > maxRanges {
		return invalid("%s: %d ranges; 1 to %d are allowed", path, n, maxRanges)
	}
	seen := map[string]bool{}
	for _, d := range s {
		if seen[d.name] {
			return invalid("%s: %q has more than one range", path, d.name)
		}
		seen[d.name] = true
	}
	return nil
}

func categorical(r *types.CategoricalParameterRange) dimension {
	return dimension{*r.Name, r.Values, func(draw float64) string { return r.Values[int(draw*float64(len(r.Values)))] }}
}

func integers(path string, r *types.IntegerParameterRange) (dimension, error) {
	path += ".IntegerParameterRanges"
	low, badLow := strconv.ParseInt(*r.MinValue, 10, 32)
	high, badHigh := strconv.ParseInt(*r.MaxValue, 10, 32)
	if badLow != nil || badHigh != nil || low > high {
		return dimension{}, invalid("%s: %q goes from %q to %q: want whole numbers of 32 bits, the smaller one first", path, *r.Name, *r.MinValue, *r.MaxValue)
	}
	if r.ScalingType == types.HyperParameterScalingTypeReverseLogarithmic {
		return dimension{}, invalid("%s: %q: ReverseLogarithmic is for continuous ranges only", path, *r.Name)
	}
	// Half a step around the ends gives each number its full share.
	scale, err := newScale(path, *r.Name, r.ScalingType, float64(low), float64(high), 0.5)
	return dimension{name: *r.Name, value: func(draw float64) string {
		n := int64(math.Round(scale(draw)))
		return strconv.FormatInt(min(max(n, low), high), 10)
	}}, err
}

func continuous(path string, r *types.ContinuousParameterRange) (dimension, error) {
	path += ".ContinuousParameterRanges"
	low, badLow := strconv.ParseFloat(*r.MinValue, 64)
	high, badHigh := strconv.ParseFloat(*r.MaxValue, 64)
	if badLow != nil || badHigh != nil || !(low <= high) || math.IsInf(high-low, 0) {
		return dimension{}, invalid("%s: %q goes from %q to %q: want finite numbers, the smaller one first", path, *r.Name, *r.MinValue, *r.MaxValue)
	}
	scale, err := newScale(path, *r.Name, r.ScalingType, low, high, 0)
	return dimension{name: *r.Name, value: func(draw float64) string {
		return strconv.FormatFloat(min(max(scale(draw), low), high), 'g', -1, 64)
	}}, err
}

// newScale maps a draw to a value between low and high, widened by margin at
// both ends. The scales and their limits are those of "Hyperparameter scaling"
// in the SageMaker developer guide; what Auto chooses is not published.
func newScale(path, name string, kind types.HyperParameterScalingType, low, high, margin float64) (func(float64) float64, error) {
	positive := low > 0
	lowest, highest := low-margin, high+margin
	switch kind {
	case types.HyperParameterScalingTypeLogarithmic:
		if !positive {
			return nil, invalid("%s: %q begins at %v: Logarithmic is for ranges above 0 only", path, name, low)
		}
	case types.HyperParameterScalingTypeReverseLogarithmic:
		if low < 0 || high >= 1 {
			return nil, invalid("%s: %q goes from %v to %v: ReverseLogarithmic is for ranges from 0 to less than 1 only", path, name, low, high)
		}
		a, b := math.Log1p(-low), math.Log1p(-high)
		return func(draw float64) float64 { return -math.Expm1(a + draw*(b-a)) }, nil
	case types.HyperParameterScalingTypeLinear:
		positive = false
	default: // Auto
		positive = positive && high/low >= wide
	}
	if positive {
		a, b := math.Log(lowest), math.Log(highest)
		return func(draw float64) float64 { return math.Exp(a + draw*(b-a)) }, nil
	}
	return func(draw float64) float64 { return lowest + draw*(highest-lowest) }, nil
}

// draw chooses the hyperparameters of the n-th training job. The same seed and n
// give the same, whenever they are asked for; combinations that are known are
// drawn anew while there seem to be others.
func (s space) draw(seed uint64, n int, known func(map[string]string) bool) map[string]string {
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	for try := 0; ; try++ {
		chosen := make(map[string]string, len(s))
		for _, d := range s {
			chosen[d.name] = d.value(random.Float64())
		}
		if try == maxRedraws || !known(chosen) {
			return chosen
		}
	}
}

// combinations is how many points a grid over categories has; 0 when some range
// is not categorical or when there are more than fit into one tuning job.
func (s space) combinations() int {
	n := 1
	for _, d := range s {
		if n *= len(d.values); n > maxTrials {
			return 0
		}
	}
	return n
}

// point is the n-th point of the grid, the last dimension changing fastest.
func (s space) point(n int) map[string]string {
	chosen := make(map[string]string, len(s))
	for i := len(s) - 1; i >= 0; i-- {
		d := s[i]
		chosen[d.name] = d.values[n%len(d.values)]
		n /= len(d.values)
	}
	return chosen
}

// fingerprint tells combinations apart.
func fingerprint(hyper map[string]string) string {
	data, err := json.Marshal(hyper)
	if err != nil {
		panic("sagemaker: a map of strings that JSON cannot write: " + err.Error())
	}
	return string(data)
}

// better reports whether a value is better than another one.
func better(goal types.HyperParameterTuningJobObjectiveType, a, b float32) bool {
	if goal == types.HyperParameterTuningJobObjectiveTypeMinimize {
		return a < b
	}
	return a > b
}

// metric is the value of a summary's objective; false if there is none.
func metric(t *types.HyperParameterTrainingJobSummary) (float32, bool) {
	if t == nil || t.FinalHyperParameterTuningJobObjectiveMetric == nil {
		return 0, false
	}
	return aws.ToFloat32(t.FinalHyperParameterTuningJobObjectiveMetric.Value), true
}
