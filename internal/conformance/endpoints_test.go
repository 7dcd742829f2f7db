package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/stretchr/testify/require"
)

// serveBill is more than a short-lived endpoint of one instance is charged for.
const serveBill = 30 * time.Minute

var configCases = []kase{
	{name: "endpoint configuration lives", covers: "CreateEndpointConfig DescribeEndpointConfig ListEndpointConfigs DeleteEndpointConfig", run: configLives},
	{name: "endpoint configuration is checked", covers: "CreateEndpointConfig DescribeEndpointConfig DeleteEndpointConfig", run: configChecked},
}

var endpointCases = []kase{
	{name: "endpoint lives", covers: "CreateEndpoint DescribeEndpoint ListEndpoints UpdateEndpoint DeleteEndpoint", run: endpointLives, bills: 2 * serveBill},
	{name: "weights change", covers: "UpdateEndpointWeightsAndCapacities DescribeEndpoint", run: weightsChange, bills: 3 * serveBill},
	{name: "endpoint is being made", covers: "CreateEndpoint DescribeEndpoint UpdateEndpoint DeleteEndpoint", run: slowEndpoint, bills: serveBill},
	{name: "broken model fails its endpoint", covers: "CreateEndpoint DescribeEndpoint UpdateEndpoint", run: brokenEndpoint, bills: 2 * serveBill},
	{name: "endpoint is checked", covers: "CreateEndpoint DescribeEndpoint UpdateEndpoint UpdateEndpointWeightsAndCapacities DeleteEndpoint ListEndpoints", run: endpointChecked},
}

func variant(name string, model *string, weight float32) types.ProductionVariant {
	return types.ProductionVariant{VariantName: &name, ModelName: model, InstanceType: types.ProductionVariantInstanceType(at.instance), InitialInstanceCount: aws.Int32(1), InitialVariantWeight: &weight}
}

func (c *cloud) endpointConfig(variants ...types.ProductionVariant) *string {
	c.Helper()
	name := c.name()
	out, err := c.sm.CreateEndpointConfig(c.Context(), &sagemaker.CreateEndpointConfigInput{EndpointConfigName: name, ProductionVariants: variants})
	require.NoError(c, err)
	require.Equal(c, fmt.Sprintf("arn:aws:sagemaker:%s:%s:endpoint-config/%s", at.sdk.Region, at.account, *name), *out.EndpointConfigArn)
	c.atEnd(func(ctx context.Context) error {
		_, err := c.sm.DeleteEndpointConfig(ctx, &sagemaker.DeleteEndpointConfigInput{EndpointConfigName: name})
		return gone(err)
	})
	return name
}

// endpoint makes one, which goes at the end of the case.
func (c *cloud) endpoint(config *string) *string {
	c.Helper()
	name := c.name()
	out, err := c.sm.CreateEndpoint(c.Context(), &sagemaker.CreateEndpointInput{EndpointName: name, EndpointConfigName: config})
	require.NoError(c, err)
	require.Equal(c, fmt.Sprintf("arn:aws:sagemaker:%s:%s:endpoint/%s", at.sdk.Region, at.account, *name), *out.EndpointArn)
	c.Cleanup(func() { // at any price: it costs as long as it is there
		ctx := context.Background()
		c.eventually("endpoint "+*name+" is deleted", func() bool {
			_, err := c.sm.DeleteEndpoint(ctx, &sagemaker.DeleteEndpointInput{EndpointName: name})
			return err != nil && gone(err) == nil
		})
	})
	return name
}

func (c *cloud) describeEndpoint(name *string) *sagemaker.DescribeEndpointOutput {
	c.Helper()
	out, err := c.sm.DescribeEndpoint(c.Context(), &sagemaker.DescribeEndpointInput{EndpointName: name})
	require.NoError(c, err)
	return out
}

// settled waits until an endpoint is no longer on its way.
func (c *cloud) settled(name *string, want types.EndpointStatus) (d *sagemaker.DescribeEndpointOutput) {
	c.Helper()
	c.eventually("endpoint "+*name+" settles", func() bool {
		d = c.describeEndpoint(name)
		return d.EndpointStatus == types.EndpointStatusInService || d.EndpointStatus == types.EndpointStatusFailed
	})
	require.Equal(c, want, d.EndpointStatus, aws.ToString(d.FailureReason))
	return d
}

func (c *cloud) ask(endpoint *string, body string) string {
	c.Helper()
	out, err := c.runtime.InvokeEndpoint(c.Context(), &sagemakerruntime.InvokeEndpointInput{EndpointName: endpoint, Body: []byte(body), ContentType: aws.String("text/csv")})
	require.NoError(c, err)
	return string(out.Body)
}

func configLives(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	model := c.model(bucket, "m")
	name := c.endpointConfig(variant("a", model, 1), variant("b", model, 3))
	d, err := c.sm.DescribeEndpointConfig(ctx, &sagemaker.DescribeEndpointConfigInput{EndpointConfigName: name})
	require.NoError(c, err)
	require.WithinDuration(c, time.Now(), *d.CreationTime, 15*time.Minute)
	require.Equal(c, []types.ProductionVariant{variant("a", model, 1), variant("b", model, 3)}, d.ProductionVariants)
	list, err := c.sm.ListEndpointConfigs(ctx, &sagemaker.ListEndpointConfigsInput{NameContains: name})
	require.NoError(c, err)
	require.Equal(c, *d.EndpointConfigArn, *list.EndpointConfigs[0].EndpointConfigArn)
	_, err = c.sm.CreateEndpointConfig(ctx, &sagemaker.CreateEndpointConfigInput{EndpointConfigName: name, ProductionVariants: d.ProductionVariants})
	c.refused(err, "ValidationException", fmt.Sprintf("Cannot create already existing endpoint configuration %q.", *d.EndpointConfigArn))
	_, err = c.sm.DeleteEndpointConfig(ctx, &sagemaker.DeleteEndpointConfigInput{EndpointConfigName: name})
	require.NoError(c, err)
	_, err = c.sm.DescribeEndpointConfig(ctx, &sagemaker.DescribeEndpointConfigInput{EndpointConfigName: name})
	c.refused(err, "ValidationException", fmt.Sprintf("Could not find endpoint configuration %q.", *d.EndpointConfigArn))
}

func configChecked(c *cloud) {
	ctx := c.Context()
	_, err := c.sm.DescribeEndpointConfig(ctx, &sagemaker.DescribeEndpointConfigInput{EndpointConfigName: aws.String("nowhere")})
	c.refused(err, "ValidationException", `Could not find endpoint configuration "arn:`)
	_, err = c.sm.DeleteEndpointConfig(ctx, &sagemaker.DeleteEndpointConfigInput{EndpointConfigName: aws.String("nowhere")})
	c.refused(err, "ValidationException", `Could not find endpoint configuration "arn:`)
	model := c.model(c.bucket(), "m")
	negative, none := variant("a", model, -1), variant("a", model, 1)
	none.InstanceType = "ml.none.large"
	var many []types.ProductionVariant
	for i := range 11 {
		many = append(many, variant(fmt.Sprint("v", i), model, 1))
	}
	for name, tt := range map[string]struct {
		variants []types.ProductionVariant
		says     string
	}{
		"missing model":     {[]types.ProductionVariant{variant("a", c.name(), 1)}, `Could not find model "arn:`},
		"negative weight":   {[]types.ProductionVariant{negative}, "1 validation error detected: Value '-1' at 'productionVariants.1.member.initialVariantWeight' failed to satisfy constraint: Member must have value greater than or equal to 0"},
		"unknown instance":  {[]types.ProductionVariant{none}, "at 'productionVariants.1.member.instanceType' failed to satisfy constraint: Member must satisfy enum value set: ["},
		"eleven variants":   {many, "at 'productionVariants' failed to satisfy constraint: Member must have length less than or equal to 10"},
		"name of a variant": {[]types.ProductionVariant{variant("under_score", model, 1)}, "1 validation error detected: Value 'under_score' at 'productionVariants.1.member.variantName' failed to satisfy constraint: Member must satisfy regular expression pattern: "},
	} {
		_, err := c.sm.CreateEndpointConfig(ctx, &sagemaker.CreateEndpointConfigInput{EndpointConfigName: c.name(), ProductionVariants: tt.variants})
		require.Error(c, err, name)
		c.refused(err, "ValidationException", tt.says)
	}
}

func endpointLives(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	red, blue := c.endpointConfig(variant("all", c.model(bucket, "red"), 1)), c.endpointConfig(variant("all", c.model(bucket, "blue"), 1))
	name := c.endpoint(red)
	_, err := c.sm.CreateEndpoint(ctx, &sagemaker.CreateEndpointInput{EndpointName: name, EndpointConfigName: red})
	c.refused(err, "ValidationException", fmt.Sprintf("Cannot create already existing endpoint \"arn:aws:sagemaker:%s:%s:endpoint/%s\".", at.sdk.Region, at.account, *name))
	d := c.settled(name, types.EndpointStatusInService)
	require.Equal(c, []any{*name, *red}, []any{*d.EndpointName, *d.EndpointConfigName})
	require.False(c, d.LastModifiedTime.Before(*d.CreationTime))
	v := d.ProductionVariants[0]
	require.Equal(c, []any{"all", float32(1), float32(1), int32(1), int32(1)}, []any{*v.VariantName, *v.CurrentWeight, *v.DesiredWeight, *v.CurrentInstanceCount, *v.DesiredInstanceCount})
	require.Equal(c, at.image, *v.DeployedImages[0].SpecifiedImage)
	require.Equal(c, "red<1>\n", c.ask(name, "1"))
	list, err := c.sm.ListEndpoints(ctx, &sagemaker.ListEndpointsInput{NameContains: name, StatusEquals: types.EndpointStatusInService})
	require.NoError(c, err)
	require.Equal(c, *d.EndpointArn, *list.Endpoints[0].EndpointArn)

	out, err := c.sm.UpdateEndpoint(ctx, &sagemaker.UpdateEndpointInput{EndpointName: name, EndpointConfigName: blue})
	require.NoError(c, err)
	require.Equal(c, *d.EndpointArn, *out.EndpointArn)
	d = c.settled(name, types.EndpointStatusInService)
	require.Equal(c, *blue, *d.EndpointConfigName)
	require.Equal(c, "blue<1>\n", c.ask(name, "1"))
	_, err = c.sm.DeleteEndpoint(ctx, &sagemaker.DeleteEndpointInput{EndpointName: name})
	require.NoError(c, err)
	c.eventually("the endpoint is gone", func() bool {
		_, err := c.sm.DescribeEndpoint(ctx, &sagemaker.DescribeEndpointInput{EndpointName: name})
		return err != nil && gone(err) == nil
	})
}

func weightsChange(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	name := c.endpoint(c.endpointConfig(variant("a", c.model(bucket, "a"), 1), variant("b", c.model(bucket, "b"), 1)))
	c.settled(name, types.EndpointStatusInService)
	out, err := c.sm.UpdateEndpointWeightsAndCapacities(ctx, &sagemaker.UpdateEndpointWeightsAndCapacitiesInput{EndpointName: name, DesiredWeightsAndCapacities: []types.DesiredWeightAndCapacity{
		{VariantName: aws.String("a"), DesiredWeight: aws.Float32(0)}, {VariantName: aws.String("b"), DesiredInstanceCount: aws.Int32(2)}}})
	require.NoError(c, err)
	d := c.settled(name, types.EndpointStatusInService)
	require.Equal(c, *d.EndpointArn, *out.EndpointArn)
	require.Equal(c, []any{float32(0), float32(1), int32(1), int32(2)}, []any{*d.ProductionVariants[0].CurrentWeight, *d.ProductionVariants[1].CurrentWeight,
		*d.ProductionVariants[0].CurrentInstanceCount, *d.ProductionVariants[1].CurrentInstanceCount})
	for range 20 {
		require.Equal(c, "b<1>\n", c.ask(name, "1"))
	}
	_, err = c.sm.UpdateEndpointWeightsAndCapacities(ctx, &sagemaker.UpdateEndpointWeightsAndCapacitiesInput{EndpointName: name, DesiredWeightsAndCapacities: []types.DesiredWeightAndCapacity{{VariantName: aws.String("c"), DesiredWeight: aws.Float32(1)}}})
	c.refused(err, "ValidationException", fmt.Sprintf("The variant name(s) \"c\" is/are not present within endpoint configuration \"arn:aws:sagemaker:%s:%s:endpoint-config/%s\".", at.sdk.Region, at.account, *d.EndpointConfigName))
}

func slowEndpoint(c *cloud) {
	ctx, config := c.Context(), c.endpointConfig(variant("all", c.model(c.bucket(), "slow"), 1))
	name := c.endpoint(config)
	_, err := c.sm.DeleteEndpoint(ctx, &sagemaker.DeleteEndpointInput{EndpointName: name})
	c.refused(err, "ValidationException", "Cannot update in-progress endpoint")
	_, err = c.sm.UpdateEndpoint(ctx, &sagemaker.UpdateEndpointInput{EndpointName: name, EndpointConfigName: config})
	c.refused(err, "ValidationException", "Cannot update in-progress endpoint")
	_, err = c.runtime.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{EndpointName: name, Body: []byte("1")})
	c.refused(err, "ValidationError", fmt.Sprintf("Endpoint %s of account %s not found.", *name, at.account))
	d := c.describeEndpoint(name)
	require.Equal(c, []any{types.EndpointStatusCreating, *config}, []any{d.EndpointStatus, *d.EndpointConfigName})
	c.settled(name, types.EndpointStatusInService)
}

func brokenEndpoint(c *cloud) {
	bucket := c.bucket()
	good := c.endpointConfig(variant("all", c.model(bucket, "good"), 1))
	name := c.endpoint(c.endpointConfig(variant("all", c.model(bucket, "broken"), 1)))
	d := c.settled(name, types.EndpointStatusFailed)
	require.Contains(c, *d.FailureReason, "container for production variant all did not pass the ping health check")
	_, err := c.sm.UpdateEndpoint(c.Context(), &sagemaker.UpdateEndpointInput{EndpointName: name, EndpointConfigName: good})
	require.Error(c, err, "a failed endpoint can only be deleted")
	require.Equal(c, 400, status(err))
}

func endpointChecked(c *cloud) {
	ctx := c.Context()
	for call, err := range map[string]error{
		"describe": func() error {
			_, err := c.sm.DescribeEndpoint(ctx, &sagemaker.DescribeEndpointInput{EndpointName: aws.String("nowhere")})
			return err
		}(),
		"delete": func() error {
			_, err := c.sm.DeleteEndpoint(ctx, &sagemaker.DeleteEndpointInput{EndpointName: aws.String("nowhere")})
			return err
		}(),
		"weights": func() error {
			_, err := c.sm.UpdateEndpointWeightsAndCapacities(ctx, &sagemaker.UpdateEndpointWeightsAndCapacitiesInput{EndpointName: aws.String("nowhere"), DesiredWeightsAndCapacities: []types.DesiredWeightAndCapacity{{VariantName: aws.String("a"), DesiredWeight: aws.Float32(1)}}})
			return err
		}(),
	} {
		require.Error(c, err, call)
		c.refused(err, "ValidationException", fmt.Sprintf("Could not find endpoint \"arn:aws:sagemaker:%s:%s:endpoint/nowhere\".", at.sdk.Region, at.account))
	}
	_, err := c.sm.CreateEndpoint(ctx, &sagemaker.CreateEndpointInput{EndpointName: c.name(), EndpointConfigName: aws.String("nowhere")})
	c.refused(err, "ValidationException", `Could not find endpoint configuration "arn:`)
	_, err = c.sm.UpdateEndpoint(ctx, &sagemaker.UpdateEndpointInput{EndpointName: aws.String("nowhere"), EndpointConfigName: aws.String("nowhere")})
	c.refused(err, "ValidationException", "Could not find ")
	_, err = c.sm.CreateEndpoint(ctx, &sagemaker.CreateEndpointInput{EndpointName: aws.String("under_score"), EndpointConfigName: aws.String("nowhere")})
	c.refused(err, "ValidationException", "at 'endpointName' failed to satisfy constraint")
	none, err := c.sm.ListEndpoints(ctx, &sagemaker.ListEndpointsInput{NameContains: c.name()})
	require.NoError(c, err)
	require.NotNil(c, none.Endpoints)
	require.Empty(c, none.Endpoints)
}
