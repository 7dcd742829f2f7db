package s3_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

func TestPolicyIsKept(t *testing.T) {
	c := start(t)
	bucket := aws.String("data")
	put := func(policy string) error {
		_, err := c.PutBucketPolicy(t.Context(), &awss3.PutBucketPolicyInput{Bucket: bucket, Policy: &policy})
		return err
	}
	get := func() (*string, error) {
		out, err := c.GetBucketPolicy(t.Context(), &awss3.GetBucketPolicyInput{Bucket: bucket})
		if err != nil {
			return nil, err
		}
		return out.Policy, nil
	}
	_, err := get()
	require.Equal(t, "NoSuchBucketPolicy", code(err))
	require.Equal(t, 404, status(err))
	statement := func(effect, principal, rest string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Principal":` + principal + `,"Action":"s3:*","Resource":"arn:aws:s3:::data/*"` + rest + `}]}`
	}
	for _, bad := range []string{"", "no", `{"Statement":1}`, `{}`, `{"Statement":[{"Effect":"Allow"}]}`, statement("Maybe", `"*"`, ""), strings.Repeat(" ", 21<<10)} {
		require.Equal(t, "MalformedPolicy", code(put(bad)), bad)
	}
	for policy, public := range map[string]bool{
		statement("Allow", `"*"`, ""):                                      true,
		statement("Allow", `{"AWS":"*"}`, ""):                              true,
		statement("Allow", `{"AWS":["*"]}`, ""):                            true,
		statement("Deny", `"*"`, ""):                                       false,
		statement("Allow", `{"AWS":"arn:aws:iam::000000000000:root"}`, ""): false,
		statement("Allow", `"*"`, `,"Condition":{"Bool":{"a":"b"}}`):       false,
	} {
		require.NoError(t, put(policy))
		c.restart()
		got, err := get()
		require.NoError(t, err)
		require.Equal(t, policy, *got)
		status, err := c.GetBucketPolicyStatus(t.Context(), &awss3.GetBucketPolicyStatusInput{Bucket: bucket})
		require.NoError(t, err)
		require.Equal(t, public, *status.PolicyStatus.IsPublic, policy)
	}
	_, err = c.DeleteBucketPolicy(t.Context(), &awss3.DeleteBucketPolicyInput{Bucket: bucket})
	require.NoError(t, err)
	_, err = get()
	require.Equal(t, "NoSuchBucketPolicy", code(err))
}

func TestBucketTags(t *testing.T) {
	c := start(t)
	bucket := aws.String("data")
	put := func(tags ...types.Tag) error {
		_, err := c.PutBucketTagging(t.Context(), &awss3.PutBucketTaggingInput{Bucket: bucket, Tagging: &types.Tagging{TagSet: tags}})
		return err
	}
	team := types.Tag{Key: aws.String("team"), Value: aws.String("a & b")}
	_, err := c.GetBucketTagging(t.Context(), &awss3.GetBucketTaggingInput{Bucket: bucket})
	require.Equal(t, "NoSuchTagSet", code(err))
	require.Equal(t, "InvalidTag", code(put(team, team)))
	require.NoError(t, put(team))
	c.restart()
	got, err := c.GetBucketTagging(t.Context(), &awss3.GetBucketTaggingInput{Bucket: bucket})
	require.NoError(t, err)
	require.Equal(t, []types.Tag{team}, got.TagSet)

	_, err = c.DeleteBucket(t.Context(), &awss3.DeleteBucketInput{Bucket: bucket})
	require.NoError(t, err)
	_, err = c.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: bucket})
	require.NoError(t, err)
	_, err = c.GetBucketTagging(t.Context(), &awss3.GetBucketTaggingInput{Bucket: bucket})
	require.Equal(t, "NoSuchTagSet", code(err), "a new bucket has nothing of an old one's")
}

func TestAccessDocuments(t *testing.T) {
	c := start(t)
	bucket := aws.String("data")
	_, err := c.GetPublicAccessBlock(t.Context(), &awss3.GetPublicAccessBlockInput{Bucket: bucket})
	require.Equal(t, "NoSuchPublicAccessBlockConfiguration", code(err))
	block := &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(false), BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(false)}
	_, err = c.PutPublicAccessBlock(t.Context(), &awss3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: block})
	require.NoError(t, err)
	owned := &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: "BucketOwnerEnforced"}}}
	_, err = c.PutBucketOwnershipControls(t.Context(), &awss3.PutBucketOwnershipControlsInput{Bucket: bucket, OwnershipControls: owned})
	require.NoError(t, err)
	c.restart()
	gotBlock, err := c.GetPublicAccessBlock(t.Context(), &awss3.GetPublicAccessBlockInput{Bucket: bucket})
	require.NoError(t, err)
	require.Equal(t, block, gotBlock.PublicAccessBlockConfiguration)
	gotOwned, err := c.GetBucketOwnershipControls(t.Context(), &awss3.GetBucketOwnershipControlsInput{Bucket: bucket})
	require.NoError(t, err)
	require.Equal(t, owned, gotOwned.OwnershipControls)
	_, err = c.DeletePublicAccessBlock(t.Context(), &awss3.DeletePublicAccessBlockInput{Bucket: bucket})
	require.NoError(t, err)
	_, err = c.GetPublicAccessBlock(t.Context(), &awss3.GetPublicAccessBlockInput{Bucket: bucket})
	require.Equal(t, "NoSuchPublicAccessBlockConfiguration", code(err))
	_, err = c.PutBucketTagging(t.Context(), &awss3.PutBucketTaggingInput{Bucket: aws.String("nowhere"), Tagging: &types.Tagging{TagSet: []types.Tag{}}})
	require.Equal(t, "NoSuchBucket", code(err))
}

func TestCORSIsRefused(t *testing.T) {
	c := start(t)
	rules := []types.CORSRule{{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{"*"}}}
	_, err := c.PutBucketCors(t.Context(), &awss3.PutBucketCorsInput{Bucket: aws.String("data"), CORSConfiguration: &types.CORSConfiguration{CORSRules: rules}})
	require.Equal(t, "NotImplemented", code(err))
	require.Equal(t, http.StatusNotImplemented, status(err))
	require.ErrorContains(t, err, "PutBucketCors")
}
