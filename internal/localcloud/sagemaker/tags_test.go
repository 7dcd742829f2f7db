package sagemaker_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

func TestTagsAreChecked(t *testing.T) {
	c := start(t, nil)
	made, err := c.sm.CreateModelPackageGroup(t.Context(), &sm.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("g")})
	require.NoError(t, err)
	arn := made.ModelPackageGroupArn
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	for says, tags := range map[string][]types.Tag{
		"Value '' at 'tags.1.member.key'":         {tag("", "x")},
		"aws: prefixed tag key names are not":     {tag("a", "1"), tag("AWS:x", "1")},
		"Duplicate tag keys found: a":             {tag("a", "1"), tag("a", "2")},
		"'tags.1.member.key' failed to satisfy":   {tag(strings.Repeat("k", 129), "1")},
		"'tags.2.member.value' failed to satisfy": {tag("a", "1"), tag("b", strings.Repeat("v", 257))},
		"Value 'a;b' at 'tags.1.member.key'":      {tag("a;b", "1")},
		"Value 'a;b' at 'tags.1.member.value'":    {tag("a", "a;b")},
	} {
		_, err := c.sm.AddTags(t.Context(), &sm.AddTagsInput{ResourceArn: arn, Tags: tags})
		refused(t, err, "ValidationException", says)
		_, err = c.sm.CreateModelPackageGroup(t.Context(), &sm.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("other"), Tags: tags})
		refused(t, err, "ValidationException", says)
	}
	added, err := c.sm.AddTags(t.Context(), &sm.AddTagsInput{ResourceArn: arn, Tags: []types.Tag{tag("größe/1", "a b"), tag(strings.Repeat("k", 128), strings.Repeat("v", 256))}})
	require.NoError(t, err)
	listed, err := c.sm.ListTags(t.Context(), &sm.ListTagsInput{ResourceArn: arn, MaxResults: aws.Int32(50)})
	require.NoError(t, err)
	require.Equal(t, added.Tags, listed.Tags)
	_, err = c.sm.ListTags(t.Context(), &sm.ListTagsInput{ResourceArn: arn, MaxResults: aws.Int32(49)})
	refused(t, err, "ValidationException", "greater than or equal to 50")
	_, err = c.sm.ListTags(t.Context(), &sm.ListTagsInput{ResourceArn: arn, NextToken: aws.String("x")})
	refused(t, err, "ValidationException", "NextToken")
	_, err = c.sm.DeleteTags(t.Context(), &sm.DeleteTagsInput{ResourceArn: arn, TagKeys: []string{}})
	refused(t, err, "ValidationException", "'tagKeys' failed to satisfy constraint: Member must have length greater than or equal to 1")
	_, err = c.sm.DeleteModelPackageGroup(t.Context(), &sm.DeleteModelPackageGroupInput{ModelPackageGroupName: aws.String("g")})
	require.NoError(t, err)
	_, err = c.sm.AddTags(t.Context(), &sm.AddTagsInput{ResourceArn: arn, Tags: []types.Tag{tag("a", "1")}})
	refused(t, err, "ValidationException", "not found")
}
