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

func TestModelCards(t *testing.T) {
	c := start(t, nil)
	ctx, name := t.Context(), aws.String("card")
	describe := func(version *int32) (*sm.DescribeModelCardOutput, error) {
		return c.sm.DescribeModelCard(ctx, &sm.DescribeModelCardInput{ModelCardName: name, ModelCardVersion: version})
	}
	update := func(content *string, status types.ModelCardStatus) error {
		_, err := c.sm.UpdateModelCard(ctx, &sm.UpdateModelCardInput{ModelCardName: name, Content: content, ModelCardStatus: status})
		return err
	}
	refused(t, update(nil, types.ModelCardStatusApproved), "ResourceNotFound", "model-card/card does not exist")
	in := &sm.CreateModelCardInput{ModelCardName: name, Content: aws.String(`{"model_overview":{"model_name":"one"},"evaluation_details":[]}`), ModelCardStatus: types.ModelCardStatusDraft,
		SecurityConfig: &types.ModelCardSecurityConfig{KmsKeyId: aws.String("key")}, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}
	made, err := c.sm.CreateModelCard(ctx, in)
	require.NoError(t, err)
	require.Equal(t, "arn:aws:sagemaker:us-east-1:000000000000:model-card/card", *made.ModelCardArn)
	_, err = c.sm.CreateModelCard(ctx, in)
	refused(t, err, "ConflictException", "already exists")

	require.NoError(t, update(nil, types.ModelCardStatusPendingreview))
	d, err := describe(nil)
	require.NoError(t, err)
	require.Equal(t, int32(1), *d.ModelCardVersion, "a new status is no new version")
	require.Equal(t, types.ModelCardStatusPendingreview, d.ModelCardStatus)
	for i := 2; i <= 11; i++ {
		require.NoError(t, update(aws.String(fmt.Sprintf(`{"model_overview":{"model_name":"%d"}}`, i)), ""))
	}
	require.NoError(t, update(nil, types.ModelCardStatusApproved))
	d, err = describe(nil)
	require.NoError(t, err)
	require.Equal(t, int32(11), *d.ModelCardVersion)
	require.Equal(t, `{"model_overview":{"model_name":"11"}}`, *d.Content)
	first, err := describe(aws.Int32(1))
	require.NoError(t, err)
	require.Equal(t, *in.Content, *first.Content)
	require.Equal(t, types.ModelCardStatusPendingreview, first.ModelCardStatus)
	require.Equal(t, *d.CreationTime, *first.CreationTime)
	_, err = describe(aws.Int32(12))
	refused(t, err, "ResourceNotFound", "Version 12")

	brief, err := c.sm.DescribeModelCard(ctx, &sm.DescribeModelCardInput{ModelCardName: name, ModelCardVersion: aws.Int32(1), IncludedData: types.IncludedDataMetadataOnly})
	require.NoError(t, err)
	require.JSONEq(t, `{"model_overview":{"model_name":"one"}}`, *brief.Content)

	var versions []int32
	pages := sm.NewListModelCardVersionsPaginator(c.sm, &sm.ListModelCardVersionsInput{ModelCardName: made.ModelCardArn, MaxResults: aws.Int32(4), SortOrder: types.ModelCardSortOrderDescending})
	for pages.HasMorePages() {
		p, err := pages.NextPage(ctx)
		require.NoError(t, err)
		for _, v := range p.ModelCardVersionSummaryList {
			versions = append(versions, *v.ModelCardVersion)
		}
	}
	require.Equal(t, []int32{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, versions)
	approved, err := c.sm.ListModelCards(ctx, &sm.ListModelCardsInput{ModelCardStatus: types.ModelCardStatusApproved, NameContains: aws.String("ar")})
	require.NoError(t, err)
	require.Len(t, approved.ModelCardSummaries, 1)
	tags, err := c.sm.ListTags(ctx, &sm.ListTagsInput{ResourceArn: made.ModelCardArn})
	require.NoError(t, err)
	require.Len(t, tags.Tags, 1)

	c.shut()
	c.open()
	_, err = c.sm.DeleteModelCard(ctx, &sm.DeleteModelCardInput{ModelCardName: name})
	require.NoError(t, err)
	_, err = describe(nil)
	refused(t, err, "ResourceNotFound", "does not exist")
	_, err = describe(aws.Int32(3))
	refused(t, err, "ResourceNotFound", "does not exist")
	_, err = c.sm.CreateModelCard(ctx, in)
	require.NoError(t, err)
	again, err := c.sm.ListModelCardVersions(ctx, &sm.ListModelCardVersionsInput{ModelCardName: name})
	require.NoError(t, err)
	require.Len(t, again.ModelCardVersionSummaryList, 1, "nothing is left of the old card")
}

func TestModelCardsAreChecked(t *testing.T) {
	c := start(t, nil)
	for content, says := range map[string]string{
		`text`:                      "a model card is a JSON object",
		`[]`:                        "a model card is a JSON object",
		`null`:                      "a model card is a JSON object",
		`{"overview":{}}`:           `"overview" is not part of a model card`,
		`{"model_overview":"x"}`:    `"model_overview" must be an object`,
		`{"evaluation_details":{}}`: `"evaluation_details" must be a list`,
		`{"model_overview":{"a":"` + strings.Repeat("x", 100_000) + `"}}`: "Value at 'content' failed to satisfy constraint: Member must have length less than or equal to 100000",
	} {
		_, err := c.sm.CreateModelCard(t.Context(), &sm.CreateModelCardInput{ModelCardName: aws.String("card"), Content: &content, ModelCardStatus: types.ModelCardStatusDraft})
		refused(t, err, "ValidationException", says)
	}
	_, err := c.sm.UpdateModelCard(t.Context(), &sm.UpdateModelCardInput{ModelCardName: aws.String("card"), Content: aws.String("{}"), ModelCardStatus: types.ModelCardStatusDraft})
	refused(t, err, "ValidationException", "cannot be updated in one call")
	_, err = c.sm.CreateModelCardExportJob(t.Context(), &sm.CreateModelCardExportJobInput{ModelCardName: aws.String("card"), ModelCardExportJobName: aws.String("x"),
		OutputConfig: &types.ModelCardExportOutputConfig{S3OutputPath: aws.String("s3://data/x")}})
	refused(t, err, "UnknownOperationException", "CreateModelCardExportJob")
}
