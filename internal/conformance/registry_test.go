package conformance

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

var registryCases = []kase{
	{name: "package group lives", covers: "CreateModelPackageGroup DescribeModelPackageGroup ListModelPackageGroups DeleteModelPackageGroup", run: groupLives},
	{name: "package lives", covers: "CreateModelPackage DescribeModelPackage ListModelPackages UpdateModelPackage DeleteModelPackage", run: packageLives},
	{name: "package is made once", covers: "CreateModelPackage", run: packageOnce},
	{name: "package is approved", covers: "UpdateModelPackage DescribeModelPackage ListModelPackages", run: packageApproved},
	{name: "package becomes a model", covers: "CreateModelPackage CreateModel DescribeModel", run: packageModel},
	{name: "registry is missing", covers: "DescribeModelPackageGroup DeleteModelPackageGroup CreateModelPackage DescribeModelPackage UpdateModelPackage DeleteModelPackage", run: registryMissing},
}

// group makes one that goes with all its versions.
func (c *cloud) group() *string {
	c.Helper()
	name := c.name()
	out, err := c.sm.CreateModelPackageGroup(c.Context(), &sagemaker.CreateModelPackageGroupInput{ModelPackageGroupName: name, ModelPackageGroupDescription: aws.String("described")})
	require.NoError(c, err)
	require.Equal(c, fmt.Sprintf("arn:aws:sagemaker:%s:%s:model-package-group/%s", at.sdk.Region, at.account, *name), *out.ModelPackageGroupArn)
	c.atEnd(func(ctx context.Context) error {
		list, err := c.sm.ListModelPackages(ctx, &sagemaker.ListModelPackagesInput{ModelPackageGroupName: name, MaxResults: aws.Int32(100)})
		if err != nil {
			return err
		}
		for _, p := range list.ModelPackageSummaryList {
			if _, err := c.sm.DeleteModelPackage(ctx, &sagemaker.DeleteModelPackageInput{ModelPackageName: p.ModelPackageArn}); err != nil {
				return err
			}
		}
		_, err = c.sm.DeleteModelPackageGroup(ctx, &sagemaker.DeleteModelPackageGroupInput{ModelPackageGroupName: name})
		if err != nil && strings.Contains(err.Error(), "does not exist") {
			return nil
		}
		return err
	})
	return name
}

func (c *cloud) packageOf(group *string, data string) *sagemaker.CreateModelPackageInput {
	return &sagemaker.CreateModelPackageInput{ModelPackageGroupName: group, ModelPackageDescription: aws.String("a version"), CustomerMetadataProperties: map[string]string{"release": "1"},
		InferenceSpecification: &types.InferenceSpecification{SupportedContentTypes: []string{"text/csv"}, SupportedResponseMIMETypes: []string{"text/csv"},
			Containers: []types.ModelPackageContainerDefinition{{Image: &at.image, ModelDataUrl: &data, Environment: map[string]string{"COLOUR": "blue"}}}}}
}

func (c *cloud) register(in *sagemaker.CreateModelPackageInput) *string {
	c.Helper()
	out, err := c.sm.CreateModelPackage(c.Context(), in)
	require.NoError(c, err)
	c.eventually("the package is complete", func() bool {
		return c.pack(out.ModelPackageArn).ModelPackageStatus == types.ModelPackageStatusCompleted
	})
	return out.ModelPackageArn
}

func (c *cloud) pack(arn *string) *sagemaker.DescribeModelPackageOutput {
	c.Helper()
	out, err := c.sm.DescribeModelPackage(c.Context(), &sagemaker.DescribeModelPackageInput{ModelPackageName: arn})
	require.NoError(c, err)
	return out
}

func groupLives(c *cloud) {
	ctx, name := c.Context(), c.group()
	d, err := c.sm.DescribeModelPackageGroup(ctx, &sagemaker.DescribeModelPackageGroupInput{ModelPackageGroupName: name})
	require.NoError(c, err)
	require.Equal(c, []any{*name, "described", types.ModelPackageGroupStatusCompleted}, []any{*d.ModelPackageGroupName, *d.ModelPackageGroupDescription, d.ModelPackageGroupStatus})
	require.WithinDuration(c, time.Now(), *d.CreationTime, 15*time.Minute)
	require.NotNil(c, d.CreatedBy)
	byARN, err := c.sm.DescribeModelPackageGroup(ctx, &sagemaker.DescribeModelPackageGroupInput{ModelPackageGroupName: d.ModelPackageGroupArn})
	require.NoError(c, err)
	require.Equal(c, *name, *byARN.ModelPackageGroupName)
	_, err = c.sm.CreateModelPackageGroup(ctx, &sagemaker.CreateModelPackageGroupInput{ModelPackageGroupName: name})
	c.refused(err, "ValidationException", "Model Package Group already exists: "+*d.ModelPackageGroupArn)
	list, err := c.sm.ListModelPackageGroups(ctx, &sagemaker.ListModelPackageGroupsInput{NameContains: name})
	require.NoError(c, err)
	require.Equal(c, []string{*d.ModelPackageGroupArn, "described"}, []string{*list.ModelPackageGroupSummaryList[0].ModelPackageGroupArn, *list.ModelPackageGroupSummaryList[0].ModelPackageGroupDescription})
	_, err = c.sm.DeleteModelPackageGroup(ctx, &sagemaker.DeleteModelPackageGroupInput{ModelPackageGroupName: name})
	require.NoError(c, err)
	_, err = c.sm.DescribeModelPackageGroup(ctx, &sagemaker.DescribeModelPackageGroupInput{ModelPackageGroupName: name})
	c.refused(err, "ValidationException", "does not exist.")
	_, err = c.sm.CreateModelPackageGroup(ctx, &sagemaker.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("under_score")})
	c.refused(err, "ValidationException", "at 'modelPackageGroupName' failed to satisfy constraint")
}

func packageLives(c *cloud) {
	ctx, bucket, group := c.Context(), c.bucket(), c.group()
	data := c.archive(bucket, "m")
	one, two := c.register(c.packageOf(group, data)), c.register(c.packageOf(group, data))
	require.Equal(c, fmt.Sprintf("arn:aws:sagemaker:%s:%s:model-package/%s/1", at.sdk.Region, at.account, *group), *one)
	d := c.pack(two)
	require.Equal(c, []any{*group, int32(2), *two, "a version", types.ModelApprovalStatusPendingManualApproval, map[string]string{"release": "1"}},
		[]any{*d.ModelPackageGroupName, *d.ModelPackageVersion, *d.ModelPackageArn, *d.ModelPackageDescription, d.ModelApprovalStatus, d.CustomerMetadataProperties})
	require.NotNil(c, d.ModelPackageStatusDetails)
	require.Equal(c, data, *d.InferenceSpecification.Containers[0].ModelDataUrl)
	var versions []int32
	pages := sagemaker.NewListModelPackagesPaginator(c.sm, &sagemaker.ListModelPackagesInput{ModelPackageGroupName: group, MaxResults: aws.Int32(1), SortOrder: types.SortOrderDescending})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(c, err)
		for _, p := range page.ModelPackageSummaryList {
			versions = append(versions, *p.ModelPackageVersion)
			require.Equal(c, types.ModelPackageStatusCompleted, p.ModelPackageStatus)
		}
	}
	require.Equal(c, []int32{2, 1}, versions)
	_, err := c.sm.UpdateModelPackage(ctx, &sagemaker.UpdateModelPackageInput{ModelPackageArn: two, CustomerMetadataProperties: map[string]string{"evidence": "x"}, CustomerMetadataPropertiesToRemove: []string{"release"}})
	require.NoError(c, err)
	require.Equal(c, map[string]string{"evidence": "x"}, c.pack(two).CustomerMetadataProperties)
	_, err = c.sm.DeleteModelPackageGroup(ctx, &sagemaker.DeleteModelPackageGroupInput{ModelPackageGroupName: group})
	c.refused(err, "ConflictException", "cannot be deleted because it still contains Model Packages")
	_, err = c.sm.DeleteModelPackage(ctx, &sagemaker.DeleteModelPackageInput{ModelPackageName: two})
	require.NoError(c, err)
	_, err = c.sm.DescribeModelPackage(ctx, &sagemaker.DescribeModelPackageInput{ModelPackageName: two})
	c.refused(err, "ValidationException", fmt.Sprintf("ModelPackage %s does not exist.", *two))
	require.True(c, strings.HasSuffix(*c.register(c.packageOf(group, data)), "/3"), "a version is never given twice")
}

func packageOnce(c *cloud) {
	ctx, group, data := c.Context(), c.group(), c.archive(c.bucket(), "m")
	in := c.packageOf(group, data)
	in.ClientToken = aws.String(*c.name())
	first := c.register(in)
	again, err := c.sm.CreateModelPackage(ctx, in)
	require.NoError(c, err)
	require.Equal(c, *first, *again.ModelPackageArn)
	list, err := c.sm.ListModelPackages(ctx, &sagemaker.ListModelPackagesInput{ModelPackageGroupName: group})
	require.NoError(c, err)
	require.Len(c, list.ModelPackageSummaryList, 1)
}

func packageApproved(c *cloud) {
	ctx, group := c.Context(), c.group()
	data := c.archive(c.bucket(), "m")
	arn := c.register(c.packageOf(group, data))
	for _, to := range []types.ModelApprovalStatus{types.ModelApprovalStatusApproved, types.ModelApprovalStatusRejected, types.ModelApprovalStatusPendingManualApproval, types.ModelApprovalStatusApproved} {
		out, err := c.sm.UpdateModelPackage(ctx, &sagemaker.UpdateModelPackageInput{ModelPackageArn: arn, ModelApprovalStatus: to, ApprovalDescription: aws.String("because")})
		require.NoError(c, err)
		require.Equal(c, *arn, *out.ModelPackageArn)
		d := c.pack(arn)
		require.Equal(c, []any{to, "because"}, []any{d.ModelApprovalStatus, *d.ApprovalDescription})
		require.NotNil(c, d.LastModifiedTime)
	}
	c.register(c.packageOf(group, data))
	list, err := c.sm.ListModelPackages(ctx, &sagemaker.ListModelPackagesInput{ModelPackageGroupName: group, ModelApprovalStatus: types.ModelApprovalStatusApproved})
	require.NoError(c, err)
	require.Len(c, list.ModelPackageSummaryList, 1)
	_, err = c.sm.UpdateModelPackage(ctx, &sagemaker.UpdateModelPackageInput{ModelPackageArn: arn, ModelApprovalStatus: "Perhaps"})
	c.refused(err, "ValidationException", "Value 'Perhaps' at 'modelApprovalStatus' failed to satisfy constraint: Member must satisfy enum value set: [")
}

func packageModel(c *cloud) {
	arn := c.register(c.packageOf(c.group(), c.archive(c.bucket(), "m")))
	name := c.modelOf(&types.ContainerDefinition{ModelPackageName: arn})
	d, err := c.sm.DescribeModel(c.Context(), &sagemaker.DescribeModelInput{ModelName: name})
	require.NoError(c, err)
	require.Equal(c, *arn, *d.PrimaryContainer.ModelPackageName)
}

func registryMissing(c *cloud) {
	ctx, name := c.Context(), c.name()
	arn := aws.String(fmt.Sprintf("arn:aws:sagemaker:%s:%s:model-package/%s/1", at.sdk.Region, at.account, *name))
	for call, err := range map[string]error{
		"describe group": func() error {
			_, err := c.sm.DescribeModelPackageGroup(ctx, &sagemaker.DescribeModelPackageGroupInput{ModelPackageGroupName: name})
			return err
		}(),
		"delete group": func() error {
			_, err := c.sm.DeleteModelPackageGroup(ctx, &sagemaker.DeleteModelPackageGroupInput{ModelPackageGroupName: name})
			return err
		}(),
		"create package": func() error { _, err := c.sm.CreateModelPackage(ctx, c.packageOf(name, "s3://bucket/key")); return err }(),
		"describe package": func() error {
			_, err := c.sm.DescribeModelPackage(ctx, &sagemaker.DescribeModelPackageInput{ModelPackageName: arn})
			return err
		}(),
		"update package": func() error {
			_, err := c.sm.UpdateModelPackage(ctx, &sagemaker.UpdateModelPackageInput{ModelPackageArn: arn, ModelApprovalStatus: types.ModelApprovalStatusApproved})
			return err
		}(),
		"delete package": func() error {
			_, err := c.sm.DeleteModelPackage(ctx, &sagemaker.DeleteModelPackageInput{ModelPackageName: arn})
			return err
		}(),
	} {
		require.Error(c, err, call)
		c.refused(err, "ValidationException", "does not exist.")
		require.Equal(c, 400, status(err), call)
	}
}
