package autoscaling

import (
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func checkPolicy(in *aas.PutScalingPolicyInput) error {
	if err := checkResource(in.ServiceNamespace, in.ResourceId, in.ScalableDimension); err != nil {
		return err
	}
	switch {
	case in.PolicyType != "" && in.PolicyType != types.PolicyTypeTargetTrackingScaling:
		return unsupported("PolicyType \""+string(in.PolicyType)+"\"", "use TargetTrackingScaling")
	case in.StepScalingPolicyConfiguration != nil:
		return unsupported("StepScalingPolicyConfiguration", "use TargetTrackingScalingPolicyConfiguration")
	case in.PredictiveScalingPolicyConfiguration != nil:
		return unsupported("PredictiveScalingPolicyConfiguration", "use TargetTrackingScalingPolicyConfiguration")
	case in.TargetTrackingScalingPolicyConfiguration == nil:
		return nil
	}
	return checkTracking(in.TargetTrackingScalingPolicyConfiguration)
}

// maxTarget bounds target values, by the API reference.
var maxTarget = math.Pow(2, 360)

func checkTracking(t *types.TargetTrackingScalingPolicyConfiguration) error {
	const at = "TargetTrackingScalingPolicyConfiguration."
	if v := *t.TargetValue; !(v > 0 && v <= maxTarget) {
		return invalid(at+"TargetValue %v: it must be above 0 and at most 2^360", v)
	}
	for _, c := range []struct {
		name  string
		value *int32
	}{{"ScaleInCooldown", t.ScaleInCooldown}, {"ScaleOutCooldown", t.ScaleOutCooldown}} {
		if aws.ToInt32(c.value) < 0 {
			return invalid(at+"%s %d: it must be a number of seconds, 0 or more", c.name, *c.value)
		}
	}
	switch pre, custom := t.PredefinedMetricSpecification, t.CustomizedMetricSpecification; {
	case (pre == nil) == (custom == nil):
		return invalid("TargetTrackingScalingPolicyConfiguration: give either PredefinedMetricSpecification or CustomizedMetricSpecification")
	case pre != nil:
		return checkPredefined(pre)
	default:
		return checkCustomized(custom)
	}
}

func checkPredefined(m *types.PredefinedMetricSpecification) error {
	switch {
	case m.PredefinedMetricType != types.MetricTypeSageMakerVariantInvocationsPerInstance:
		return unsupported("PredefinedMetricType \""+string(m.PredefinedMetricType)+"\"", "use SageMakerVariantInvocationsPerInstance, or a CustomizedMetricSpecification")
	case m.ResourceLabel != nil:
		return invalid("ResourceLabel %q: it goes with the metric type ALBRequestCountPerTarget only; leave it out", *m.ResourceLabel)
	}
	return nil
}

func checkCustomized(m *types.CustomizedMetricSpecification) error {
	if m.Metrics != nil {
		return unsupported("CustomizedMetricSpecification.Metrics", "name one metric by Namespace, MetricName, Dimensions and Statistic")
	}
	for _, f := range []struct {
		name  string
		given bool
	}{{"metricName", m.MetricName != nil}, {"namespace", m.Namespace != nil}, {"statistic", m.Statistic != ""}} {
		if err := required("targetTrackingScalingPolicyConfiguration.customizedMetricSpecification."+f.name, f.given); err != nil {
			return err
		}
	}
	if unit := cwtypes.StandardUnit(aws.ToString(m.Unit)); unit != "" && !slices.Contains(unit.Values(), unit) {
		return invalid("CustomizedMetricSpecification.Unit %q: it is one of %v", unit, unit.Values())
	}
	return nil
}
