package sagemaker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

// registry makes a group and its first version.
func (c *cloud) registry() (group, version string) {
	c.Helper()
	c.model("red", "red")
	_, err := c.sm.CreateModelPackageGroup(c.Context(), &sm.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("flight")})
	require.NoError(c, err)
	made, err := c.sm.CreateModelPackage(c.Context(), packageInput("flight", "t1", "s3://data/models/red.tar.gz"))
	require.NoError(c, err)
	return "flight", *made.ModelPackageArn
}

// TestApprovals goes from any approval to any.
func TestApprovals(t *testing.T) {
	c := start(t, nil)
	_, arn := c.registry()
	all := types.ModelApprovalStatus("").Values()
	for _, from := range all {
		for _, to := range all {
			for _, status := range []types.ModelApprovalStatus{from, to} {
				_, err := c.sm.UpdateModelPackage(t.Context(), &sm.UpdateModelPackageInput{ModelPackageArn: &arn, ModelApprovalStatus: status, ApprovalDescription: aws.String(string(from))})
				require.NoError(t, err)
			}
			d, err := c.sm.DescribeModelPackage(t.Context(), &sm.DescribeModelPackageInput{ModelPackageName: &arn})
			require.NoError(t, err)
			require.Equal(t, to, d.ModelApprovalStatus)
			require.Equal(t, string(from), *d.ApprovalDescription)
			require.NotNil(t, d.LastModifiedTime)
			list, err := c.sm.ListModelPackages(t.Context(), &sm.ListModelPackagesInput{ModelPackageGroupName: aws.String("flight"), ModelApprovalStatus: to})
			require.NoError(t, err)
			require.Len(t, list.ModelPackageSummaryList, 1, "the index follows")
		}
	}
}

// TestPackageKeepsWhatItIsTold reads back all that a version says of itself.
func TestPackageKeepsWhatItIsTold(t *testing.T) {
	c := start(t, nil)
	_, one := c.registry()
	metrics := &types.MetricsSource{ContentType: aws.String("application/json"), S3Uri: aws.String("s3://data/metrics.json")}
	in := &sm.CreateModelPackageInput{ModelPackageGroupName: aws.String("arn:aws:sagemaker:us-east-1:000000000000:model-package-group/flight"),
		ModelPackageDescription: aws.String("second"), SourceUri: &one,
		ModelMetrics:        &types.ModelMetrics{ModelQuality: &types.ModelQuality{Statistics: metrics}},
		DriftCheckBaselines: &types.DriftCheckBaselines{ModelDataQuality: &types.DriftCheckModelDataQuality{Constraints: metrics}},
		MetadataProperties:  &types.MetadataProperties{CommitId: aws.String("abc")},
		ModelCard:           &types.ModelPackageModelCard{ModelCardContent: aws.String(`{"intended_uses":{}}`), ModelCardStatus: types.ModelCardStatusDraft},
		ModelLifeCycle:      &types.ModelLifeCycle{Stage: aws.String("Development"), StageStatus: aws.String("InProgress")},
	}
	made, err := c.sm.CreateModelPackage(t.Context(), in)
	require.NoError(t, err)
	d, err := c.sm.DescribeModelPackage(t.Context(), &sm.DescribeModelPackageInput{ModelPackageName: made.ModelPackageArn})
	require.NoError(t, err)
	require.Equal(t, []any{in.ModelMetrics, in.DriftCheckBaselines, in.MetadataProperties, in.ModelCard, in.ModelLifeCycle, in.ModelPackageDescription},
		[]any{d.ModelMetrics, d.DriftCheckBaselines, d.MetadataProperties, d.ModelCard, d.ModelLifeCycle, d.ModelPackageDescription})
	require.Equal(t, image, *d.InferenceSpecification.Containers[0].Image, "what its source runs")

	spec := packageInput("", "", "s3://data/models/red.tar.gz").InferenceSpecification
	spec.Containers[0].Environment = map[string]string{"COLOUR": "blue"}
	_, err = c.sm.UpdateModelPackage(t.Context(), &sm.UpdateModelPackageInput{ModelPackageArn: made.ModelPackageArn, InferenceSpecification: spec,
		ModelLifeCycle: &types.ModelLifeCycle{Stage: aws.String("Production"), StageStatus: aws.String("Ready")}})
	require.NoError(t, err)
	d, err = c.sm.DescribeModelPackage(t.Context(), &sm.DescribeModelPackageInput{ModelPackageName: made.ModelPackageArn})
	require.NoError(t, err)
	require.Equal(t, "blue", d.InferenceSpecification.Containers[0].Environment["COLOUR"])
	require.Equal(t, "Production", *d.ModelLifeCycle.Stage)
}

func TestPackagesWithoutVersions(t *testing.T) {
	c := start(t, nil)
	group, version := c.registry()
	in := packageInput(group, "t2", "s3://data/models/red.tar.gz")
	in.ModelPackageGroupName, in.ModelPackageName = nil, aws.String("alone")
	_, err := c.sm.CreateModelPackage(t.Context(), in)
	refused(t, err, "ValidationException", "SupportedTransformInstanceTypes and SupportedRealtimeInferenceInstanceTypes are required")
	in.InferenceSpecification.SupportedTransformInstanceTypes = []types.TransformInstanceType{types.TransformInstanceTypeMlM5Large}
	in.InferenceSpecification.SupportedRealtimeInferenceInstanceTypes = []types.ProductionVariantInstanceType{types.ProductionVariantInstanceTypeMlM5Large}
	in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
	made, err := c.sm.CreateModelPackage(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, "arn:aws:sagemaker:us-east-1:000000000000:model-package/alone", *made.ModelPackageArn)
	again, err := c.sm.CreateModelPackage(t.Context(), in)
	require.NoError(t, err, "the same token")
	require.Equal(t, *made.ModelPackageArn, *again.ModelPackageArn)
	in.ClientToken = aws.String("t3")
	_, err = c.sm.CreateModelPackage(t.Context(), in)
	refused(t, err, "ConflictException", "already exists")
	_, err = c.sm.UpdateModelPackage(t.Context(), &sm.UpdateModelPackageInput{ModelPackageArn: made.ModelPackageArn, ModelApprovalStatus: types.ModelApprovalStatusApproved})
	refused(t, err, "ValidationException", "does not apply to unversioned")
	for kind, want := range map[types.ModelPackageType][]string{
		"": {*made.ModelPackageArn}, types.ModelPackageTypeUnversioned: {*made.ModelPackageArn},
		types.ModelPackageTypeVersioned: {version}, types.ModelPackageTypeBoth: {version, *made.ModelPackageArn},
	} {
		list, err := c.sm.ListModelPackages(t.Context(), &sm.ListModelPackagesInput{ModelPackageType: kind})
		require.NoError(t, err)
		var got []string
		for _, p := range list.ModelPackageSummaryList {
			got = append(got, *p.ModelPackageArn)
		}
		require.Equal(t, want, got, kind)
	}
	_, err = c.sm.CreateModel(t.Context(), &sm.CreateModelInput{ModelName: aws.String("from-alone"), PrimaryContainer: &types.ContainerDefinition{ModelPackageName: aws.String("alone")}})
	require.NoError(t, err)
}

func TestPackagesAreChecked(t *testing.T) {
	c := start(t, nil)
	group, _ := c.registry()
	properties := map[string]string{}
	for i := range 51 {
		properties[fmt.Sprint(i)] = "x"
	}
	for says, change := range map[string]func(*sm.CreateModelPackageInput){
		"give either": func(in *sm.CreateModelPackageInput) { in.ModelPackageName = aws.String("x") },
		"at 'customerMetadataProperties' failed to satisfy constraint: Member must have length less than or equal to 50": func(in *sm.CreateModelPackageInput) { in.CustomerMetadataProperties = properties },
		"Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 1": func(in *sm.CreateModelPackageInput) {
			in.CustomerMetadataProperties = map[string]string{"a": strings.Repeat("x", 257)}
		},
		"less than or equal to 1024": func(in *sm.CreateModelPackageInput) {
			in.ModelPackageDescription = aws.String(strings.Repeat("x", 1025))
		},
		"with 2 Containers": func(in *sm.CreateModelPackageInput) {
			in.InferenceSpecification.Containers = append(in.InferenceSpecification.Containers, in.InferenceSpecification.Containers[0])
		},
		"is not part of a model card": func(in *sm.CreateModelPackageInput) {
			in.ModelCard = &types.ModelPackageModelCard{ModelCardContent: aws.String(`{"x":1}`)}
		},
		"modelLifeCycle.stage": func(in *sm.CreateModelPackageInput) {
			in.ModelLifeCycle = &types.ModelLifeCycle{Stage: aws.String("a b"), StageStatus: aws.String("x")}
		},
		"AdditionalInferenceSpecificatio": func(in *sm.CreateModelPackageInput) {
			in.AdditionalInferenceSpecifications = []types.AdditionalInferenceSpecificationDefinition{{Name: aws.String("x"), Containers: in.InferenceSpecification.Containers}}
		},
		"ValidationSpecification is not": func(in *sm.CreateModelPackageInput) {
			in.ValidationSpecification = &types.ModelPackageValidationSpecification{ValidationRole: aws.String("arn:aws:iam::000000000000:role/r"), ValidationProfiles: []types.ModelPackageValidationProfile{}}
		},
		"flight/9 does not exist": func(in *sm.CreateModelPackageInput) {
			in.SourceUri, in.InferenceSpecification = aws.String("arn:aws:sagemaker:us-east-1:000000000000:model-package/flight/9"), nil
		},
	} {
		in := packageInput(group, "checked", "s3://data/models/red.tar.gz")
		change(in)
		_, err := c.sm.CreateModelPackage(t.Context(), in)
		refused(t, err, "ValidationException", says)
	}
	_, err := c.sm.Search(t.Context(), &sm.SearchInput{Resource: types.ResourceTypeModelPackage})
	refused(t, err, "UnknownOperationException", "Search")
}
