package cloudwatch

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"steward/internal/localcloud/wire"
)

const (
	maxNames       = 100
	defaultRecords = 50
	maxRecords     = 100
)

// describe lists alarms in the order of their names. A token is the last name of
// the page before.
func (a *Alarms) describe(_ context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	switch {
	case in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil:
		return nil, wrong("ChildrenOfAlarmName and ParentsOfAlarmName are not supported by the local cloud: composite alarms are not offered; leave them out")
	case len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil:
		return nil, wire.Errorf("InvalidParameterCombination", "The parameters AlarmNames and AlarmNamePrefix are mutually exclusive.")
	case len(in.AlarmNames) > maxNames:
		return nil, wrong("AlarmNames has %d entries, at most %d are allowed.", len(in.AlarmNames), maxNames)
	}
	limit, err := records(in.MaxRecords)
	if err != nil {
		return nil, err
	}
	list, err := a.all()
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{}}
	if len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm) {
		return out, nil
	}
	for _, x := range list {
		if *x.AlarmName <= aws.ToString(in.NextToken) || !chosen(x, in) {
			continue
		}
		if len(out.MetricAlarms) == limit {
			out.NextToken = out.MetricAlarms[limit-1].AlarmName
			break
		}
		out.MetricAlarms = append(out.MetricAlarms, x.MetricAlarm)
	}
	return out, nil
}

func chosen(x *alarm, in *cloudwatch.DescribeAlarmsInput) bool {
	return (len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, *x.AlarmName)) &&
		strings.HasPrefix(*x.AlarmName, aws.ToString(in.AlarmNamePrefix)) &&
		(in.StateValue == "" || in.StateValue == x.StateValue) &&
		(in.ActionPrefix == nil || slices.ContainsFunc(slices.Concat(x.OKActions, x.AlarmActions, x.InsufficientDataActions),
			func(action string) bool { return strings.HasPrefix(action, *in.ActionPrefix) }))
}

func records(n *int32) (int, error) {
	if n == nil {
		return defaultRecords, nil
	}
	if *n < 1 || *n > maxRecords {
		return 0, wrong("1 validation error detected: Value '%d' at 'maxRecords' failed to satisfy constraint: Member must be between 1 and %d", *n, maxRecords)
	}
	return int(*n), nil
}

func (a *Alarms) describeForMetric(_ context.Context, in *cloudwatch.DescribeAlarmsForMetricInput) (*cloudwatch.DescribeAlarmsForMetricOutput, error) {
	if aws.ToString(in.Namespace) == "" || aws.ToString(in.MetricName) == "" {
		return nil, wrong("The parameters Namespace and MetricName are required.")
	}
	dims, err := dimensions("request", in.Dimensions)
	if err != nil {
		return nil, err
	}
	metric := series{Namespace: *in.Namespace, Name: *in.MetricName, Dimensions: dims}.key()
	list, err := a.all()
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmsForMetricOutput{MetricAlarms: []types.MetricAlarm{}}
	for _, x := range list {
		if x.metric() == metric && (in.Statistic == "" || in.Statistic == x.Statistic) && (in.Unit == "" || in.Unit == x.Unit) &&
			(in.Period == nil || *in.Period == *x.Period) && (in.ExtendedStatistic == nil || *in.ExtendedStatistic == aws.ToString(x.ExtendedStatistic)) {
			out.MetricAlarms = append(out.MetricAlarms, x.MetricAlarm)
		}
	}
	return out, nil
}

// metric is the key of the series that an alarm watches, whatever its unit.
func (x *alarm) metric() string {
	dims := map[string]string{}
	for _, d := range x.Dimensions {
		dims[*d.Name] = *d.Value
	}
	return series{Namespace: *x.Namespace, Name: *x.MetricName, Dimensions: dims}.key()
}
