package conformance

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

var cardCases = []kase{
	{name: "model card lives", covers: "CreateModelCard DescribeModelCard UpdateModelCard ListModelCards ListModelCardVersions DeleteModelCard", run: cardLives},
	{name: "model card is missing", covers: "DescribeModelCard UpdateModelCard ListModelCardVersions DeleteModelCard", run: cardMissing},
}

func cardLives(c *cloud) {
	ctx, name := c.Context(), c.name()
	in := &sagemaker.CreateModelCardInput{ModelCardName: name, ModelCardStatus: types.ModelCardStatusDraft, Content: aws.String(`{"model_overview": {"model_description": "one"}}`)}
	made, err := c.sm.CreateModelCard(ctx, in)
	require.NoError(c, err)
	c.atEnd(func(ctx context.Context) error {
		_, err := c.sm.DeleteModelCard(ctx, &sagemaker.DeleteModelCardInput{ModelCardName: name})
		return err
	})
	require.Equal(c, fmt.Sprintf("arn:aws:sagemaker:%s:%s:model-card/%s", at.sdk.Region, at.account, *name), *made.ModelCardArn)
	_, err = c.sm.CreateModelCard(ctx, in)
	c.refused(err, "ConflictException", "")
	for _, change := range []*sagemaker.UpdateModelCardInput{{Content: aws.String(`{"model_overview": {"model_description": "two"}}`)}, {ModelCardStatus: types.ModelCardStatusPendingreview}} {
		change.ModelCardName = name
		_, err = c.sm.UpdateModelCard(ctx, change)
		require.NoError(c, err)
	}
	for version, want := range map[int32]string{1: "one", 2: "two"} {
		d, err := c.sm.DescribeModelCard(ctx, &sagemaker.DescribeModelCardInput{ModelCardName: name, ModelCardVersion: &version})
		require.NoError(c, err)
		require.JSONEq(c, fmt.Sprintf(`{"model_overview": {"model_description": %q}}`, want), *d.Content)
	}
	d, err := c.sm.DescribeModelCard(ctx, &sagemaker.DescribeModelCardInput{ModelCardName: name})
	require.NoError(c, err)
	require.Equal(c, []any{*made.ModelCardArn, int32(2), types.ModelCardStatusPendingreview}, []any{*d.ModelCardArn, *d.ModelCardVersion, d.ModelCardStatus})
	list, err := c.sm.ListModelCards(ctx, &sagemaker.ListModelCardsInput{NameContains: name})
	require.NoError(c, err)
	require.Equal(c, []any{*made.ModelCardArn, types.ModelCardStatusPendingreview}, []any{*list.ModelCardSummaries[0].ModelCardArn, list.ModelCardSummaries[0].ModelCardStatus})
	versions, err := c.sm.ListModelCardVersions(ctx, &sagemaker.ListModelCardVersionsInput{ModelCardName: name})
	require.NoError(c, err)
	require.Len(c, versions.ModelCardVersionSummaryList, 2)
	_, err = c.sm.DeleteModelCard(ctx, &sagemaker.DeleteModelCardInput{ModelCardName: name})
	require.NoError(c, err)
}

func cardMissing(c *cloud) {
	ctx, name := c.Context(), c.name()
	for call, ask := range map[string]func() error{
		"describe": func() error {
			_, err := c.sm.DescribeModelCard(ctx, &sagemaker.DescribeModelCardInput{ModelCardName: name})
			return err
		},
		"update": func() error {
			_, err := c.sm.UpdateModelCard(ctx, &sagemaker.UpdateModelCardInput{ModelCardName: name, ModelCardStatus: types.ModelCardStatusApproved})
			return err
		},
		"versions": func() error {
			_, err := c.sm.ListModelCardVersions(ctx, &sagemaker.ListModelCardVersionsInput{ModelCardName: name})
			return err
		},
		"delete": func() error {
			_, err := c.sm.DeleteModelCard(ctx, &sagemaker.DeleteModelCardInput{ModelCardName: name})
			return err
		},
	} {
		err := ask()
		require.Error(c, err, call)
		c.refused(err, "ResourceNotFound", "")
	}
}
