package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
)

// cloud is the target as one case sees it.
type cloud struct {
	*testing.T
	calls
	s3      *s3.Client
	sm      *sagemaker.Client
	runtime *sagemakerruntime.Client
	metrics *cloudwatch.Client
	logs    *cloudwatchlogs.Client
	sns     *sns.Client
	scaling *applicationautoscaling.Client
	sts     *sts.Client
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{T: t, calls: calls{made: map[string][]string{}}}
	cfg := at.sdk.Copy()
	cfg.APIOptions = append(cfg.APIOptions, c.observe)
	c.s3, c.sm, c.runtime = s3.NewFromConfig(cfg), sagemaker.NewFromConfig(cfg), sagemakerruntime.NewFromConfig(cfg)
	c.metrics, c.sts = cloudwatch.NewFromConfig(cfg), sts.NewFromConfig(cfg)
	c.logs, c.sns = cloudwatchlogs.NewFromConfig(cfg), sns.NewFromConfig(cfg)
	c.scaling = applicationautoscaling.NewFromConfig(cfg)
	return c
}

var named atomic.Int64

// name makes a name that nothing else has.
func (c *cloud) name() *string { return aws.String(fmt.Sprintf("%s-%04d", at.prefix, named.Add(1))) }

// atEnd deletes what a case made. It need not be there any more.
func (c *cloud) atEnd(remove func(context.Context) error) {
	c.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), at.patience)
		defer cancel()
		if err := remove(ctx); err != nil {
			c.Logf("cleaning up: %v", err)
		}
	})
}

// eventually polls until holds does.
func (c *cloud) eventually(what string, holds func() bool) {
	c.Helper()
	limit, tick := time.NewTimer(at.patience), time.NewTicker(at.tick)
	defer limit.Stop()
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			c.Fatalf("%s: not within %s", what, at.patience)
		}
	}
}

// refused asserts an error's code and a part of its message.
func (c *cloud) refused(err error, code, message string) {
	c.Helper()
	var api smithy.APIError
	require.ErrorAs(c, err, &api)
	require.Equal(c, code, api.ErrorCode(), api.ErrorMessage())
	require.Contains(c, api.ErrorMessage(), message)
}

// status gives the HTTP status of an answer with an error.
func status(err error) int {
	var response interface{ HTTPStatusCode() int }
	if !errors.As(err, &response) {
		return 0
	}
	return response.HTTPStatusCode()
}

// bucket makes one that goes with all that is in it.
func (c *cloud) bucket() *string {
	c.Helper()
	name := c.name()
	in := &s3.CreateBucketInput{Bucket: name}
	if r := at.sdk.Region; r != "us-east-1" {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(r)}
	}
	_, err := c.s3.CreateBucket(c.Context(), in)
	require.NoError(c, err)
	c.atEnd(func(ctx context.Context) error { return c.empty(ctx, name) })
	return name
}

// empty deletes a bucket with every version in it.
func (c *cloud) empty(ctx context.Context, bucket *string) error {
	pages := s3.NewListObjectVersionsPaginator(c.s3, &s3.ListObjectVersionsInput{Bucket: bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		var ids []s3types.ObjectIdentifier
		for _, v := range page.Versions {
			ids = append(ids, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			ids = append(ids, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		for _, id := range ids {
			if _, err := c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: id.Key, VersionId: id.VersionId}); err != nil {
				return err
			}
		}
	}
	_, err := c.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket})
	return err
}

// put stores an object and gives its URI.
func (c *cloud) put(bucket *string, key, body string) string {
	c.Helper()
	_, err := c.s3.PutObject(c.Context(), &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(body)})
	require.NoError(c, err)
	return "s3://" + *bucket + "/" + key
}

// get reads an object.
func (c *cloud) get(in *s3.GetObjectInput) (string, *s3.GetObjectOutput) {
	c.Helper()
	out, err := c.s3.GetObject(c.Context(), in)
	require.NoError(c, err)
	body, err := io.ReadAll(out.Body)
	require.NoError(c, err)
	require.NoError(c, out.Body.Close())
	return string(body), out
}

// read reads the object that a URI names.
func (c *cloud) read(uri string) string {
	c.Helper()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	body, _ := c.get(&s3.GetObjectInput{Bucket: &bucket, Key: &key})
	return body
}
