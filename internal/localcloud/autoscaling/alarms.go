package autoscaling

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	awscw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/cloudwatch"
	"steward/internal/localcloud/wire"
)

// How a target tracking policy watches its metric: 3 minutes above the target to
// scale out, 15 minutes under 90 % of it to scale in, as AWS's alarms have it.
const (
	period      = 60 // seconds
	highPeriods = 3
	lowPeriods  = 15
	lowShare    = 0.9
)

// metricOf is the metric that a policy tracks.
func metricOf(p *policy) types.CustomizedMetricSpecification {
	if m := p.Tracking.CustomizedMetricSpecification; m != nil {
		return *m
	}
	endpoint, variant := variantOf(p.Resource)
	return types.CustomizedMetricSpecification{Namespace: aws.String("AWS/SageMaker"), MetricName: aws.String("InvocationsPerInstance"), Statistic: types.MetricStatisticSum,
		Dimensions: []types.MetricDimension{{Name: aws.String("EndpointName"), Value: &endpoint}, {Name: aws.String("VariantName"), Value: &variant}}}
}

// alarmsOf are the alarms of a policy: high and low.
func (s *Service) alarmsOf(p *policy) []*awscw.PutMetricAlarmInput {
	alarm := func(name string, periods int32, compare cwtypes.ComparisonOperator, threshold float64) *awscw.PutMetricAlarmInput {
		m := metricOf(p)
		in := &awscw.PutMetricAlarmInput{AlarmName: &name, AlarmActions: []string{p.ARN},
			AlarmDescription: aws.String(fmt.Sprintf("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy %s.", p.ARN)),
			Namespace:        m.Namespace, MetricName: m.MetricName, Statistic: cwtypes.Statistic(m.Statistic), Unit: cwtypes.StandardUnit(aws.ToString(m.Unit)),
			Period: aws.Int32(period), EvaluationPeriods: &periods, Threshold: &threshold, ComparisonOperator: compare}
		for _, d := range m.Dimensions {
			in.Dimensions = append(in.Dimensions, cwtypes.Dimension{Name: d.Name, Value: d.Value})
		}
		return in
	}
	at := *p.Tracking.TargetValue
	return []*awscw.PutMetricAlarmInput{
		alarm(p.High, highPeriods, cwtypes.ComparisonOperatorGreaterThanThreshold, at),
		alarm(p.Low, lowPeriods, cwtypes.ComparisonOperatorLessThanThreshold, lowShare*at),
	}
}

func (s *Service) alarmNames(p *policy) []types.Alarm {
	var list []types.Alarm
	for _, name := range []string{p.High, p.Low} {
		list = append(list, types.Alarm{AlarmName: &name, AlarmARN: aws.String(fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", s.cfg.Region, s.cfg.Account, name))})
	}
	return list
}

// checkAlarm refuses, in the words of this service, an alarm that CloudWatch would.
func checkAlarm(alarm *awscw.PutMetricAlarmInput) error { return reword(cloudwatch.CheckAlarm(alarm)) }

// reword gives another service's refusal as one of this service.
func reword(err error) error {
	if refused, ok := errors.AsType[*wire.Error](err); ok {
		return invalid("%s", refused.Message)
	}
	return err
}

// restoreAlarms makes the alarms of a policy that are not there, or not as it wants
// them.
func (s *Service) restoreAlarms(p *policy) error {
	for _, alarm := range s.alarmsOf(p) {
		if _, found := s.cfg.Alarms.AlarmState(*alarm.AlarmName); !found || p.Unarmed {
			return s.arm(p)
		}
	}
	return nil
}

// arm makes or changes the alarms of a policy, and notes it.
func (s *Service) arm(p *policy) error {
	for _, alarm := range s.alarmsOf(p) {
		if err := s.cfg.Alarms.PutOwned(alarm); err != nil {
			return err
		}
	}
	p.Unarmed = false
	return s.db.Update(func(tx *bolt.Tx) error { return write(tx, policyBucket, p.key(), p) })
}
