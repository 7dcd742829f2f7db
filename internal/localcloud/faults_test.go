package localcloud_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud"
	"steward/internal/localcloud/faults"
)

// setFaults sends a plan to the admin API.
func setFaults(t *testing.T, cfg aws.Config, plan string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, *cfg.BaseEndpoint+localcloud.FaultsPath, strings.NewReader(plan))
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode, string(text))
}

func codeOf(t *testing.T, err error) string {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	return api.ErrorCode()
}

// Every operation is known to the rules by AWS's name of it.
func TestFaultsByOperation(t *testing.T) {
	cfg, _ := serve(t, config(t.TempDir()))
	var (
		ctx                = t.Context()
		objects            = s3.NewFromConfig(cfg)
		models             = sagemaker.NewFromConfig(cfg)
		bucket, key, other = aws.String("b"), aws.String("dir/k"), aws.String("b/other")
	)
	for want, call := range map[string]func() error{
		"s3 ListBuckets ":   func() error { _, err := objects.ListBuckets(ctx, nil); return err },
		"s3 CreateBucket b": func() error { _, err := objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}); return err },
		"s3 DeleteBucket b": func() error { _, err := objects.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket}); return err },
		"s3 GetBucketVersioning b": func() error {
			_, err := objects.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: bucket})
			return err
		},
		"s3 ListObjects b":   func() error { _, err := objects.ListObjects(ctx, &s3.ListObjectsInput{Bucket: bucket}); return err },
		"s3 ListObjectsV2 b": func() error { _, err := objects.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket}); return err },
		"s3 ListObjectVersions b": func() error {
			_, err := objects.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket})
			return err
		},
		"s3 ListMultipartUploads b": func() error {
			_, err := objects.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket})
			return err
		},
		"s3 DeleteObjects b": func() error {
			_, err := objects.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: key}}}})
			return err
		},
		"s3 PutObject b/dir/k": func() error {
			_, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key})
			return err
		},
		"s3 GetObject b/dir/k": func() error {
			_, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
			return err
		},
		"s3 DeleteObject b/dir/k": func() error {
			_, err := objects.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key})
			return err
		},
		"s3 CopyObject b/dir/k": func() error {
			_, err := objects.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: key, CopySource: other})
			return err
		},
		"s3 GetObjectTagging b/dir/k": func() error {
			_, err := objects.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key})
			return err
		},
		"s3 GetObjectAttributes b/dir/k": func() error {
			_, err := objects.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: bucket, Key: key, ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesEtag}})
			return err
		},
		"s3 CreateMultipartUpload b/dir/k": func() error {
			_, err := objects.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
			return err
		},
		"s3 UploadPart b/dir/k": func() error {
			_, err := objects.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: key, PartNumber: aws.Int32(1)})
			return err
		},
		"s3 UploadPartCopy b/dir/k": func() error {
			_, err := objects.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: bucket, Key: key, UploadId: key, PartNumber: aws.Int32(1), CopySource: other})
			return err
		},
		"s3 ListParts b/dir/k": func() error {
			_, err := objects.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: key, UploadId: key})
			return err
		},
		"s3 CompleteMultipartUpload b/dir/k": func() error {
			_, err := objects.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: key})
			return err
		},
		"s3 AbortMultipartUpload b/dir/k": func() error {
			_, err := objects.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: key})
			return err
		},
		"sagemaker DescribeTrainingJob j": func() error {
			_, err := models.DescribeTrainingJob(ctx, &sagemaker.DescribeTrainingJobInput{TrainingJobName: aws.String("j")})
			return err
		},
		"sagemaker DescribeModelPackage arn:aws:sagemaker:us-east-1:000000000000:model-package/g/1": func() error {
			_, err := models.DescribeModelPackage(ctx, &sagemaker.DescribeModelPackageInput{ModelPackageName: aws.String("arn:aws:sagemaker:us-east-1:000000000000:model-package/g/1")})
			return err
		},
		"sagemaker InvokeEndpoint e": func() error {
			_, err := sagemakerruntime.NewFromConfig(cfg).InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{EndpointName: aws.String("e"), Body: []byte("1")})
			return err
		},
		"monitoring ListMetrics ": func() error { _, err := cloudwatch.NewFromConfig(cfg).ListMetrics(ctx, nil); return err },
		"logs DescribeLogGroups ": func() error {
			_, err := cloudwatchlogs.NewFromConfig(cfg).DescribeLogGroups(ctx, nil)
			return err
		},
		"sns CreateTopic ops": func() error {
			_, err := sns.NewFromConfig(cfg).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("ops"), Attributes: map[string]string{"DisplayName": "x"}})
			return err
		},
		"sns Publish arn:aws:sns:us-east-1:000000000000:ops": func() error {
			_, err := sns.NewFromConfig(cfg).Publish(ctx, &sns.PublishInput{TopicArn: aws.String("arn:aws:sns:us-east-1:000000000000:ops"), Message: aws.String("x")})
			return err
		},
		"application-autoscaling DeregisterScalableTarget endpoint/e/variant/v": func() error {
			_, err := applicationautoscaling.NewFromConfig(cfg).DeregisterScalableTarget(ctx, &applicationautoscaling.DeregisterScalableTargetInput{
				ServiceNamespace: "sagemaker", ResourceId: aws.String("endpoint/e/variant/v"), ScalableDimension: "sagemaker:variant:DesiredInstanceCount"})
			return err
		},
		"sts GetCallerIdentity ": func() error { _, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil); return err },
	} {
		t.Run(want, func(t *testing.T) {
			name := strings.SplitN(want, " ", 3)
			setFaults(t, cfg, fmt.Sprintf(`{"rules": [{"service": %q, "operation": %q, "resource": %q, "fault": "answer", "code": "Struck", "message": "by a rule", "status": 418}]}`,
				name[0], name[1], name[2]))
			err := call()
			require.Equal(t, "Struck", codeOf(t, err))
			require.ErrorContains(t, err, "by a rule")
		})
	}
}

// A client that retries gets through what passes.
func TestFaultsPass(t *testing.T) {
	c := config(t.TempDir())
	c.Faults = faults.Plan{Rules: []faults.Rule{{Operation: "CreateModelPackageGroup", Fault: faults.Throttle, Count: 2}}}
	cfg, _ := serve(t, c)
	models := sagemaker.NewFromConfig(cfg)
	create := func(attempts int) error {
		_, err := models.CreateModelPackageGroup(t.Context(), &sagemaker.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("g")},
			func(o *sagemaker.Options) { o.RetryMaxAttempts = attempts })
		return err
	}
	require.Equal(t, "ThrottlingException", codeOf(t, create(1)))
	require.NoError(t, create(3))
}

// Done and not said: whoever tries again finds it done.
func TestFaultsThatLoseTheAnswer(t *testing.T) {
	cfg, _ := serve(t, config(t.TempDir()))
	objects, models := s3.NewFromConfig(cfg), sagemaker.NewFromConfig(cfg)
	_, err := objects.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("box")})
	require.NoError(t, err)
	setFaults(t, cfg, `{"rules": [{"fault": "lost", "operation": "PutObject"}, {"fault": "lost", "operation": "CreateModelPackageGroup"}]}`)

	put := func() error {
		_, err := objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("k"), Body: strings.NewReader("kept"), IfNoneMatch: aws.String("*")})
		return err
	}
	create := func() error {
		_, err := models.CreateModelPackageGroup(t.Context(), &sagemaker.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("g")})
		return err
	}
	for _, call := range []func() error{put, create} {
		err := call()
		var api smithy.APIError
		require.Error(t, err)
		require.NotErrorAs(t, err, &api, "nobody answered")
	}
	setFaults(t, cfg, `{}`)
	require.Equal(t, "PreconditionFailed", codeOf(t, put()))
	require.ErrorContains(t, create(), "already exists")
	got, err := objects.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("box"), Key: aws.String("k")})
	require.NoError(t, err)
	text, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	require.Equal(t, "kept", string(text))
}

// A slow call ends with its client's patience, and holds nobody up.
func TestFaultsThatDelay(t *testing.T) {
	cfg, _ := serve(t, config(t.TempDir()))
	setFaults(t, cfg, `{"rules": [{"fault": "slow", "delay": "1h", "operation": "ListBuckets"}]}`)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := s3.NewFromConfig(cfg).ListBuckets(ctx, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
}
