package conformance

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

var documentCases = []kase{
	{name: "encryption", covers: "PutBucketEncryption GetBucketEncryption DeleteBucketEncryption PutObject HeadObject", run: bucketEncryption},
	{name: "lifecycle", covers: "PutBucketLifecycleConfiguration GetBucketLifecycleConfiguration DeleteBucketLifecycle", run: bucketLifecycle},
	{name: "policy", covers: "PutBucketPolicy GetBucketPolicy GetBucketPolicyStatus DeleteBucketPolicy", run: bucketPolicy},
	{name: "access", covers: "PutPublicAccessBlock GetPublicAccessBlock DeletePublicAccessBlock PutBucketOwnershipControls GetBucketOwnershipControls DeleteBucketOwnershipControls", run: bucketAccess},
	{name: "bucket tags", covers: "PutBucketTagging GetBucketTagging DeleteBucketTagging", run: bucketTags},
	// What reaches a topic needs one that lets S3 publish.
	{name: "no notifications", covers: "PutBucketNotificationConfiguration GetBucketNotificationConfiguration", run: noNotifications},
}

func bucketEncryption(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), aws.String("k")
	algorithm := func() types.ServerSideEncryption {
		out, err := c.s3.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: bucket})
		require.NoError(c, err)
		return out.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm
	}
	require.Equal(c, types.ServerSideEncryptionAes256, algorithm(), "of every bucket")
	_, err := c.s3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms}, BucketKeyEnabled: aws.Bool(true)}},
	}})
	require.NoError(c, err)
	require.Equal(c, types.ServerSideEncryptionAwsKms, algorithm())
	out, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x")})
	require.NoError(c, err)
	require.Equal(c, types.ServerSideEncryptionAwsKms, out.ServerSideEncryption)
	require.True(c, aws.ToBool(out.BucketKeyEnabled))
	require.Contains(c, aws.ToString(out.SSEKMSKeyId), "arn:aws:kms:")
	_, err = c.s3.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: bucket})
	require.NoError(c, err)
	require.Equal(c, types.ServerSideEncryptionAes256, algorithm())
	head, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	require.NoError(c, err)
	require.Equal(c, types.ServerSideEncryptionAwsKms, head.ServerSideEncryption, "an object keeps its own")
}

func bucketLifecycle(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	put := func(rules ...types.LifecycleRule) error {
		_, err := c.s3.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules}})
		return err
	}
	rule := types.LifecycleRule{
		ID: aws.String("old"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("tmp/")},
		Expiration: &types.LifecycleExpiration{Days: aws.Int32(7)}, NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(3)},
		AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(2)},
	}
	require.NoError(c, put(rule))
	got, err := c.s3.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: bucket})
	require.NoError(c, err)
	require.Len(c, got.Rules, 1)
	require.Equal(c, []any{*rule.ID, rule.Expiration, rule.NoncurrentVersionExpiration, rule.AbortIncompleteMultipartUpload},
		[]any{*got.Rules[0].ID, got.Rules[0].Expiration, got.Rules[0].NoncurrentVersionExpiration, got.Rules[0].AbortIncompleteMultipartUpload})
	c.refused(put(rule, rule), "InvalidArgument", "Rule ID must be unique")
	rule.Expiration = &types.LifecycleExpiration{Days: aws.Int32(0)}
	c.refused(put(rule), "InvalidArgument", "'Days' for Expiration action must be a positive integer")
	_, err = c.s3.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: bucket})
	require.NoError(c, err)
	_, err = c.s3.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: bucket})
	c.refused(err, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
}

func bucketPolicy(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	put := func(policy string) error {
		_, err := c.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: &policy})
		return err
	}
	c.refused(put("no policy"), "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
	require.NoError(c, put(`{"Version":"2012-10-17","Statement":[{"Sid":"tls","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::`+*bucket+`/*","Condition":{"NumericLessThan":{"s3:TlsVersion":"1.2"}}}]}`))
	got, err := c.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket})
	require.NoError(c, err)
	require.Contains(c, *got.Policy, `"s3:TlsVersion"`)
	public, err := c.s3.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: bucket})
	require.NoError(c, err)
	require.False(c, aws.ToBool(public.PolicyStatus.IsPublic))
	_, err = c.s3.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: bucket})
	require.NoError(c, err)
	_, err = c.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket})
	c.refused(err, "NoSuchBucketPolicy", "The bucket policy does not exist")
}

func bucketAccess(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	block := &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(false)}
	_, err := c.s3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: block})
	require.NoError(c, err)
	gotBlock, err := c.s3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket})
	require.NoError(c, err)
	require.Equal(c, block, gotBlock.PublicAccessBlockConfiguration)
	_, err = c.s3.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: bucket})
	require.NoError(c, err)
	_, err = c.s3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket})
	c.refused(err, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")

	owned := &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerPreferred}}}
	_, err = c.s3.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: bucket, OwnershipControls: owned})
	require.NoError(c, err)
	gotOwned, err := c.s3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: bucket})
	require.NoError(c, err)
	require.Equal(c, owned, gotOwned.OwnershipControls)
	_, err = c.s3.DeleteBucketOwnershipControls(ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: bucket})
	require.NoError(c, err)
	_, err = c.s3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: bucket})
	c.refused(err, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
}

func bucketTags(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	want := []types.Tag{{Key: aws.String("team"), Value: aws.String("rebooking")}}
	_, err := c.s3.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: bucket, Tagging: &types.Tagging{TagSet: want}})
	require.NoError(c, err)
	got, err := c.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: bucket})
	require.NoError(c, err)
	require.Equal(c, want, got.TagSet)
	_, err = c.s3.DeleteBucketTagging(ctx, &s3.DeleteBucketTaggingInput{Bucket: bucket})
	require.NoError(c, err)
	_, err = c.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: bucket})
	c.refused(err, "NoSuchTagSet", "The TagSet does not exist")
}

func noNotifications(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	_, err := c.s3.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: bucket, NotificationConfiguration: &types.NotificationConfiguration{}})
	require.NoError(c, err)
	got, err := c.s3.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: bucket})
	require.NoError(c, err)
	require.Empty(c, got.TopicConfigurations)
	_, err = c.s3.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: bucket, NotificationConfiguration: &types.NotificationConfiguration{
		TopicConfigurations: []types.TopicConfiguration{{TopicArn: aws.String("no ARN"), Events: []types.Event{types.EventS3ObjectCreated}}},
	}})
	c.refused(err, "InvalidArgument", "The ARN could not be parsed")
}
