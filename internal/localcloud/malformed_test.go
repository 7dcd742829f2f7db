package localcloud_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/wire"
)

// raw is a well-signed request that no SDK would send.
type raw struct {
	service, path string
	header        map[string]string
	body          string
}

func (x raw) send(t *testing.T, url string) (status int, header http.Header, body string) {
	t.Helper()
	method := http.MethodPost
	if x.service == "s3" {
		method = http.MethodPut
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url+x.path, strings.NewReader(x.body))
	require.NoError(t, err)
	for name, value := range x.header {
		req.Header.Set(name, value)
	}
	sum := sha256.Sum256([]byte(x.body))
	req.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, req,
		hex.EncodeToString(sum[:]), x.service, "us-east-1", time.Now()))
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	all, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, resp.Header, string(all)
}

func toJSON(operation, body string) raw {
	return raw{"sagemaker", "/", map[string]string{"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "SageMaker." + operation}, body}
}

func toCBOR(operation, body string) raw {
	return raw{"monitoring", "/service/GraniteServiceVersion20100801/operation/" + operation,
		map[string]string{"Content-Type": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor"}, body}
}

func toForm(body string) raw {
	return raw{"sts", "/", map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, body}
}

// TestMalformedRequests sends what cannot be read, by every protocol, and holds
// the code and the shape of the answers.
func TestMalformedRequests(t *testing.T) {
	cfg, _ := serve(t, config(t.TempDir()))
	big := strings.Repeat("x", wire.MaxBody+1)
	const stop, role = "StopTrainingJob", "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::000000000000:role/r&RoleSessionName=s1"
	for name, tt := range map[string]struct {
		raw
		status int
		code   string
		says   string
	}{
		"json: cut off":          {toJSON(stop, `{"TrainingJobName":"a`), 400, "SerializationException", "not a JSON object"},
		"json: empty":            {toJSON(stop, ``), 400, "SerializationException", "not a JSON object"},
		"json: list":             {toJSON(stop, `[]`), 400, "SerializationException", "expected an object, got a list"},
		"json: wrong type":       {toJSON(stop, `{"TrainingJobName":{}}`), 400, "SerializationException", "TrainingJobName: expected a string, got an object"},
		"json: unknown member":   {toJSON(stop, `{"TrainingJobNam":"a"}`), 400, "SerializationException", "TrainingJobNam: unknown member"},
		"json: enum":             {toJSON("ListModels", `{"SortBy":"Size"}`), 400, "ValidationException", "Member must satisfy enum value set"},
		"json: too large":        {toJSON(stop, big), 413, "RequestEntityTooLargeException", "6 MiB"},
		"json: unknown":          {toJSON("StopTrainingJobs", `{}`), 400, "UnknownOperationException", "StopTrainingJobs"},
		"json: deep":             {toJSON(stop, strings.Repeat(`{"a":`, 20_000)), 400, "SerializationException", "not a JSON object"},
		"cbor: cut off":          {toCBOR("ListMetrics", string(cbor.Encode(cbor.Map{"Namespace": cbor.String("abc")})[:6])), 400, "SerializationException", "not CBOR"},
		"cbor: wrong type":       {toCBOR("ListMetrics", string(cbor.Encode(cbor.Map{"Namespace": cbor.Uint(1)}))), 400, "SerializationException", "Namespace: expected a string"},
		"cbor: list":             {toCBOR("ListMetrics", string(cbor.Encode(cbor.List{}))), 400, "SerializationException", "expected an object"},
		"cbor: unknown member":   {toCBOR("ListMetrics", string(cbor.Encode(cbor.Map{"Name": cbor.String("x")}))), 400, "SerializationException", "Name: unknown member"},
		"cbor: too large":        {toCBOR("ListMetrics", big), 413, "RequestEntityTooLargeException", "6 MiB"},
		"cbor: unknown":          {toCBOR("ListMetric", string(cbor.Encode(cbor.Map{}))), 400, "UnknownOperationException", "ListMetric"},
		"query: no action":       {toForm("Version=2011-06-15"), 400, "MissingAction", "parameter Action"},
		"query: unknown":         {toForm("Action=AssumeRoot&Version=2011-06-15"), 400, "InvalidAction", "Could not find operation AssumeRoot for version 2011-06-15"},
		"query: bad escape":      {toForm("Action=GetCallerIdentity&x=%zz"), 400, "MalformedQueryString", "%zz"},
		"query: wrong type":      {toForm(role + "&DurationSeconds=long"), 400, "MalformedInput", "DurationSeconds: expected a whole number"},
		"query: unknown member":  {toForm(role + "&Duration=900"), 400, "MalformedInput", "Duration: unknown member"},
		"query: not a list":      {toForm(role + "&Tags.1.Key=a"), 400, "MalformedQueryString", "member"},
		"query: too large":       {toForm("Action=" + big), 413, "RequestEntityTooLarge", "6 MiB"},
		"s3: cut off":            {raw{"s3", "/data?versioning", nil, "<VersioningConfiguration><Status>"}, 400, "MalformedXML", ""},
		"s3: other document":     {raw{"s3", "/data?versioning", nil, "<Versions/>"}, 400, "MalformedXML", ""},
		"runtime: unknown path":  {raw{"sagemaker", "/endpoints/e/other", nil, "{}"}, 404, "UnknownOperationException", "other"},
		"runtime: too large":     {raw{"sagemaker", "/endpoints/e/invocations", nil, big}, 413, "RequestEntityTooLargeException", "6 MiB"},
		"other: unknown service": {raw{"ec2", "/", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, "Action=RunInstances"}, 400, "UnknownOperationException", "ec2"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.service == "s3" {
				raw{"s3", "/data", nil, ""}.send(t, *cfg.BaseEndpoint)
			}
			status, header, body := tt.send(t, *cfg.BaseEndpoint)
			require.Equal(t, tt.status, status, body)
			require.Contains(t, body, tt.says)
			switch protocol, _, _ := strings.Cut(name, ":"); protocol {
			case "json":
				require.Contains(t, body, `"__type":"`+tt.code+`"`)
				require.Equal(t, tt.code, header.Get("X-Amzn-ErrorType"))
			case "runtime":
				require.Equal(t, tt.code, header.Get("X-Amzn-ErrorType"))
			case "cbor":
				answer, err := cbor.Decode([]byte(body))
				require.NoError(t, err)
				require.Equal(t, cbor.String(tt.code), answer.(cbor.Map)["__type"])
				require.Equal(t, "rpc-v2-cbor", header.Get("Smithy-Protocol"))
			default:
				require.Contains(t, body, "<Code>"+tt.code+"</Code>")
				require.NotEmpty(t, header.Get("X-Amzn-Requestid"))
			}
			require.False(t, bytes.Contains([]byte(body), []byte("goroutine")), "no stack traces")
		})
	}
}
