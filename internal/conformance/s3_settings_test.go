package conformance

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

var settingCases = []kase{
	{name: "object tags", covers: "PutObjectTagging GetObjectTagging DeleteObjectTagging HeadObject", run: objectTags},
	{name: "object tags are checked", covers: "PutObjectTagging GetObjectTagging", run: badObjectTags},
	// A bucket of AWS allows no ACLs unless its ownership controls are changed.
	{name: "owner has control", covers: "GetBucketAcl GetObjectAcl PutBucketAcl PutObjectAcl", run: ownerHasControl, local: true},
	// AWS sets some of these for every new bucket.
	{name: "no settings", covers: "GetBucketLocation", run: noSettings, local: true},
}

func objectTags(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), aws.String("k")
	c.put(bucket, *key, "x")
	none, err := c.s3.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key})
	require.NoError(c, err)
	require.Empty(c, none.TagSet)
	want := []types.Tag{{Key: aws.String("a b"), Value: aws.String("1+ü")}, {Key: aws.String("empty"), Value: aws.String("")}}
	_, err = c.s3.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: bucket, Key: key, Tagging: &types.Tagging{TagSet: want}})
	require.NoError(c, err)
	tags, err := c.s3.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key})
	require.NoError(c, err)
	require.ElementsMatch(c, want, tags.TagSet)
	head, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	require.NoError(c, err)
	require.Equal(c, int32(2), aws.ToInt32(head.TagCount))
	_, err = c.s3.DeleteObjectTagging(ctx, &s3.DeleteObjectTaggingInput{Bucket: bucket, Key: key})
	require.NoError(c, err)
	none, err = c.s3.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key})
	require.NoError(c, err)
	require.Empty(c, none.TagSet)
}

func badObjectTags(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), aws.String("k")
	c.put(bucket, *key, "x")
	put := func(tags ...types.Tag) error {
		_, err := c.s3.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: bucket, Key: key, Tagging: &types.Tagging{TagSet: tags}})
		return err
	}
	tag := func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }
	var many []types.Tag
	for i := range 11 {
		many = append(many, tag(fmt.Sprint(i), "x"))
	}
	c.refused(put(many...), "BadRequest", "Object tags cannot be greater than 10")
	c.refused(put(tag("a", "1"), tag("a", "2")), "InvalidTag", "Cannot provide multiple Tags with the same key")
	c.refused(put(tag(string(make([]byte, 0, 129))+fmt.Sprintf("%0129d", 1), "x")), "InvalidTag", "The TagKey you have provided is invalid")
	c.refused(put(tag("a", fmt.Sprintf("%0257d", 1))), "InvalidTag", "The TagValue you have provided is invalid")
	_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Tagging: aws.String("a=1&a=2")})
	c.refused(err, "InvalidArgument", "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates")
	_, err = c.s3.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: aws.String("nowhere")})
	c.refused(err, "NoSuchKey", "The specified key does not exist")
}

func ownerHasControl(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), aws.String("k")
	c.put(bucket, *key, "x")
	b, err := c.s3.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: bucket})
	require.NoError(c, err)
	o, err := c.s3.GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: bucket, Key: key})
	require.NoError(c, err)
	require.Equal(c, b.Grants, o.Grants)
	require.Len(c, b.Grants, 1)
	require.Equal(c, types.PermissionFullControl, b.Grants[0].Permission)
	require.Equal(c, *b.Owner.ID, *b.Grants[0].Grantee.ID)
	_, err = c.s3.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: bucket, ACL: types.BucketCannedACLPrivate})
	require.NoError(c, err)
	_, err = c.s3.PutObjectAcl(ctx, &s3.PutObjectAclInput{Bucket: bucket, Key: key, ACL: types.ObjectCannedACLPrivate})
	require.NoError(c, err)
	_, err = c.s3.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: bucket, ACL: types.BucketCannedACLPublicRead})
	require.Error(c, err)
}

func noSettings(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	_, err := c.s3.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: bucket})
	require.NoError(c, err)
	for code, call := range map[string]func() error{
		"NoSuchCORSConfiguration": func() error { _, err := c.s3.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: bucket}); return err },
		"NoSuchLifecycleConfiguration": func() error {
			_, err := c.s3.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: bucket})
			return err
		},
		"NoSuchBucketPolicy": func() error {
			_, err := c.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket})
			return err
		},
		"NoSuchWebsiteConfiguration": func() error {
			_, err := c.s3.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: bucket})
			return err
		},
		"NoSuchTagSet": func() error {
			_, err := c.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: bucket})
			return err
		},
		"ReplicationConfigurationNotFoundError": func() error {
			_, err := c.s3.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: bucket})
			return err
		},
		"NoSuchPublicAccessBlockConfiguration": func() error {
			_, err := c.s3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket})
			return err
		},
		"OwnershipControlsNotFoundError": func() error {
			_, err := c.s3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: bucket})
			return err
		},
	} {
		err := call()
		require.Error(c, err, code)
		c.refused(err, code, "")
		require.Equal(c, 404, status(err), code)
	}
}
