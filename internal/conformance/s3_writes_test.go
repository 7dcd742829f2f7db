package conformance

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
)

var writeCases = []kase{
	{name: "conditional writes", covers: "PutObject", run: conditionalWrites},
	{name: "one of many writers wins", covers: "PutObject", run: oneWriter},
	{name: "copy", covers: "CopyObject HeadObject", run: copies},
	{name: "copy on conditions", covers: "CopyObject", run: conditionalCopies},
	{name: "copy onto itself", covers: "CopyObject HeadObject", run: copyOntoItself},
	{name: "delete many", covers: "DeleteObjects", run: deleteMany},
}

func conditionalWrites(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	write := func(key, body string, in s3.PutObjectInput) error {
		in.Bucket, in.Key, in.Body = bucket, &key, strings.NewReader(body)
		_, err := c.s3.PutObject(ctx, &in)
		return err
	}
	anything := aws.String("*")
	require.NoError(c, write("k", "one", s3.PutObjectInput{IfNoneMatch: anything}))
	err := write("k", "two", s3.PutObjectInput{IfNoneMatch: anything})
	c.refused(err, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	require.Equal(c, 412, status(err))
	err = write("k", "two", s3.PutObjectInput{IfMatch: aws.String(etag("other"))})
	c.refused(err, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	require.Equal(c, "one", c.read("s3://"+*bucket+"/k"))
	require.NoError(c, write("k", "two", s3.PutObjectInput{IfMatch: aws.String(etag("one"))}))
	require.Equal(c, "two", c.read("s3://"+*bucket+"/k"))
	err = write("nowhere", "x", s3.PutObjectInput{IfMatch: aws.String(etag("one"))})
	c.refused(err, "NoSuchKey", "The specified key does not exist")
	require.Equal(c, 404, status(err))
}

func oneWriter(c *cloud) {
	bucket := c.bucket()
	var won atomic.Int32
	var unexpected sync.Map
	var writers sync.WaitGroup
	for i := range 12 {
		writers.Go(func() {
			_, err := c.s3.PutObject(c.Context(), &s3.PutObjectInput{Bucket: bucket, Key: aws.String("entry"), Body: strings.NewReader(fmt.Sprint(i)), IfNoneMatch: aws.String("*")})
			var api smithy.APIError
			switch {
			case err == nil:
				won.Add(1)
			case errors.As(err, &api) && (api.ErrorCode() == "PreconditionFailed" || api.ErrorCode() == "ConditionalRequestConflict"):
			default:
				unexpected.Store(i, err)
			}
		})
	}
	writers.Wait()
	unexpected.Range(func(_, err any) bool { c.Error(err); return true })
	require.Equal(c, int32(1), won.Load())
}

func copies(c *cloud) {
	ctx, bucket, other := c.Context(), c.bucket(), c.bucket()
	_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("from a+ü"), Body: strings.NewReader("x"), ContentType: aws.String("text/csv"),
		Metadata: map[string]string{"colour": "red"}, Tagging: aws.String("team=a")})
	require.NoError(c, err)
	source := aws.String(*bucket + "/from%20a%2B%C3%BC")
	out, err := c.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: other, Key: aws.String("to"), CopySource: source})
	require.NoError(c, err)
	require.Equal(c, etag("x"), *out.CopyObjectResult.ETag)
	require.WithinDuration(c, time.Now(), *out.CopyObjectResult.LastModified, 15*time.Minute)
	head, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: other, Key: aws.String("to")})
	require.NoError(c, err)
	require.Equal(c, "text/csv", *head.ContentType)
	require.Equal(c, map[string]string{"colour": "red"}, head.Metadata)
	require.Equal(c, int32(1), aws.ToInt32(head.TagCount), "tags are copied")

	_, err = c.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: other, Key: aws.String("to"), CopySource: source, MetadataDirective: types.MetadataDirectiveReplace,
		Metadata: map[string]string{"colour": "blue"}, ContentType: aws.String("text/plain"), TaggingDirective: types.TaggingDirectiveReplace, Tagging: aws.String("a=1&b=2")})
	require.NoError(c, err)
	head, err = c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: other, Key: aws.String("to")})
	require.NoError(c, err)
	require.Equal(c, "text/plain", *head.ContentType)
	require.Equal(c, map[string]string{"colour": "blue"}, head.Metadata)
	require.Equal(c, int32(2), aws.ToInt32(head.TagCount))
}

func conditionalCopies(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	c.put(bucket, "from", "x")
	past := aws.Time(time.Now().Add(-time.Hour))
	for name, in := range map[string]*s3.CopyObjectInput{
		"match":            {CopySourceIfMatch: aws.String(etag("y"))},
		"none match":       {CopySourceIfNoneMatch: aws.String(etag("x"))},
		"unmodified since": {CopySourceIfUnmodifiedSince: past},
		"modified since":   {CopySourceIfModifiedSince: aws.Time(time.Now().Add(-time.Millisecond))},
	} {
		in.Bucket, in.Key, in.CopySource = bucket, aws.String("to"), aws.String(*bucket+"/from")
		_, err := c.s3.CopyObject(ctx, in)
		require.Equal(c, 412, status(err), "%s: %v", name, err)
		c.refused(err, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	}
	_, err := c.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: aws.String("to"), CopySource: aws.String(*bucket + "/from"),
		CopySourceIfMatch: aws.String(etag("x")), CopySourceIfModifiedSince: past})
	require.NoError(c, err)
}

func copyOntoItself(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), aws.String("k")
	c.put(bucket, *key, "x")
	source := aws.String(*bucket + "/k")
	_, err := c.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: key, CopySource: source})
	c.refused(err, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing")
	require.Equal(c, 400, status(err))
	_, err = c.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: key, CopySource: source, MetadataDirective: types.MetadataDirectiveReplace, Metadata: map[string]string{"new": "yes"}})
	require.NoError(c, err)
	head, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	require.NoError(c, err)
	require.Equal(c, map[string]string{"new": "yes"}, head.Metadata)
}

func deleteMany(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	ids := func(keys ...string) (list []types.ObjectIdentifier) {
		for _, k := range keys {
			list = append(list, types.ObjectIdentifier{Key: &k})
		}
		return list
	}
	for _, key := range []string{"a", "b&<c>", "d"} {
		c.put(bucket, key, "x")
	}
	out, err := c.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: ids("a", "b&<c>", "nowhere")}})
	require.NoError(c, err)
	var deleted []string
	for _, d := range out.Deleted {
		deleted = append(deleted, *d.Key)
	}
	require.ElementsMatch(c, []string{"a", "b&<c>", "nowhere"}, deleted, "deleting what is not there is done")
	require.Empty(c, out.Errors)
	out, err = c.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: ids("d"), Quiet: aws.Bool(true)}})
	require.NoError(c, err)
	require.Empty(c, out.Deleted)
	list, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
	require.NoError(c, err)
	require.Empty(c, list.Contents)
	_, err = c.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: make([]types.ObjectIdentifier, 0)}})
	c.refused(err, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	many := make([]string, 1001)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	_, err = c.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: ids(many...)}})
	c.refused(err, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}
