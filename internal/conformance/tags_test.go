package conformance

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

var tagCases = []kase{
	{name: "tags", covers: "AddTags ListTags DeleteTags", run: tags},
	{name: "tags are checked", covers: "AddTags ListTags DeleteTags", run: tagsChecked},
}

func tag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

func tags(c *cloud) {
	ctx := c.Context()
	arn := fmt.Sprintf("arn:aws:sagemaker:%s:%s:model-package-group/%s", at.sdk.Region, at.account, *c.group())
	list := func() []types.Tag {
		out, err := c.sm.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: &arn})
		require.NoError(c, err)
		return out.Tags
	}
	require.Empty(c, list())
	out, err := c.sm.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: &arn, Tags: []types.Tag{tag("a", "1"), tag("b", "")}})
	require.NoError(c, err)
	require.ElementsMatch(c, []types.Tag{tag("a", "1"), tag("b", "")}, out.Tags)
	_, err = c.sm.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: &arn, Tags: []types.Tag{tag("a", "2")}})
	require.NoError(c, err)
	require.ElementsMatch(c, []types.Tag{tag("a", "2"), tag("b", "")}, list(), "the last value counts")
	_, err = c.sm.DeleteTags(ctx, &sagemaker.DeleteTagsInput{ResourceArn: &arn, TagKeys: []string{"b", "nowhere"}})
	require.NoError(c, err)
	require.Equal(c, []types.Tag{tag("a", "2")}, list())
}

func tagsChecked(c *cloud) {
	ctx := c.Context()
	arn := fmt.Sprintf("arn:aws:sagemaker:%s:%s:model-package-group/%s", at.sdk.Region, at.account, *c.group())
	var many []types.Tag
	for i := range 51 {
		many = append(many, tag(fmt.Sprint(i), "x"))
	}
	_, err := c.sm.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: &arn, Tags: many})
	require.Error(c, err)
	require.Equal(c, 400, status(err))
	_, err = c.sm.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: &arn, Tags: []types.Tag{tag(fmt.Sprintf("%0129d", 1), "x")}})
	c.refused(err, "ValidationException", "failed to satisfy constraint: Member must have length less than or equal to 128")
	missing := aws.String(arn + "-nowhere")
	for call, err := range map[string]error{
		"add": func() error {
			_, err := c.sm.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: missing, Tags: many[:1]})
			return err
		}(),
		"list": func() error { _, err := c.sm.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: missing}); return err }(),
		"delete": func() error {
			_, err := c.sm.DeleteTags(ctx, &sagemaker.DeleteTagsInput{ResourceArn: missing, TagKeys: []string{"a"}})
			return err
		}(),
	} {
		require.Error(c, err, call)
		require.Equal(c, 400, status(err), call)
	}
}
