package conformance

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

var scalingCases = []kase{
	{name: "scalable target lives", covers: "RegisterScalableTarget DescribeScalableTargets DeregisterScalableTarget TagResource UntagResource ListTagsForResource", run: targetLives, bills: serveBill},
	{name: "scaling policy lives", covers: "PutScalingPolicy DescribeScalingPolicies DeleteScalingPolicy", run: policyLives, bills: serveBill},
	{name: "capacity is brought within bounds", covers: "RegisterScalableTarget DescribeScalingActivities", run: boundsFollowed, bills: 3 * serveBill},
	{name: "deleted endpoint is not scaled", covers: "RegisterScalableTarget DescribeScalableTargets", run: scaledEndpointGoes, bills: serveBill},
	{name: "scaling is checked", covers: "RegisterScalableTarget DeregisterScalableTarget PutScalingPolicy DeleteScalingPolicy DescribeScalableTargets DescribeScalingPolicies DescribeScalingActivities ListTagsForResource", run: scalingChecked, bills: serveBill},
}

// What is scaled in these cases.
const (
	scaledService = types.ServiceNamespaceSagemaker
	scaledCount   = types.ScalableDimensionSageMakerVariantDesiredInstanceCount
)

// scaled makes an endpoint with a variant "all" of one instance, and gives its name
// and what scaling calls the variant.
func (c *cloud) scaled() (endpoint, resource *string) {
	c.Helper()
	endpoint = c.endpoint(c.endpointConfig(variant("all", c.model(c.bucket(), "m"), 1)))
	c.settled(endpoint, smtypes.EndpointStatusInService)
	return endpoint, aws.String("endpoint/" + *endpoint + "/variant/all")
}

// scalable makes a scalable target, which goes at the end of the case.
func (c *cloud) scalable(resource *string, least, most int32) *string {
	c.Helper()
	out, err := c.scaling.RegisterScalableTarget(c.Context(), &applicationautoscaling.RegisterScalableTargetInput{ServiceNamespace: scaledService, ResourceId: resource,
		ScalableDimension: scaledCount, MinCapacity: &least, MaxCapacity: &most})
	require.NoError(c, err)
	c.atEnd(func(ctx context.Context) error {
		_, err := c.scaling.DeregisterScalableTarget(ctx, &applicationautoscaling.DeregisterScalableTargetInput{ServiceNamespace: scaledService, ResourceId: resource, ScalableDimension: scaledCount})
		return err
	})
	return out.ScalableTargetARN
}

func (c *cloud) targets(resource *string) []types.ScalableTarget {
	c.Helper()
	out, err := c.scaling.DescribeScalableTargets(c.Context(), &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: scaledService, ResourceIds: []string{*resource}, ScalableDimension: scaledCount})
	require.NoError(c, err)
	return out.ScalableTargets
}

// tracked is a policy of a thousand invocations an instance and minute.
func tracked(resource *string) *applicationautoscaling.PutScalingPolicyInput {
	return &applicationautoscaling.PutScalingPolicyInput{PolicyName: aws.String("invocations"), ServiceNamespace: scaledService, ResourceId: resource, ScalableDimension: scaledCount,
		PolicyType: types.PolicyTypeTargetTrackingScaling, TargetTrackingScalingPolicyConfiguration: &types.TargetTrackingScalingPolicyConfiguration{
			TargetValue: aws.Float64(1000), ScaleInCooldown: aws.Int32(600), ScaleOutCooldown: aws.Int32(60),
			PredefinedMetricSpecification: &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeSageMakerVariantInvocationsPerInstance}}}
}

func targetLives(c *cloud) {
	ctx := c.Context()
	_, resource := c.scaled()
	arn := c.scalable(resource, 1, 2)
	require.Regexp(c, fmt.Sprintf("^arn:aws:application-autoscaling:%s:%s:scalable-target/[a-zA-Z0-9-]+$", at.sdk.Region, at.account), *arn)
	_, err := c.scaling.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{ServiceNamespace: scaledService, ResourceId: resource, ScalableDimension: scaledCount,
		MaxCapacity: aws.Int32(3), SuspendedState: &types.SuspendedState{DynamicScalingInSuspended: aws.Bool(true)}})
	require.NoError(c, err)
	list := c.targets(resource)
	require.Len(c, list, 1)
	d := list[0]
	require.Equal(c, []any{*arn, *resource, scaledService, scaledCount, int32(1), int32(3)},
		[]any{*d.ScalableTargetARN, *d.ResourceId, d.ServiceNamespace, d.ScalableDimension, *d.MinCapacity, *d.MaxCapacity})
	require.Equal(c, []bool{true, false, false}, []bool{*d.SuspendedState.DynamicScalingInSuspended, *d.SuspendedState.DynamicScalingOutSuspended, *d.SuspendedState.ScheduledScalingSuspended})
	require.Contains(c, *d.RoleARN, "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
	_, err = c.scaling.TagResource(ctx, &applicationautoscaling.TagResourceInput{ResourceARN: arn, Tags: map[string]string{"a": "1", "b": "2"}})
	require.NoError(c, err)
	_, err = c.scaling.UntagResource(ctx, &applicationautoscaling.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"a"}})
	require.NoError(c, err)
	tags, err := c.scaling.ListTagsForResource(ctx, &applicationautoscaling.ListTagsForResourceInput{ResourceARN: arn})
	require.NoError(c, err)
	require.Equal(c, map[string]string{"b": "2"}, tags.Tags)
	_, err = c.scaling.DeregisterScalableTarget(ctx, &applicationautoscaling.DeregisterScalableTargetInput{ServiceNamespace: scaledService, ResourceId: resource, ScalableDimension: scaledCount})
	require.NoError(c, err)
	require.Empty(c, c.targets(resource))
}

func policyLives(c *cloud) {
	ctx := c.Context()
	_, resource := c.scaled()
	c.scalable(resource, 1, 2)
	in := tracked(resource)
	put, err := c.scaling.PutScalingPolicy(ctx, in)
	require.NoError(c, err)
	require.Regexp(c, fmt.Sprintf("^arn:aws:autoscaling:%s:%s:scalingPolicy:[0-9a-f-]+:resource/sagemaker/%s:policyName/invocations$", at.sdk.Region, at.account, *resource), *put.PolicyARN)
	require.Len(c, put.Alarms, 2)
	seen := map[cwtypes.ComparisonOperator][]any{}
	for _, a := range put.Alarms {
		require.Contains(c, *a.AlarmName, "TargetTracking-"+*resource+"-Alarm")
		alarm := c.describeAlarm(a.AlarmName)
		require.Equal(c, []string{*put.PolicyARN}, alarm.AlarmActions)
		seen[alarm.ComparisonOperator] = []any{*alarm.EvaluationPeriods, *alarm.Threshold}
	}
	require.Equal(c, map[cwtypes.ComparisonOperator][]any{cwtypes.ComparisonOperatorGreaterThanThreshold: {int32(3), 1000.0}, cwtypes.ComparisonOperatorLessThanThreshold: {int32(15), 900.0}}, seen)

	list, err := c.scaling.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{ServiceNamespace: scaledService, ResourceId: resource, ScalableDimension: scaledCount})
	require.NoError(c, err)
	require.Len(c, list.ScalingPolicies, 1)
	d := list.ScalingPolicies[0]
	require.Equal(c, []any{*put.PolicyARN, "invocations", types.PolicyTypeTargetTrackingScaling, 1000.0, int32(600), int32(60)},
		[]any{*d.PolicyARN, *d.PolicyName, d.PolicyType, *d.TargetTrackingScalingPolicyConfiguration.TargetValue,
			*d.TargetTrackingScalingPolicyConfiguration.ScaleInCooldown, *d.TargetTrackingScalingPolicyConfiguration.ScaleOutCooldown})
	other := tracked(resource)
	other.PolicyName = aws.String("other")
	_, err = c.scaling.PutScalingPolicy(ctx, other)
	c.refused(err, "ValidationException", "Only one TargetTrackingScaling policy for a given metric specification is allowed.")

	remove := &applicationautoscaling.DeleteScalingPolicyInput{PolicyName: in.PolicyName, ServiceNamespace: scaledService, ResourceId: resource, ScalableDimension: scaledCount}
	_, err = c.scaling.DeleteScalingPolicy(ctx, remove)
	require.NoError(c, err)
	_, err = c.scaling.DeleteScalingPolicy(ctx, remove)
	c.refused(err, "ObjectNotFoundException", "No scaling policy found for service namespace: sagemaker, resource ID: "+*resource)
	alarms, err := c.metrics.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("TargetTracking-" + *resource)})
	require.NoError(c, err)
	require.Empty(c, alarms.MetricAlarms)
}

func boundsFollowed(c *cloud) {
	endpoint, resource := c.scaled()
	c.scalable(resource, 2, 2)
	var a types.ScalingActivity
	c.eventually("the capacity is set", func() bool {
		out, err := c.scaling.DescribeScalingActivities(c.Context(), &applicationautoscaling.DescribeScalingActivitiesInput{ServiceNamespace: scaledService, ResourceId: resource, ScalableDimension: scaledCount})
		require.NoError(c, err)
		if len(out.ScalingActivities) > 0 {
			a = out.ScalingActivities[0]
		}
		return a.StatusCode == types.ScalingActivityStatusCodeSuccessful
	})
	require.Equal(c, []any{"Setting desired instance count to 2.", "minimum capacity was set to 2", "Successfully set desired instance count to 2. Change successfully fulfilled by sagemaker."},
		[]any{*a.Description, *a.Cause, *a.StatusMessage})
	require.False(c, a.EndTime.Before(*a.StartTime))
	v := c.settled(endpoint, smtypes.EndpointStatusInService).ProductionVariants[0]
	require.Equal(c, []int32{2, 2}, []int32{*v.CurrentInstanceCount, *v.DesiredInstanceCount})
}

func scaledEndpointGoes(c *cloud) {
	endpoint, resource := c.scaled()
	c.scalable(resource, 1, 2)
	_, err := c.sm.DeleteEndpoint(c.Context(), &sagemaker.DeleteEndpointInput{EndpointName: endpoint})
	require.NoError(c, err)
	c.eventually("the target is deregistered", func() bool { return len(c.targets(resource)) == 0 })
}

func scalingChecked(c *cloud) {
	ctx := c.Context()
	_, resource := c.scaled()
	for says, edit := range map[string]func(*applicationautoscaling.RegisterScalableTargetInput){
		"Unsupported service namespace, resource type or scalable dimension": func(in *applicationautoscaling.RegisterScalableTargetInput) { in.ResourceId = aws.String("table/t") },
		"": func(in *applicationautoscaling.RegisterScalableTargetInput) { in.MinCapacity = aws.Int32(3) },
		"ould not find": func(in *applicationautoscaling.RegisterScalableTargetInput) {
			in.ResourceId = aws.String("endpoint/" + *c.name() + "/variant/all")
		},
	} {
		in := &applicationautoscaling.RegisterScalableTargetInput{ServiceNamespace: scaledService, ResourceId: resource, ScalableDimension: scaledCount, MinCapacity: aws.Int32(1), MaxCapacity: aws.Int32(2)}
		edit(in)
		_, err := c.scaling.RegisterScalableTarget(ctx, in)
		c.refused(err, "ValidationException", says)
	}
	_, err := c.scaling.PutScalingPolicy(ctx, tracked(resource))
	c.refused(err, "ObjectNotFoundException", "No scalable target registered for service namespace: sagemaker, resource ID: "+*resource+", scalable dimension: sagemaker:variant:DesiredInstanceCount")
	_, err = c.scaling.DeregisterScalableTarget(ctx, &applicationautoscaling.DeregisterScalableTargetInput{ServiceNamespace: scaledService, ResourceId: resource, ScalableDimension: scaledCount})
	c.refused(err, "ObjectNotFoundException", "No scalable target found for service namespace: sagemaker, resource ID: "+*resource)
	_, err = c.scaling.DeleteScalingPolicy(ctx, &applicationautoscaling.DeleteScalingPolicyInput{PolicyName: aws.String("p"), ServiceNamespace: scaledService, ResourceId: resource, ScalableDimension: scaledCount})
	c.refused(err, "ObjectNotFoundException", "No scaling policy found for service namespace: sagemaker")
	_, err = c.scaling.DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: scaledService, MaxResults: aws.Int32(51)})
	c.refused(err, "ValidationException", "")
	_, err = c.scaling.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{ServiceNamespace: scaledService, NextToken: aws.String("!")})
	c.refused(err, "InvalidNextTokenException", "")
	_, err = c.scaling.DescribeScalingActivities(ctx, &applicationautoscaling.DescribeScalingActivitiesInput{ServiceNamespace: scaledService, NextToken: aws.String("!")})
	c.refused(err, "InvalidNextTokenException", "")
	_, err = c.scaling.ListTagsForResource(ctx, &applicationautoscaling.ListTagsForResourceInput{
		ResourceARN: aws.String(fmt.Sprintf("arn:aws:application-autoscaling:%s:%s:scalable-target/1234abcd56ab78cd901ef1234567890ab123", at.sdk.Region, at.account))})
	c.refused(err, "ResourceNotFoundException", "")
}
