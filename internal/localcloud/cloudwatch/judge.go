package cloudwatch

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// missingData is the default of TreatMissingData.
const missingData = "missing"

// spare is how many periods beyond EvaluationPeriods are looked at for data that is
// missing in the last ones: AWS does not say how many it takes, its examples show 2.
const spare = 2

// comparison is an operator with its words in a reason.
type comparison struct {
	holds func(value, threshold float64) bool
	words string
}

var comparisons = map[types.ComparisonOperator]comparison{
	types.ComparisonOperatorGreaterThanThreshold:          {func(v, t float64) bool { return v > t }, "greater than"},
	types.ComparisonOperatorGreaterThanOrEqualToThreshold: {func(v, t float64) bool { return v >= t }, "greater than or equal to"},
	types.ComparisonOperatorLessThanThreshold:             {func(v, t float64) bool { return v < t }, "less than"},
	types.ComparisonOperatorLessThanOrEqualToThreshold:    {func(v, t float64) bool { return v <= t }, "less than or equal to"},
}

// sample is one period that an alarm looks at; known is false if there is no data.
type sample struct {
	at           time.Time
	value, count float64
	known        bool
}

// verdict is what an evaluation finds: a state, or none if the alarm is to stay as
// it is, and the periods that it rests on, the newest first.
type verdict struct {
	state  types.StateValue
	used   []sample
	filled int // periods without data that count as TreatMissingData says
}

// judge decides the state of an alarm from its evaluation range, the newest period
// first, by "How alarm state is evaluated when data is missing" of the CloudWatch
// user guide.
func judge(x *types.MetricAlarm, samples []sample) verdict {
	n := int(*x.EvaluationPeriods)
	m := int(cmp.Or(aws.ToInt32(x.DatapointsToAlarm), *x.EvaluationPeriods))
	known := slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return !s.known })
	v := verdict{used: known[:min(n, len(known))], filled: max(n-len(known), 0)}
	if tooFew(x, v.used) {
		return v
	}
	breaching, oldest := 0, 0 // oldest is the age of the oldest breaching one, in periods
	for _, s := range v.used {
		if comparisons[x.ComparisonOperator].holds(s.value, *x.Threshold) {
			breaching++
			oldest = 1 + slices.IndexFunc(samples, func(o sample) bool { return o.at.Equal(s.at) })
		}
	}
	treat := cmp.Or(aws.ToString(x.TreatMissingData), missingData)
	if treat == "breaching" {
		breaching += v.filled
	}
	switch {
	case breaching >= m:
		v.state = types.StateValueAlarm
	case v.filled == 0 || treat == "breaching" || treat == "notBreaching" || breaching < len(v.used):
		v.state = types.StateValueOk
	case treat == missingData && len(v.used) == 0:
		v.state = types.StateValueInsufficientData
	case treat == missingData && oldest >= m: // "premature alarm state"
		v.state = types.StateValueAlarm
	}
	return v
}

// tooFew tells whether an alarm on a percentile has to wait for more values, by
// "Percentile-based alarms and low data samples" of the CloudWatch user guide.
func tooFew(x *types.MetricAlarm, used []sample) bool {
	if aws.ToString(x.EvaluateLowSampleCountPercentile) != "ignore" {
		return false
	}
	p, _ := strconv.ParseFloat((*x.ExtendedStatistic)[1:], 64) // the name was checked
	p /= 100
	need := 10 / p
	if p >= 0.5 {
		need = 10 / (1 - p)
	}
	return slices.ContainsFunc(used, func(s sample) bool { return s.count < need })
}
