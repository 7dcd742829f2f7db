package conformance

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

var bucketCases = []kase{
	{name: "bucket lives", covers: "CreateBucket HeadBucket GetBucketLocation ListBuckets DeleteBucket", run: bucketLives},
	{name: "bucket name is checked", covers: "CreateBucket", run: bucketName},
	{name: "bucket is made twice", covers: "CreateBucket", run: bucketTwice},
	{name: "full bucket stays", covers: "DeleteBucket", run: fullBucket},
	{name: "missing bucket is named", covers: "PutObject GetObject HeadObject DeleteObject DeleteObjects CopyObject ListObjects ListObjectsV2 ListObjectVersions CreateMultipartUpload ListMultipartUploads GetBucketLocation GetBucketVersioning DeleteBucket", run: missingBucket},
}

func bucketLives(c *cloud) {
	ctx := c.Context()
	name := c.bucket()
	_, err := c.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: name})
	require.NoError(c, err)
	place, err := c.s3.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: name})
	require.NoError(c, err)
	if at.sdk.Region == "us-east-1" {
		require.Empty(c, place.LocationConstraint, "the first region has no constraint")
	} else {
		require.Equal(c, at.sdk.Region, string(place.LocationConstraint))
	}
	list, err := c.s3.ListBuckets(ctx, &s3.ListBucketsInput{})
	require.NoError(c, err)
	require.NotEmpty(c, *list.Owner.ID)
	var found bool
	for _, b := range list.Buckets {
		if *b.Name == *name {
			found = true
			require.WithinDuration(c, time.Now(), *b.CreationDate, 15*time.Minute)
		}
	}
	require.True(c, found)
	_, err = c.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name})
	require.NoError(c, err)
	_, err = c.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: name})
	c.refused(err, "NotFound", "")
	require.Equal(c, 404, status(err))
}

func bucketName(c *cloud) {
	for _, name := range []string{"Upper-Case", "has_underscore", "-hyphen-first", "192.168.5.4", "two..dots"} {
		_, err := c.s3.CreateBucket(c.Context(), &s3.CreateBucketInput{Bucket: &name})
		c.refused(err, "InvalidBucketName", "The specified bucket is not valid")
		require.Equal(c, 400, status(err))
	}
}

func bucketTwice(c *cloud) {
	name := c.bucket()
	c.put(name, "kept", "x")
	in := &s3.CreateBucketInput{Bucket: name}
	if r := at.sdk.Region; r != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(r)}
	}
	out, err := c.s3.CreateBucket(c.Context(), in)
	if at.sdk.Region == "us-east-1" { // for compatibility, S3 answers 200 there
		require.NoError(c, err)
		require.Equal(c, "/"+*name, *out.Location)
	} else {
		c.refused(err, "BucketAlreadyOwnedByYou", "")
	}
	require.Equal(c, "x", c.read("s3://"+*name+"/kept"))
}

func fullBucket(c *cloud) {
	name := c.bucket()
	c.put(name, "k", "x")
	_, err := c.s3.DeleteBucket(c.Context(), &s3.DeleteBucketInput{Bucket: name})
	c.refused(err, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	require.Equal(c, 409, status(err))
}

func missingBucket(c *cloud) {
	ctx, bucket, key := c.Context(), c.name(), aws.String("k")
	source := aws.String(*c.bucket() + "/k")
	for name, call := range map[string]func() error{
		"PutObject": func() error { _, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key}); return err },
		"GetObject": func() error { _, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key}); return err },
		"DeleteObject": func() error {
			_, err := c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key})
			return err
		},
		"DeleteObjects": func() error {
			_, err := c.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: key}}}})
			return err
		},
		"CopyObject": func() error {
			_, err := c.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: key, CopySource: source})
			return err
		},
		"ListObjects":   func() error { _, err := c.s3.ListObjects(ctx, &s3.ListObjectsInput{Bucket: bucket}); return err },
		"ListObjectsV2": func() error { _, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket}); return err },
		"ListObjectVersions": func() error {
			_, err := c.s3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket})
			return err
		},
		"CreateMultipartUpload": func() error {
			_, err := c.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
			return err
		},
		"ListMultipartUploads": func() error {
			_, err := c.s3.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket})
			return err
		},
		"GetBucketLocation": func() error {
			_, err := c.s3.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: bucket})
			return err
		},
		"GetBucketVersioning": func() error {
			_, err := c.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: bucket})
			return err
		},
		"DeleteBucket": func() error { _, err := c.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket}); return err },
	} {
		err := call()
		require.Error(c, err, name)
		c.refused(err, "NoSuchBucket", "The specified bucket does not exist")
		require.Equal(c, 404, status(err), name)
	}
	_, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	c.refused(err, "NotFound", "")
}
