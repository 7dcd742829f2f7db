package wire_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/wire"
)

// start serves one operation of each protocol; its clock is ahead of the clients'.
func start(t *testing.T, ahead time.Duration) (url string, cfg aws.Config) {
	verifier := wire.Verifier{AccessKey: "key", SecretKey: "secret", Now: func() time.Time { return time.Now().Add(ahead) }}
	server := httptest.NewServer(wire.NewRouter(verifier,
		wire.JSON("sagemaker", "SageMaker", wire.Operations{
			"StopTrainingJob": wire.Op(func(_ context.Context, in *sagemaker.StopTrainingJobInput) (*sagemaker.StopTrainingJobOutput, error) {
				switch *in.TrainingJobName {
				case "none":
					return nil, wire.Errorf("ValidationException", "Requested resource not found: %s", *in.TrainingJobName)
				case "broken":
					return nil, errors.New("the disk is full")
				}
				return &sagemaker.StopTrainingJobOutput{}, nil
			}),
		}),
		wire.REST("sagemaker", "/endpoints/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "none") {
				wire.WriteError(w, wire.Errorf("ValidationError", "Endpoint none not found"))
				return
			}
			_, _ = io.Copy(w, r.Body)
		})),
		wire.CBOR("monitoring", "GraniteServiceVersion20100801", wire.Operations{
			"ListMetrics": wire.Op(func(_ context.Context, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
				return &cloudwatch.ListMetricsOutput{NextToken: in.Namespace}, nil
			}),
		}),
		wire.Query("sts", "https://sts.amazonaws.com/doc/2011-06-15/", wire.Operations{
			"GetCallerIdentity": wire.Op(func(context.Context, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
				return &sts.GetCallerIdentityOutput{Account: aws.String("<&>")}, nil
			}),
		}),
	))
	t.Cleanup(server.Close)
	return server.URL, aws.Config{
		Region: "eu-central-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return "no API error"
}

func TestEveryProtocolByTheSDK(t *testing.T) {
	_, cfg := start(t, 0)
	_, err := sagemaker.NewFromConfig(cfg).StopTrainingJob(t.Context(), &sagemaker.StopTrainingJobInput{TrainingJobName: aws.String("a")})
	require.NoError(t, err)
	out, err := cloudwatch.NewFromConfig(cfg).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String("N")})
	require.NoError(t, err)
	require.Equal(t, "N", *out.NextToken)
	id, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	require.Equal(t, "<&>", *id.Account)
	body := bytes.Repeat([]byte("x"), wire.MaxBody)
	got, err := sagemakerruntime.NewFromConfig(cfg).InvokeEndpoint(t.Context(), &sagemakerruntime.InvokeEndpointInput{EndpointName: aws.String("a b"), Body: body})
	require.NoError(t, err)
	require.Len(t, got.Body, wire.MaxBody)
}

func TestErrorsReachTheSDK(t *testing.T) {
	_, cfg := start(t, 0)
	sm, rt := sagemaker.NewFromConfig(cfg), sagemakerruntime.NewFromConfig(cfg)
	_, err := sm.StopTrainingJob(t.Context(), &sagemaker.StopTrainingJobInput{TrainingJobName: aws.String("none")})
	require.ErrorContains(t, err, "StatusCode: 400")
	require.ErrorContains(t, err, "ValidationException: Requested resource not found: none")
	_, err = sm.StopTrainingJob(t.Context(), &sagemaker.StopTrainingJobInput{TrainingJobName: aws.String("broken")})
	require.ErrorContains(t, err, "InternalFailure: the disk is full")
	_, err = sm.ListEndpoints(t.Context(), &sagemaker.ListEndpointsInput{})
	require.ErrorContains(t, err, "UnknownOperationException: SageMaker: operation ListEndpoints is not offered")
	_, err = cloudwatch.NewFromConfig(cfg).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	require.ErrorContains(t, err, "UnknownOperationException: GraniteServiceVersion20100801: operation DescribeAlarms")
	_, err = sts.NewFromConfig(cfg).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	require.ErrorContains(t, err, "InvalidAction: Could not find operation GetSessionToken for version 2011-06-15")
	_, err = rt.InvokeEndpoint(t.Context(), &sagemakerruntime.InvokeEndpointInput{EndpointName: aws.String("none"), Body: []byte("{}")})
	require.Equal(t, "ValidationError", code(err))
	_, err = rt.InvokeEndpoint(t.Context(), &sagemakerruntime.InvokeEndpointInput{EndpointName: aws.String("a"), Body: make([]byte, wire.MaxBody+1)})
	require.Equal(t, "RequestEntityTooLargeException", code(err))
}

func TestWhoIsRefused(t *testing.T) {
	for name, x := range map[string]struct {
		ahead       time.Duration
		key, secret string
		json, query string
	}{
		"unknown key":  {0, "nobody", "secret", "UnrecognizedClientException", "InvalidClientTokenId"},
		"wrong secret": {0, "key", "wrong", "InvalidSignatureException", "SignatureDoesNotMatch"},
		"old":          {16 * time.Minute, "key", "secret", "InvalidSignatureException", "SignatureDoesNotMatch"},
		"early":        {-16 * time.Minute, "key", "secret", "InvalidSignatureException", "SignatureDoesNotMatch"},
	} {
		_, cfg := start(t, x.ahead)
		cfg.Credentials = credentials.NewStaticCredentialsProvider(x.key, x.secret, "")
		_, err := sagemaker.NewFromConfig(cfg).StopTrainingJob(t.Context(), &sagemaker.StopTrainingJobInput{TrainingJobName: aws.String("a")})
		require.Equal(t, x.json, code(err), name)
		require.ErrorContains(t, err, "StatusCode: 403", name)
		_, err = cloudwatch.NewFromConfig(cfg).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
		require.Equal(t, x.json, code(err), name)
		_, err = sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		require.Equal(t, x.query, code(err), name)
	}
}

// request is one that no SDK would send.
type request struct {
	path, target, body, service, encoding string
	after                                 func(*http.Request) // signing
}

func (x request) send(t *testing.T, url string) (int, map[string]string) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+x.path, strings.NewReader(x.body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	if x.target != "" {
		req.Header.Set("X-Amz-Target", x.target)
	}
	if x.encoding != "" {
		req.Header.Set("Content-Encoding", x.encoding)
	}
	sum := sha256.Sum256([]byte(x.body))
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, req, hex.EncodeToString(sum[:]), x.service, "us-east-1", time.Now()))
	if x.after != nil {
		x.after(req)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	answer := map[string]string{}
	if json.Unmarshal(b, &answer) != nil {
		answer["message"] = string(b)
	}
	return resp.StatusCode, answer
}

func TestOddRequests(t *testing.T) {
	url, _ := start(t, 0)
	const stop = "SageMaker.StopTrainingJob"
	good := `{"TrainingJobName":"a"}`
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.CopyN(z, zeros{}, wire.MaxBody+1)
	require.NoError(t, z.Close())

	for name, x := range map[string]struct {
		request
		status     int
		code, says string
	}{
		"good":            {request{"/", stop, good, "sagemaker", "", nil}, 200, "", ""},
		"unknown member":  {request{"/", stop, `{"TrainingJobName":"a","Nam":1}`, "sagemaker", "", nil}, 400, "SerializationException", "Nam: unknown member"},
		"cut off":         {request{"/", stop, good[:10], "sagemaker", "", nil}, 400, "SerializationException", "not a JSON object"},
		"empty":           {request{"/", stop, "", "sagemaker", "", nil}, 400, "SerializationException", "not a JSON object"},
		"two values":      {request{"/", stop, good + good, "sagemaker", "", nil}, 400, "SerializationException", "more follows"},
		"list":            {request{"/", stop, "[1]", "sagemaker", "", nil}, 400, "SerializationException", "expected an object, got a list"},
		"unknown service": {request{"/", "Logs_20140328.GetLogEvents", "{}", "logs", "", nil}, 400, "UnknownOperationException", "logs: operation POST / Logs_20140328.GetLogEvents"},
		"unknown path":    {request{"/other", "", "{}", "sagemaker", "", nil}, 400, "UnknownOperationException", "sagemaker: operation POST /other"},
		"changed body":    {request{"/", stop, good, "sagemaker", "", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"TrainingJobName":"b"}`)) }}, 403, "InvalidSignatureException", "does not match"},
		"changed target":  {request{"/", stop, good, "sagemaker", "", func(r *http.Request) { r.Header.Set("X-Amz-Target", "SageMaker.DeleteEndpoint") }}, 403, "InvalidSignatureException", "does not match"},
		"added header":    {request{"/endpoints/a/invocations", "", good, "sagemaker", "", func(r *http.Request) { r.Header.Set("X-Amz-Target", stop) }}, 403, "InvalidSignatureException", "x-amz-target is present but not signed"},
		"added query":     {request{"/", stop, good, "sagemaker", "", func(r *http.Request) { r.URL.RawQuery = "a=b" }}, 403, "InvalidSignatureException", "does not match"},
		"other service":   {request{"/", stop, good, "monitoring", "", nil}, 400, "UnknownOperationException", "monitoring: operation"},
		"unsigned":        {request{"/", stop, good, "sagemaker", "", func(r *http.Request) { r.Header.Del("Authorization") }}, 403, "MissingAuthenticationTokenException", "not signed"},
		"other algorithm": {request{"/", stop, good, "sagemaker", "", func(r *http.Request) { r.Header.Set("Authorization", "Basic eDp5") }}, 400, "IncompleteSignatureException", "AWS4-HMAC-SHA256"},
		"short credential": {request{"/", stop, good, "sagemaker", "", func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=key/x, SignedHeaders=host, Signature=0")
		}}, 400, "IncompleteSignatureException", `"key/x"`},
		"no date":          {request{"/", stop, good, "sagemaker", "", func(r *http.Request) { r.Header.Del("X-Amz-Date") }}, 400, "IncompleteSignatureException", "X-Amz-Date"},
		"not packed":       {request{"/", stop, good, "sagemaker", "gzip", nil}, 400, "SerializationException", "gzip"},
		"packed too large": {request{"/", stop, packed.String(), "sagemaker", "gzip", nil}, 413, "RequestEntityTooLargeException", "6 MiB"},
	} {
		status, answer := x.send(t, url)
		require.Equal(t, x.status, status, name)
		require.Equal(t, x.code, answer["__type"], name)
		require.Contains(t, answer["message"], x.says, name)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
