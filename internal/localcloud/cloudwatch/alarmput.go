package cloudwatch

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// Limits of PutMetricAlarm in the CloudWatch API reference.
const (
	maxAlarmName   = 255
	maxDescription = 1024
	maxActions     = 5
	maxTags        = 50
)

// watchable is the longest time an alarm may look at, by its period.
func watchable(period time.Duration) time.Duration {
	switch {
	case period < time.Minute: // as long as seconds are kept
		return 3 * time.Hour
	case period < time.Hour:
		return 24 * time.Hour
	default:
		return 7 * 24 * time.Hour
	}
}

func wrong(format string, args ...any) error { return wire.Errorf("ValidationError", format, args...) }

// put makes an alarm or replaces what it watches. Its state is left as it is until
// it is evaluated, which is at once.
func (a *Alarms) put(_ context.Context, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	if err := a.check(in); err != nil {
		return nil, err
	}
	return &cloudwatch.PutMetricAlarmOutput{}, a.keep(in)
}

// keep stores a checked alarm.
func (a *Alarms) keep(in *cloudwatch.PutMetricAlarmInput) error {
	name, now := *in.AlarmName, a.cfg.Now().UTC()
	err := a.db.Update(func(tx *bolt.Tx) error {
		old, err := readAlarm(tx, name)
		if err != nil && !errors.Is(err, errNoAlarm) {
			return err
		}
		x := a.made(in, old, now)
		if err := writeAlarm(tx, x); err != nil {
			return err
		}
		return recordConfiguration(tx, old, x, now)
	})
	if err == nil {
		a.evaluateSoon(name)
	}
	return err
}

// made is the alarm that a request describes, in the state of the old one.
func (a *Alarms) made(in *cloudwatch.PutMetricAlarmInput, old *alarm, now time.Time) *alarm {
	x := &alarm{MetricAlarm: types.MetricAlarm{
		AlarmName: in.AlarmName, AlarmArn: aws.String(a.arn(*in.AlarmName)), AlarmDescription: in.AlarmDescription,
		AlarmConfigurationUpdatedTimestamp: &now, ActionsEnabled: aws.Bool(in.ActionsEnabled == nil || *in.ActionsEnabled),
		OKActions: orEmpty(in.OKActions), AlarmActions: orEmpty(in.AlarmActions), InsufficientDataActions: orEmpty(in.InsufficientDataActions),
		MetricName: in.MetricName, Namespace: in.Namespace, Statistic: in.Statistic, ExtendedStatistic: in.ExtendedStatistic,
		Dimensions: orEmpty(in.Dimensions), Period: in.Period, Unit: in.Unit, EvaluationPeriods: in.EvaluationPeriods,
		DatapointsToAlarm: in.DatapointsToAlarm, Threshold: in.Threshold, ComparisonOperator: in.ComparisonOperator,
		TreatMissingData: in.TreatMissingData, EvaluateLowSampleCountPercentile: in.EvaluateLowSampleCountPercentile,
		StateValue: types.StateValueInsufficientData, StateReason: aws.String("Unchecked: Initial alarm creation"),
		StateUpdatedTimestamp: &now, StateTransitionedTimestamp: &now,
	}, Tags: map[string]string{}}
	if old != nil { // tags are for new alarms only, as on AWS
		x.StateValue, x.StateReason, x.StateReasonData = old.StateValue, old.StateReason, old.StateReasonData
		x.StateUpdatedTimestamp, x.StateTransitionedTimestamp, x.Tags = old.StateUpdatedTimestamp, old.StateTransitionedTimestamp, old.Tags
		return x
	}
	for _, t := range in.Tags {
		x.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return x
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (a *Alarms) check(in *cloudwatch.PutMetricAlarmInput) error {
	if err := CheckAlarm(in); err != nil {
		return err
	}
	return a.checkActions(in)
}

// CheckAlarm refuses, with a [wire.Error], an alarm that PutMetricAlarm would refuse
// whatever its actions.
func CheckAlarm(in *cloudwatch.PutMetricAlarmInput) error {
	for _, check := range []func(*cloudwatch.PutMetricAlarmInput) error{checkOffered, checkNames, checkStatistic, checkPeriods, checkThreshold} {
		if err := check(in); err != nil {
			return err
		}
	}
	return checkTags(in.Tags)
}

// checkOffered refuses the kinds of alarms that are not offered.
func checkOffered(in *cloudwatch.PutMetricAlarmInput) error {
	v := reflect.ValueOf(in).Elem()
	for _, kind := range []struct{ field, what string }{
		{"Metrics", "metric math and queries are"}, {"ThresholdMetricId", "anomaly detection is"},
		{"EvaluationCriteria", "alarms on queries are"}, {"EvaluationInterval", "alarms on queries are"},
		{"EvaluationWindow", "evaluation windows are"}, {"WarmUpConfiguration", "warming up is"}, {"ActionConfiguration", "configuring actions is"},
	} {
		if !v.FieldByName(kind.field).IsZero() {
			return wrong("%s is not supported by the local cloud: %s not offered; name one metric by Namespace, MetricName and Dimensions", kind.field, kind.what)
		}
	}
	return nil
}

func checkNames(in *cloudwatch.PutMetricAlarmInput) error {
	name := aws.ToString(in.AlarmName)
	switch {
	case name == "" || len(name) > maxAlarmName || strings.ContainsFunc(name, unicode.IsControl):
		return wrong("1 validation error detected: Value '%s' at 'alarmName' failed to satisfy constraint: Member must have 1 to %d characters that are not control characters", name, maxAlarmName)
	case len(aws.ToString(in.AlarmDescription)) > maxDescription:
		return wrong("1 validation error detected: Value at 'alarmDescription' failed to satisfy constraint: Member must have length less than or equal to %d", maxDescription)
	case aws.ToString(in.Namespace) == "" || aws.ToString(in.MetricName) == "":
		return wrong("The parameters Namespace and MetricName are required.")
	}
	_, err := dimensions("request", in.Dimensions)
	return err
}

func checkStatistic(in *cloudwatch.PutMetricAlarmInput) error {
	extended := aws.ToString(in.ExtendedStatistic)
	switch {
	case in.Statistic == "" && extended == "":
		return wrong("The parameter Statistic or ExtendedStatistic is required.")
	case in.Statistic != "" && extended != "":
		return wire.Errorf("InvalidParameterCombination", "The parameters Statistic and ExtendedStatistic are mutually exclusive.")
	}
	low := aws.ToString(in.EvaluateLowSampleCountPercentile)
	switch {
	case extended == "" && low != "":
		return wrong("EvaluateLowSampleCountPercentile %q is for alarms on percentiles only.", low)
	case extended == "":
		return nil
	case !percentileName.MatchString(extended):
		return wrong("ExtendedStatistic %q is not supported by the local cloud: use a percentile such as p99.9", extended)
	case !slices.Contains([]string{"", "evaluate", "ignore"}, low):
		return wrong("EvaluateLowSampleCountPercentile %q is not one of evaluate and ignore.", low)
	}
	return nil
}

func checkPeriods(in *cloudwatch.PutMetricAlarmInput) error {
	p, n, m := aws.ToInt32(in.Period), aws.ToInt32(in.EvaluationPeriods), aws.ToInt32(in.DatapointsToAlarm)
	period := time.Duration(p) * time.Second
	most := watchable(period)
	switch {
	case in.Period == nil || in.EvaluationPeriods == nil:
		return wrong("The parameters Period and EvaluationPeriods are required.")
	case !slices.Contains([]int32{10, 20, 30}, p) && (p <= 0 || p%60 != 0):
		return wrong("Period must be 10, 20, 30 or a multiple of 60, not %d.", p)
	case n < 1:
		return wrong("EvaluationPeriods %d is not a positive number.", n)
	case in.DatapointsToAlarm != nil && (m < 1 || m > n):
		return wrong("DatapointsToAlarm %d is not a number from 1 to EvaluationPeriods %d.", m, n)
	case time.Duration(n) > most/period:
		return wrong("Metrics cannot be checked across more than %d seconds (EvaluationPeriods * Period must be <= %[1]d for a Period of %d).", most/time.Second, p)
	}
	return nil
}

func checkThreshold(in *cloudwatch.PutMetricAlarmInput) error {
	switch {
	case in.ComparisonOperator == "" || in.Threshold == nil:
		return wrong("The parameters ComparisonOperator and Threshold are required.")
	case comparisons[in.ComparisonOperator].holds == nil:
		return wrong("ComparisonOperator %q is not supported by the local cloud: anomaly detection is not offered; compare with a Threshold", in.ComparisonOperator)
	case !slices.Contains([]string{"", missingData, "ignore", "breaching", "notBreaching"}, aws.ToString(in.TreatMissingData)):
		return wrong("TreatMissingData %q is not one of breaching, notBreaching, ignore and missing.", *in.TreatMissingData)
	}
	return nil
}

func (a *Alarms) checkActions(in *cloudwatch.PutMetricAlarmInput) error {
	for _, actions := range [][]string{in.OKActions, in.AlarmActions, in.InsufficientDataActions} {
		if len(actions) > maxActions {
			return wrong("%d actions are given, at most %d are allowed.", len(actions), maxActions)
		}
		for _, action := range actions {
			if a.cfg.Topics == nil || !isTopic(action) {
				return wrong("Action %q is not supported by the local cloud: name an SNS topic", action)
			}
		}
	}
	return nil
}
