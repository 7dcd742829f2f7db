package autoscaling_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/stretchr/testify/require"
)

const scaled = types.ScalableDimensionSageMakerVariantDesiredInstanceCount

func target(edit ...func(*aas.RegisterScalableTargetInput)) *aas.RegisterScalableTargetInput {
	in := &aas.RegisterScalableTargetInput{ServiceNamespace: "sagemaker", ResourceId: aws.String(resource), ScalableDimension: scaled, MinCapacity: aws.Int32(1), MaxCapacity: aws.Int32(3)}
	for _, e := range edit {
		e(in)
	}
	return in
}

func TestBadTargets(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	for name, tt := range map[string]struct {
		edit func(*aas.RegisterScalableTargetInput)
		code string
		says string
	}{
		"other namespace":   {func(in *aas.RegisterScalableTargetInput) { in.ServiceNamespace = "ecs" }, "", `ServiceNamespace "ecs" is not supported by the local cloud`},
		"no such namespace": {func(in *aas.RegisterScalableTargetInput) { in.ServiceNamespace = "moon" }, "", "Member must satisfy enum value set"},
		"other dimension": {func(in *aas.RegisterScalableTargetInput) {
			in.ScalableDimension = types.ScalableDimensionSageMakerInferenceComponentDesiredCopyCount
		}, "", `ScalableDimension "sagemaker:inference-component:DesiredCopyCount" is not supported by the local cloud`},
		"foreign dimension": {func(in *aas.RegisterScalableTargetInput) {
			in.ScalableDimension = types.ScalableDimensionECSServiceDesiredCount
		}, "", "Unsupported service namespace, resource type or scalable dimension"},
		"other resource":    {func(in *aas.RegisterScalableTargetInput) { in.ResourceId = aws.String("table/t") }, "", "Unsupported service namespace, resource type or scalable dimension"},
		"no endpoint":       {func(in *aas.RegisterScalableTargetInput) { in.ResourceId = aws.String("endpoint/none/variant/v") }, "", `Could not find endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/none".`},
		"no variant":        {func(in *aas.RegisterScalableTargetInput) { in.ResourceId = aws.String("endpoint/e/variant/w") }, "", `The variant name "w" does not exist for endpoint`},
		"no minimum":        {func(in *aas.RegisterScalableTargetInput) { in.MinCapacity = nil }, "", "Value null at 'minCapacity'"},
		"no maximum":        {func(in *aas.RegisterScalableTargetInput) { in.MaxCapacity = nil }, "", "Value null at 'maxCapacity'"},
		"to zero":           {func(in *aas.RegisterScalableTargetInput) { in.MinCapacity = aws.Int32(0) }, "", "Minimum capacity 0"},
		"maximum too small": {func(in *aas.RegisterScalableTargetInput) { in.MinCapacity = aws.Int32(4) }, "", "Maximum capacity cannot be less than minimum capacity"},
		"tag of AWS's":      {func(in *aas.RegisterScalableTargetInput) { in.Tags = map[string]string{"aws:x": "y"} }, "", "aws: prefixed"},
		"tag that is too long": {func(in *aas.RegisterScalableTargetInput) {
			in.Tags = map[string]string{strings.Repeat("k", 129): "y"}
		}, "", "Map keys must satisfy constraint: [Member must have length less than or equal to 128"},
		"too many tags": {func(in *aas.RegisterScalableTargetInput) {
			in.Tags = map[string]string{}
			for i := range 51 {
				in.Tags[fmt.Sprint(i)] = ""
			}
		}, "TooManyTagsException", "51 tags"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.aas.RegisterScalableTarget(t.Context(), target(tt.edit))
			code := tt.code
			if code == "" {
				code = "ValidationException"
			}
			refused(t, err, code, tt.says)
		})
	}
	out, err := c.aas.DescribeScalableTargets(t.Context(), &aas.DescribeScalableTargetsInput{ServiceNamespace: "sagemaker"})
	require.NoError(t, err)
	require.Empty(t, out.ScalableTargets)
	_, err = c.aas.DeregisterScalableTarget(t.Context(), &aas.DeregisterScalableTargetInput{ServiceNamespace: "sagemaker", ResourceId: aws.String(resource), ScalableDimension: scaled})
	refused(t, err, "ObjectNotFoundException", "No scalable target found for service namespace: sagemaker, resource ID: endpoint/e/variant/v, scalable dimension: sagemaker:variant:DesiredInstanceCount")
}

// custom is a policy on a metric of one's own.
func custom(edit ...func(*types.CustomizedMetricSpecification)) func(*aas.PutScalingPolicyInput) {
	m := &types.CustomizedMetricSpecification{Namespace: aws.String("Mine"), MetricName: aws.String("queue"), Statistic: types.MetricStatisticAverage}
	for _, e := range edit {
		e(m)
	}
	return func(in *aas.PutScalingPolicyInput) {
		t := in.TargetTrackingScalingPolicyConfiguration
		t.PredefinedMetricSpecification, t.CustomizedMetricSpecification = nil, m
	}
}

func track(edit func(*types.TargetTrackingScalingPolicyConfiguration)) func(*aas.PutScalingPolicyInput) {
	return func(in *aas.PutScalingPolicyInput) { edit(in.TargetTrackingScalingPolicyConfiguration) }
}

func TestBadPolicies(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	_, err := c.aas.PutScalingPolicy(t.Context(), invocations())
	refused(t, err, "ObjectNotFoundException", "No scalable target registered for service namespace: sagemaker, resource ID: endpoint/e/variant/v")
	c.register(1, 3)
	c.follow(invocations())
	for name, tt := range map[string]struct {
		edit func(*aas.PutScalingPolicyInput)
		says string
	}{
		"step scaling": {func(in *aas.PutScalingPolicyInput) { in.PolicyType = types.PolicyTypeStepScaling }, `PolicyType "StepScaling" is not supported by the local cloud`},
		"step scaling, too": {func(in *aas.PutScalingPolicyInput) {
			in.StepScalingPolicyConfiguration = &types.StepScalingPolicyConfiguration{}
		}, "StepScalingPolicyConfiguration is not supported"},
		"no type": {func(in *aas.PutScalingPolicyInput) { in.PolicyType = "" }, `PolicyType "StepScaling", the default, is not supported`},
		"predictive": {func(in *aas.PutScalingPolicyInput) {
			in.PredictiveScalingPolicyConfiguration = &types.PredictiveScalingPolicyConfiguration{MetricSpecifications: []types.PredictiveScalingMetricSpecification{}}
		}, "PredictiveScalingPolicyConfiguration is not supported"},
		"no configuration":   {func(in *aas.PutScalingPolicyInput) { in.TargetTrackingScalingPolicyConfiguration = nil }, "Value null at 'targetTrackingScalingPolicyConfiguration'"},
		"long name":          {func(in *aas.PutScalingPolicyInput) { in.PolicyName = aws.String(strings.Repeat("n", 257)) }, "at 'policyName'"},
		"no metric":          {track(func(t *types.TargetTrackingScalingPolicyConfiguration) { t.PredefinedMetricSpecification = nil }), "give either PredefinedMetricSpecification or CustomizedMetricSpecification"},
		"target of zero":     {track(func(t *types.TargetTrackingScalingPolicyConfiguration) { t.TargetValue = aws.Float64(0) }), "TargetValue 0"},
		"target of infinity": {track(func(t *types.TargetTrackingScalingPolicyConfiguration) { t.TargetValue = aws.Float64(math.Inf(1)) }), "TargetValue +Inf"},
		"negative cooldown":  {track(func(t *types.TargetTrackingScalingPolicyConfiguration) { t.ScaleInCooldown = aws.Int32(-1) }), "ScaleInCooldown -1"},
		"other metric": {track(func(t *types.TargetTrackingScalingPolicyConfiguration) {
			t.PredefinedMetricSpecification.PredefinedMetricType = types.MetricTypeECSServiceAverageCPUUtilization
		}), `PredefinedMetricType "ECSServiceAverageCPUUtilization" is not supported by the local cloud`},
		"label": {track(func(t *types.TargetTrackingScalingPolicyConfiguration) {
			t.PredefinedMetricSpecification.ResourceLabel = aws.String("app/x")
		}), "ResourceLabel"},
		"metric math": {custom(func(m *types.CustomizedMetricSpecification) {
			m.Metrics = []types.TargetTrackingMetricDataQuery{{Id: aws.String("m")}}
		}), "CustomizedMetricSpecification.Metrics is not supported"},
		"no statistic": {custom(func(m *types.CustomizedMetricSpecification) { m.Statistic = "" }), "customizedMetricSpecification.statistic'"},
		"unknown unit": {custom(func(m *types.CustomizedMetricSpecification) { m.Unit = aws.String("Furlong") }), "Unit \"Furlong\""},
		"bad dimension": {custom(func(m *types.CustomizedMetricSpecification) {
			m.Dimensions = []types.MetricDimension{{Name: aws.String("a"), Value: aws.String("")}}
		}), "must have a Name and a Value"},
		"same metric": {func(*aas.PutScalingPolicyInput) {}, "Only one TargetTrackingScaling policy for a given metric specification is allowed."},
	} {
		t.Run(name, func(t *testing.T) {
			in := invocations(func(in *aas.PutScalingPolicyInput) { in.PolicyName = aws.String("other") }, tt.edit)
			_, err := c.aas.PutScalingPolicy(t.Context(), in)
			refused(t, err, "ValidationException", tt.says)
		})
	}
	_, err = c.aas.DeleteScalingPolicy(t.Context(), &aas.DeleteScalingPolicyInput{PolicyName: aws.String("other"), ServiceNamespace: "sagemaker", ResourceId: aws.String(resource), ScalableDimension: scaled})
	refused(t, err, "ObjectNotFoundException", "No scaling policy found for service namespace: sagemaker, resource ID: endpoint/e/variant/v, scalable dimension: sagemaker:variant:DesiredInstanceCount, policy name: other")
	list, err := c.aas.DescribeScalingPolicies(t.Context(), &aas.DescribeScalingPoliciesInput{ServiceNamespace: "sagemaker"})
	require.NoError(t, err)
	require.Len(t, list.ScalingPolicies, 1)
}

func TestLimitOfPolicies(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	c.register(1, 3)
	put := func(i int) error {
		_, err := c.aas.PutScalingPolicy(t.Context(), invocations(custom(func(m *types.CustomizedMetricSpecification) { m.MetricName = aws.String(fmt.Sprint("m", i)) }),
			func(in *aas.PutScalingPolicyInput) { in.PolicyName = aws.String(fmt.Sprintf("p%02d", i)) }))
		return err
	}
	for i := range 50 {
		require.NoError(t, put(i))
	}
	refused(t, put(50), "LimitExceededException", "50 scaling policies")
	require.NoError(t, put(7), "one that is there can be changed")

	var names []string
	pages := aas.NewDescribeScalingPoliciesPaginator(c.aas, &aas.DescribeScalingPoliciesInput{ServiceNamespace: "sagemaker"})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.ScalingPolicies), 10)
		for _, p := range page.ScalingPolicies {
			names = append(names, *p.PolicyName)
		}
	}
	require.Len(t, names, 50)
	require.IsIncreasing(t, names)
	one, err := c.aas.DescribeScalingPolicies(t.Context(), &aas.DescribeScalingPoliciesInput{ServiceNamespace: "sagemaker", ResourceId: aws.String(resource), ScalableDimension: scaled, PolicyNames: []string{"p07"}})
	require.NoError(t, err)
	require.Equal(t, "m7", *one.ScalingPolicies[0].TargetTrackingScalingPolicyConfiguration.CustomizedMetricSpecification.MetricName)
	_, err = c.aas.DescribeScalingPolicies(t.Context(), &aas.DescribeScalingPoliciesInput{ServiceNamespace: "sagemaker", MaxResults: aws.Int32(11)})
	refused(t, err, "ValidationException", "Value '11' at 'maxResults'")
	_, err = c.aas.DescribeScalingPolicies(t.Context(), &aas.DescribeScalingPoliciesInput{ServiceNamespace: "sagemaker", NextToken: aws.String("!")})
	refused(t, err, "InvalidNextTokenException", "'!'")

	_, err = c.aas.DeregisterScalableTarget(t.Context(), &aas.DeregisterScalableTargetInput{ServiceNamespace: "sagemaker", ResourceId: aws.String(resource), ScalableDimension: scaled})
	require.NoError(t, err)
	left, err := c.aas.DescribeScalingPolicies(t.Context(), &aas.DescribeScalingPoliciesInput{ServiceNamespace: "sagemaker"})
	require.NoError(t, err)
	require.Empty(t, left.ScalingPolicies, "they go with their target")
}

func TestTargetIsDescribed(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	in := target(func(in *aas.RegisterScalableTargetInput) {
		in.Tags, in.RoleARN = map[string]string{"team": "a"}, aws.String("arn:aws:iam::000000000000:role/r")
		in.SuspendedState = &types.SuspendedState{DynamicScalingInSuspended: aws.Bool(true)}
	})
	made, err := c.aas.RegisterScalableTarget(t.Context(), in)
	require.NoError(t, err)
	require.Regexp(t, `^arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/[a-z0-9]{35}$`, *made.ScalableTargetARN)
	again, err := c.aas.RegisterScalableTarget(t.Context(), &aas.RegisterScalableTargetInput{ServiceNamespace: "sagemaker", ResourceId: aws.String(resource), ScalableDimension: scaled, MaxCapacity: aws.Int32(4)})
	require.NoError(t, err)
	require.Equal(t, *made.ScalableTargetARN, *again.ScalableTargetARN)
	out, err := c.aas.DescribeScalableTargets(t.Context(), &aas.DescribeScalableTargetsInput{ServiceNamespace: "sagemaker", ResourceIds: []string{resource}, ScalableDimension: scaled})
	require.NoError(t, err)
	d := out.ScalableTargets[0]
	require.Equal(t, []any{resource, int32(1), int32(4), true, false, false},
		[]any{*d.ResourceId, *d.MinCapacity, *d.MaxCapacity, *d.SuspendedState.DynamicScalingInSuspended, *d.SuspendedState.DynamicScalingOutSuspended, *d.SuspendedState.ScheduledScalingSuspended})
	require.Contains(t, *d.RoleARN, "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
	for _, none := range []*aas.DescribeScalableTargetsInput{{ServiceNamespace: "ecs"}, {ServiceNamespace: "sagemaker", ResourceIds: []string{"endpoint/x/variant/v"}}} {
		out, err = c.aas.DescribeScalableTargets(t.Context(), none)
		require.NoError(t, err)
		require.Empty(t, out.ScalableTargets)
	}

	_, err = c.aas.TagResource(t.Context(), &aas.TagResourceInput{ResourceARN: made.ScalableTargetARN, Tags: map[string]string{"stage": "b"}})
	require.NoError(t, err)
	_, err = c.aas.UntagResource(t.Context(), &aas.UntagResourceInput{ResourceARN: made.ScalableTargetARN, TagKeys: []string{"team"}})
	require.NoError(t, err)
	tags, err := c.aas.ListTagsForResource(t.Context(), &aas.ListTagsForResourceInput{ResourceARN: made.ScalableTargetARN})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"stage": "b"}, tags.Tags)
	_, err = c.aas.ListTagsForResource(t.Context(), &aas.ListTagsForResourceInput{ResourceARN: aws.String(*made.ScalableTargetARN + "x")})
	refused(t, err, "ResourceNotFoundException", *made.ScalableTargetARN+"x")
}
