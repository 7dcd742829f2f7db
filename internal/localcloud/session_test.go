package localcloud_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
)

const role = "arn:aws:iam::000000000000:role/team/deployer"

// as gives the configuration of whoever has the credentials.
func as(cfg aws.Config, c *types.Credentials) aws.Config {
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	return cfg
}

func errorCode(t *testing.T, err error) string {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	return api.ErrorCode()
}

// TestAssumedRole uses a role's credentials with every protocol, over a restart
// and until they expire.
func TestAssumedRole(t *testing.T) {
	var ahead atomic.Int64 // of the cloud's clock, in seconds
	dir := t.TempDir()
	clocked := config(dir)
	clocked.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load()) * time.Second) }
	cfg, stop := serve(t, clocked)
	assumed, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("steward@test"),
		DurationSeconds: aws.Int32(900), Tags: []types.Tag{{Key: aws.String("model"), Value: aws.String("flight")}}, TransitiveTagKeys: []string{"model"}})
	require.NoError(t, err)
	const arn = "arn:aws:sts::000000000000:assumed-role/deployer/steward@test"
	require.Equal(t, arn, *assumed.AssumedRoleUser.Arn)
	require.WithinDuration(t, time.Now().Add(900*time.Second), *assumed.Credentials.Expiration, time.Minute)
	require.Regexp(t, `^ASIA[A-Z2-7]{16}$`, *assumed.Credentials.AccessKeyId)
	require.Len(t, *assumed.Credentials.SecretAccessKey, 40)

	stop()
	cfg, _ = serve(t, clocked)
	session := as(cfg, assumed.Credentials)
	id, err := sts.NewFromConfig(session).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	require.Equal(t, arn, *id.Arn)
	require.Equal(t, *assumed.AssumedRoleUser.AssumedRoleId, *id.UserId)
	calls := map[string]func(cfg aws.Config) error{
		"s3": func(cfg aws.Config) error {
			_, err := s3.NewFromConfig(cfg).ListBuckets(t.Context(), &s3.ListBucketsInput{})
			return err
		},
		"sagemaker": func(cfg aws.Config) error {
			_, err := sagemaker.NewFromConfig(cfg).ListModels(t.Context(), &sagemaker.ListModelsInput{})
			return err
		},
		"cloudwatch": func(cfg aws.Config) error {
			_, err := cloudwatch.NewFromConfig(cfg).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
			return err
		},
		"sts": func(cfg aws.Config) error {
			_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			return err
		},
	}
	presigned, err := s3.NewPresignClient(s3.NewFromConfig(session)).PresignHeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("none")})
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, head(t, presigned.URL))

	without, forged, swapped := *assumed.Credentials, *assumed.Credentials, *assumed.Credentials
	without.SessionToken = aws.String("")
	forged.SessionToken = aws.String(strings.ToLower(*assumed.Credentials.SessionToken))
	swapped.AccessKeyId = aws.String("ASIAAAAAAAAAAAAAAAAA")
	for service, call := range calls {
		require.NoError(t, call(session), service)
		unknown := map[string]string{"s3": "InvalidAccessKeyId", "sts": "InvalidClientTokenId"}[service]
		invalid := map[string]string{"s3": "InvalidToken", "sts": "InvalidClientTokenId"}[service]
		if unknown == "" {
			unknown, invalid = "UnrecognizedClientException", "UnrecognizedClientException"
		}
		require.Equal(t, unknown, errorCode(t, call(as(cfg, &without))), service)
		require.Equal(t, invalid, errorCode(t, call(as(cfg, &forged))), service)
		require.Equal(t, invalid, errorCode(t, call(as(cfg, &swapped))), service)
	}

	// The cloud's clock runs ahead to the end of the session, no further than
	// signatures may be off.
	ahead.Store(900)
	for service, call := range calls {
		expired := map[string]string{"s3": "ExpiredToken", "sts": "ExpiredToken"}[service]
		if expired == "" {
			expired = "ExpiredTokenException"
		}
		require.Equal(t, expired, errorCode(t, call(session)), service)
		if service == "s3" {
			require.ErrorContains(t, call(session), "StatusCode: 400")
		}
	}
}

func head(t *testing.T, url string) int {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, url, http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	return resp.StatusCode
}

func TestAssumeRoleIsChecked(t *testing.T) {
	cfg, _ := serve(t, config(t.TempDir()))
	client := sts.NewFromConfig(cfg)
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	first, err := client.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("one"),
		Tags: []types.Tag{tag("model", "flight"), tag("own", "1")}, TransitiveTagKeys: []string{"model"}})
	require.NoError(t, err)
	chain := sts.NewFromConfig(as(cfg, first.Credentials))
	for _, tt := range []struct {
		name   string
		client *sts.Client
		change func(*sts.AssumeRoleInput)
		code   string
		says   string
	}{
		{"no role", client, func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam::000000000000:user/x") }, "ValidationError", "roleArn"},
		{"name", client, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, "ValidationError", "'a b' at 'roleSessionName'"},
		{"short", client, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, "ValidationError", "greater than or equal to 900"},
		{"long", client, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43201) }, "ValidationError", "less than or equal to 43200"},
		{"long chain", chain, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, "ValidationError", "role chaining"},
		{"policy", client, func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{}") }, "ValidationError", "Policy and PolicyArns are not supported"},
		{"tag twice", client, func(in *sts.AssumeRoleInput) { in.Tags = []types.Tag{tag("a", "1"), tag("a", "2")} }, "InvalidParameterValue", "Duplicate tag keys"},
		{"AWS's tag", client, func(in *sts.AssumeRoleInput) { in.Tags = []types.Tag{tag("aws:x", "1")} }, "ValidationError", "aws:"},
		{"not a tag", client, func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"b"} }, "InvalidParameterValue", "transitive tag key b"},
		{"inherited", chain, func(in *sts.AssumeRoleInput) { in.Tags = []types.Tag{tag("model", "other")} }, "InvalidParameterValue", "model"},
		{"own again", chain, func(in *sts.AssumeRoleInput) { in.Tags = []types.Tag{tag("own", "2")} }, "", ""},
	} {
		in := &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("two")}
		tt.change(in)
		_, err := tt.client.AssumeRole(t.Context(), in)
		if tt.code == "" {
			require.NoError(t, err, tt.name)
			continue
		}
		require.Equal(t, tt.code, errorCode(t, err), tt.name)
		require.ErrorContains(t, err, tt.says, tt.name)
	}

	own, err := client.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	require.NoError(t, err)
	id, err := sts.NewFromConfig(as(cfg, own.Credentials)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:iam::000000000000:user/local", *id.Arn)
	_, err = chain.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	require.Equal(t, "AccessDenied", errorCode(t, err))
}
