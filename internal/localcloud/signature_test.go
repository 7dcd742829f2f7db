package localcloud_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"
)

// speakers call every service once, by the family that words its errors.
var speakers = map[string]map[string]func(*testing.T, aws.Config) error{
	"json": {
		"sagemaker": func(t *testing.T, cfg aws.Config) error {
			_, err := sagemaker.NewFromConfig(cfg).ListModels(t.Context(), &sagemaker.ListModelsInput{})
			return err
		},
		"runtime": func(t *testing.T, cfg aws.Config) error {
			_, err := sagemakerruntime.NewFromConfig(cfg).InvokeEndpoint(t.Context(), &sagemakerruntime.InvokeEndpointInput{EndpointName: aws.String("e"), Body: []byte("x")})
			return err
		},
		"cloudwatch": func(t *testing.T, cfg aws.Config) error {
			_, err := cloudwatch.NewFromConfig(cfg).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
			return err
		},
		"logs": func(t *testing.T, cfg aws.Config) error {
			_, err := cloudwatchlogs.NewFromConfig(cfg).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
			return err
		},
	},
	"query": {
		"sts": func(t *testing.T, cfg aws.Config) error {
			_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			return err
		},
		"sns": func(t *testing.T, cfg aws.Config) error {
			_, err := sns.NewFromConfig(cfg).ListTopics(t.Context(), &sns.ListTopicsInput{})
			return err
		},
	},
	"s3": {
		"s3": func(t *testing.T, cfg aws.Config) error {
			_, err := s3.NewFromConfig(cfg).ListBuckets(t.Context(), &s3.ListBucketsInput{})
			return err
		},
	},
}

// TestSignatureFaults makes every fault a signature can have, at every service.
func TestSignatureFaults(t *testing.T) {
	var ahead atomic.Int64 // of the cloud's clock, in minutes
	clocked := config(t.TempDir())
	clocked.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load()) * time.Minute) }
	cfg, _ := serve(t, clocked)
	for name, fault := range map[string]struct {
		ahead       int64
		key, secret string
		says        string
		codes       map[string]string
	}{
		"unknown key": {0, "nobody", "secret", "not known here", map[string]string{"json": "UnrecognizedClientException", "query": "InvalidClientTokenId", "s3": "InvalidAccessKeyId"}},
		"wrong secret": {0, "key", "wrong", "The request signature we calculated does not match the signature you provided",
			map[string]string{"json": "InvalidSignatureException", "query": "SignatureDoesNotMatch", "s3": "SignatureDoesNotMatch"}},
		"late":  {16, "key", "secret", "Signature expired: ", map[string]string{"json": "InvalidSignatureException", "query": "SignatureDoesNotMatch", "s3": "RequestTimeTooSkewed"}},
		"early": {-16, "key", "secret", "Signature not yet current: ", map[string]string{"json": "InvalidSignatureException", "query": "SignatureDoesNotMatch", "s3": "RequestTimeTooSkewed"}},
	} {
		ahead.Store(fault.ahead)
		cfg.Credentials = credentials.NewStaticCredentialsProvider(fault.key, fault.secret, "")
		for family, services := range speakers {
			for service, call := range services {
				err := call(t, cfg)
				require.Equal(t, fault.codes[family], errorCode(t, err), "%s: %s", name, service)
				require.ErrorContains(t, err, "StatusCode: 403", "%s: %s", name, service)
				if family != "s3" || fault.ahead == 0 {
					require.ErrorContains(t, err, fault.says, "%s: %s", name, service)
				} else {
					require.ErrorContains(t, err, "The difference between the request time and the current time is too large")
				}
			}
		}
	}
	// Within the limits all is well.
	cfg.Credentials = credentials.NewStaticCredentialsProvider("key", "secret", "")
	for _, minutes := range []int64{14, -14} {
		ahead.Store(minutes)
		require.NoError(t, speakers["s3"]["s3"](t, cfg))
		require.NoError(t, speakers["query"]["sts"](t, cfg))
	}
}

// TestPresignedExpires lets a presigned request become too old, and presigns one
// for too long.
func TestPresignedExpires(t *testing.T) {
	var ahead atomic.Int64 // of the cloud's clock, in minutes
	clocked := config(t.TempDir())
	clocked.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load()) * time.Minute) }
	cfg, _ := serve(t, clocked)
	client := s3.NewFromConfig(cfg)
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("data")})
	require.NoError(t, err)
	_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), Body: strings.NewReader("x")})
	require.NoError(t, err)
	presign := func(life time.Duration) string {
		signed, err := s3.NewPresignClient(client).PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("data"), Key: aws.String("k")}, s3.WithPresignExpires(life))
		require.NoError(t, err)
		return signed.URL
	}
	hour := presign(time.Hour)
	for minutes, want := range map[int64]int{0: 200, 59: 200, 61: 403, -14: 200, -16: 403} {
		ahead.Store(minutes)
		status, body := get(t, hour)
		require.Equal(t, want, status, "%d minutes ahead", minutes)
		if minutes == 61 {
			require.Contains(t, body, "<Code>AccessDenied</Code><Message>Request has expired")
		}
	}
	ahead.Store(0)
	status, body := get(t, presign(8*24*time.Hour))
	require.Equal(t, 400, status)
	require.Contains(t, body, "<Code>AuthorizationQueryParametersError</Code>")
	require.Contains(t, body, "604800")
}

func get(t *testing.T, url string) (int, string) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, string(body)
}
