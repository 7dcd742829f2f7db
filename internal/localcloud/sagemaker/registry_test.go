package sagemaker_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

func packageInput(group, token, url string) *sm.CreateModelPackageInput {
	return &sm.CreateModelPackageInput{ModelPackageGroupName: &group, ClientToken: &token, CustomerMetadataProperties: map[string]string{"release": "1"},
		InferenceSpecification: &types.InferenceSpecification{SupportedContentTypes: []string{"text/csv"}, SupportedResponseMIMETypes: []string{"text/csv"},
			Containers: []types.ModelPackageContainerDefinition{{Image: aws.String(image), ModelDataUrl: &url, Environment: map[string]string{"COLOUR": "green"}}}}}
}

func TestRegistry(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	ctx, url := t.Context(), "s3://data/models/red.tar.gz"
	_, err := c.sm.CreateModelPackage(ctx, packageInput("flight", "t0", url))
	refused(t, err, "ValidationException", "does not exist.")
	_, err = c.sm.CreateModelPackageGroup(ctx, &sm.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("flight")})
	require.NoError(t, err)
	_, err = c.sm.CreateModelPackageGroup(ctx, &sm.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("flight")})
	refused(t, err, "ValidationException", "Model Package Group already exists")

	one, err := c.sm.CreateModelPackage(ctx, packageInput("flight", "t1", url))
	require.NoError(t, err)
	require.Equal(t, "arn:aws:sagemaker:us-east-1:000000000000:model-package/flight/1", *one.ModelPackageArn)
	again, err := c.sm.CreateModelPackage(ctx, packageInput("flight", "t1", url))
	require.NoError(t, err)
	require.Equal(t, *one.ModelPackageArn, *again.ModelPackageArn, "a repeated token makes nothing")
	_, err = c.sm.CreateModelPackage(ctx, packageInput("flight", "t1", url+"x"))
	refused(t, err, "ValidationException", `ClientToken "t1" was used before`)
	two, err := c.sm.CreateModelPackage(ctx, packageInput("flight", "t2", url))
	require.NoError(t, err)

	d, err := c.sm.DescribeModelPackage(ctx, &sm.DescribeModelPackageInput{ModelPackageName: two.ModelPackageArn})
	require.NoError(t, err)
	require.Equal(t, int32(2), *d.ModelPackageVersion)
	require.Equal(t, types.ModelApprovalStatusPendingManualApproval, d.ModelApprovalStatus)
	require.Equal(t, types.ModelPackageStatusCompleted, d.ModelPackageStatus)
	_, err = c.sm.UpdateModelPackage(ctx, &sm.UpdateModelPackageInput{ModelPackageArn: two.ModelPackageArn, ModelApprovalStatus: types.ModelApprovalStatusApproved,
		ApprovalDescription: aws.String("by two people"), CustomerMetadataProperties: map[string]string{"evidence": "sha"}, CustomerMetadataPropertiesToRemove: []string{"release"}})
	require.NoError(t, err)
	d, err = c.sm.DescribeModelPackage(ctx, &sm.DescribeModelPackageInput{ModelPackageName: aws.String("flight/2")})
	require.NoError(t, err)
	require.Equal(t, types.ModelApprovalStatusApproved, d.ModelApprovalStatus)
	require.Equal(t, "by two people", *d.ApprovalDescription)
	require.Equal(t, map[string]string{"evidence": "sha"}, d.CustomerMetadataProperties)

	list, err := c.sm.ListModelPackages(ctx, &sm.ListModelPackagesInput{ModelPackageGroupName: aws.String("flight"), ModelApprovalStatus: types.ModelApprovalStatusApproved})
	require.NoError(t, err)
	require.Len(t, list.ModelPackageSummaryList, 1)
	require.Equal(t, *two.ModelPackageArn, *list.ModelPackageSummaryList[0].ModelPackageArn)

	_, err = c.sm.CreateModel(ctx, &sm.CreateModelInput{ModelName: aws.String("from-package"), Containers: []types.ContainerDefinition{{ModelPackageName: two.ModelPackageArn}}})
	require.NoError(t, err)
	c.config("c", production("from-package", 1))
	c.endpoint("e", "c")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, "green", c.answer("e", "", "env COLOUR"))

	_, err = c.sm.DeleteModelPackageGroup(ctx, &sm.DeleteModelPackageGroupInput{ModelPackageGroupName: aws.String("flight")})
	refused(t, err, "ConflictException", "still contains Model Packages")
	for _, arn := range []*string{one.ModelPackageArn, two.ModelPackageArn} {
		_, err = c.sm.DeleteModelPackage(ctx, &sm.DeleteModelPackageInput{ModelPackageName: arn})
		require.NoError(t, err)
	}
	_, err = c.sm.DescribeModelPackage(ctx, &sm.DescribeModelPackageInput{ModelPackageName: two.ModelPackageArn})
	refused(t, err, "ValidationException", "does not exist.")
	three, err := c.sm.CreateModelPackage(ctx, packageInput("flight", "t3", url))
	require.NoError(t, err)
	require.Contains(t, *three.ModelPackageArn, "flight/3", "versions are never given twice")
	_, err = c.sm.DeleteModelPackage(ctx, &sm.DeleteModelPackageInput{ModelPackageName: three.ModelPackageArn})
	require.NoError(t, err)
	_, err = c.sm.DeleteModelPackageGroup(ctx, &sm.DeleteModelPackageGroupInput{ModelPackageGroupName: aws.String("flight")})
	require.NoError(t, err)
	groups, err := c.sm.ListModelPackageGroups(ctx, &sm.ListModelPackageGroupsInput{})
	require.NoError(t, err)
	require.Empty(t, groups.ModelPackageGroupSummaryList)
}
