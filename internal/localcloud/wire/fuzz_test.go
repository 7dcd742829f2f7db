package wire

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"
)

// echo is an operation that answers with its input.
func echo[T any]() Operation {
	return Op(func(_ context.Context, in *T) (*T, error) { return in, nil })
}

// fuzzed offers operations whose inputs have every kind of member.
func fuzzed() *Router {
	return NewRouter(Verifier{AccessKey: "key", SecretKey: "secret", Now: func() time.Time { return now }},
		JSON("sagemaker", "SageMaker", Operations{
			"CreateTrainingJob": echo[sagemaker.CreateTrainingJobInput](), "UpdateTrialComponent": echo[sagemaker.UpdateTrialComponentInput]()}),
		CBOR("monitoring", "GraniteServiceVersion20100801", Operations{"PutMetricData": echo[cloudwatch.PutMetricDataInput](), "GetMetricData": echo[cloudwatch.GetMetricDataInput]()}),
		Query("sts", "https://sts.amazonaws.com/doc/2011-06-15/", Operations{"DecodeAuthorizationMessage": echo[sts.DecodeAuthorizationMessageInput]()}),
		S3(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(w, r.Body); err != nil {
				writeXMLError(w, asError(err))
			}
		})),
	)
}

// request is one for a service, signed as it should be.
func (rt *Router) request(service, path string, body []byte, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	sum := sha256.Sum256(body)
	s := signature{accessKey: "key", date: now.Format("20060102"), region: "us-east-1", service: service, at: now,
		headers: []string{"host", "x-amz-date"}, payload: hex.EncodeToString(sum[:])}
	r.Header.Set("X-Amz-Date", now.Format(stampLayout))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if name := strings.ToLower(headers[i]); strings.HasPrefix(name, "x-amz-") {
			s.headers = append(s.headers, name)
		}
	}
	r.Header.Set("Authorization", algorithm+" Credential="+strings.Join([]string{s.accessKey, s.date, s.region, s.service, terminator}, "/")+
		", SignedHeaders="+strings.Join(s.headers, ";")+", Signature="+rt.verify.sign(s, canonical(s, r, s.payload)))
	return r
}

func (rt *Router) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	rt.ServeHTTP(w, r)
	return w
}

// expected are the codes that a body may be refused by.
var expected = []string{"SerializationException", "ValidationException"}

func FuzzJSON(f *testing.F) {
	rt := fuzzed()
	for _, seed := range []string{`{"TrainingJobName": "x", "HyperParameters": {"a": "1"}, "StoppingCondition": {"MaxRuntimeInSeconds": 1e2}}`,
		`{"Parameters": {"p": {"NumberValue": "NaN"}}, "StartTime": 1772368215.123}`, `{"StartTime": -1e300}`, `[`, `null`, `{} {}`, `{"a": 1`, "\xff",
		`{"InputDataConfig": [{"ChannelName": "t"}]}`, `{"ResourceConfig": {"VolumeSizeInGB": 9223372036854775808}}`, strings.Repeat(`{"a":`, 200)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, target := range []string{"CreateTrainingJob", "UpdateTrialComponent"} {
			w := rt.answer(rt.request("sagemaker", "/", body, targetHeader, "SageMaker."+target))
			var tree map[string]any
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &tree), w.Body)
			if w.Code == http.StatusBadRequest {
				require.Contains(t, expected, tree["__type"])
				continue
			}
			require.Equal(t, http.StatusOK, w.Code, w.Body)
			again := rt.answer(rt.request("sagemaker", "/", w.Body.Bytes(), targetHeader, "SageMaker."+target))
			require.Equal(t, w.Body, again.Body, "what was understood can be said again")
		}
	})
}

func FuzzCBOR(f *testing.F) {
	rt := fuzzed()
	for _, v := range []cbor.Value{
		cbor.Map{"Namespace": cbor.String("n"), "MetricData": cbor.List{cbor.Map{"MetricName": cbor.String("m"), "Value": cbor.Float64(1.5), "Timestamp": &cbor.Tag{ID: 1, Value: cbor.Uint(1772368215)}}}},
		cbor.Map{"MaxDatapoints": cbor.NegInt(1), "StartTime": &cbor.Tag{ID: 1, Value: cbor.Float64(1e300)}, "EndTime": &cbor.Tag{ID: 2, Value: cbor.Slice{1}}},
		cbor.List{}, &cbor.Nil{}, cbor.Map{"StrictEntityValidation": cbor.Bool(true)},
	} {
		f.Add(cbor.Encode(v))
	}
	f.Add([]byte{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add(bytes.Repeat([]byte{0x81}, 1000))
	f.Add(bytes.Repeat([]byte{0x9f}, 1000))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, operation := range []string{"PutMetricData", "GetMetricData"} {
			path := "/service/GraniteServiceVersion20100801/operation/" + operation
			w := rt.answer(rt.request("monitoring", path, body, protocolHeader, cborProtocol))
			v, err := cbor.Decode(w.Body.Bytes())
			require.NoError(t, err)
			if w.Code == http.StatusBadRequest {
				require.Contains(t, expected, string(v.(cbor.Map)["__type"].(cbor.String)))
				continue
			}
			require.Equal(t, http.StatusOK, w.Code, v)
			again := rt.answer(rt.request("monitoring", path, w.Body.Bytes(), protocolHeader, cborProtocol))
			require.Equal(t, http.StatusOK, again.Code, "what was understood can be said again")
		}
	})
}

func FuzzQuery(f *testing.F) {
	rt := fuzzed()
	for _, seed := range []string{"Action=DecodeAuthorizationMessage&Version=2011-06-15&EncodedMessage=m", "Action=DecodeAuthorizationMessage&EncodedMessage=%3C%00%26", "Action=%3Cb%3E", "", "%", "Action=DecodeAuthorizationMessage&a.b.member.1=x&a.b=y", "Action=DecodeAuthorizationMessage&EncodedMessage.member.99999999999=x", ";"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := rt.answer(rt.request("sts", "/", []byte(body), "Content-Type", "application/x-www-form-urlencoded"))
		require.Less(t, w.Code, http.StatusInternalServerError, w.Body)
		requireXML(t, w.Body)
	})
}

func requireXML(t *testing.T, text *bytes.Buffer) {
	d := xml.NewDecoder(bytes.NewReader(text.Bytes()))
	for {
		if _, err := d.Token(); err != nil {
			require.True(t, errors.Is(err, io.EOF), "%v in %s", err, text)
			return
		}
	}
}

// FuzzSignature holds that nobody gets in by a signature that is not one.
func FuzzSignature(f *testing.F) {
	rt := fuzzed()
	good := rt.request("s3", "/b/k", nil)
	f.Add(good.Header.Get("Authorization")[:100], good.Header.Get("X-Amz-Date"), unsignedPayload, "")
	f.Add(algorithm+" Credential=key/20260301/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00", "20260301T123015Z", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "")
	f.Add("", "", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=key%2F20260301%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260301T123015Z&X-Amz-Expires=999999999999999&X-Amz-SignedHeaders=host&X-Amz-Signature=00")
	f.Add("AWS key:sum", "x", "e3b0", "%zz")
	f.Add(algorithm+" ,,=,Credential=////,SignedHeaders=;;host", "99999999T999999Z", strings.Repeat("g", 64), "X-Amz-Signature")
	f.Fuzz(func(t *testing.T, authorization, date, digest, query string) {
		r := httptest.NewRequest(http.MethodGet, "/b/k", nil)
		r.URL.RawQuery = query
		for name, value := range map[string]string{"Authorization": authorization, "X-Amz-Date": date, "X-Amz-Content-Sha256": digest} {
			if value != "" {
				r.Header[name] = []string{value}
			}
		}
		w := rt.answer(r)
		require.GreaterOrEqual(t, w.Code, http.StatusBadRequest, w.Body)
		require.NotEqual(t, http.StatusInternalServerError, w.Code, w.Body)
	})
}

// FuzzPacked holds that a packed body is taken to its end or refused.
func FuzzPacked(f *testing.F) {
	rt := fuzzed()
	for _, seed := range []string{"", "\x1f\x8b", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xaa\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w := rt.answer(rt.request("sagemaker", "/", body, targetHeader, "SageMaker.CreateTrainingJob", "Content-Encoding", "gzip"))
		require.Contains(t, []int{http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge}, w.Code, w.Body)
	})
}

// FuzzChunked holds that chunks give as many bytes as were stated, or an error,
// and that nobody can make signed ones without the key.
func FuzzChunked(f *testing.F) {
	for _, body := range []string{"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "5\nhello\n0\n\n", "5;chunk-signature=" + firstChunk + "\r\nhello\r\n0;chunk-signature=" + lastChunk + "\r\n\r\n",
		"-1\r\n", "7fffffffffffffff\r\nx", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "0\r\n", "\r\n", "0\r\nx:y\r\nz", strings.Repeat("0", 5000)} {
		f.Add([]byte(body), "5")
		f.Add([]byte(body), "0")
	}
	f.Add([]byte(""), "-1")
	f.Fuzz(func(t *testing.T, body []byte, length string) {
		for _, kind := range []string{unsignedTrailer, signedChunks, signedChunksTrailer} {
			v, s := exampleVerifier()
			s.payload = kind
			r := chunked(string(body), length)
			if refused := v.guardBody(s, r); refused != nil {
				continue
			}
			got, err := io.ReadAll(r.Body)
			require.LessOrEqual(t, int64(len(got)), r.ContentLength)
			if err == nil {
				require.Equal(t, unsignedTrailer, kind)
				require.Equal(t, r.ContentLength, int64(len(got)))
			}
		}
	})
}

// A request may not make the cloud go deeper than its stack.
func TestDeepBodies(t *testing.T) {
	const depth = 1 << 20
	rt := fuzzed()
	for _, r := range []*http.Request{
		rt.request("sagemaker", "/", []byte(strings.Repeat(`{"a":`, depth)), targetHeader, "SageMaker.CreateTrainingJob"),
		rt.request("sagemaker", "/", []byte(`{"HyperParameters":`+strings.Repeat("[", depth)), targetHeader, "SageMaker.CreateTrainingJob"),
		rt.request("monitoring", "/service/GraniteServiceVersion20100801/operation/PutMetricData", bytes.Repeat([]byte{0x9f}, depth), protocolHeader, cborProtocol),
		rt.request("monitoring", "/service/GraniteServiceVersion20100801/operation/PutMetricData", bytes.Repeat([]byte{0xbf, 0x61, 'a'}, depth), protocolHeader, cborProtocol),
		rt.request("sts", "/", []byte("Action=DecodeAuthorizationMessage&EncodedMessage"+strings.Repeat(".a", depth)+"=x"), "Content-Type", "application/x-www-form-urlencoded"),
		rt.request("sts", "/", []byte("Action=DecodeAuthorizationMessage&Unknown"+strings.Repeat(".a", depth)+"=x"), "Content-Type", "application/x-www-form-urlencoded"),
	} {
		require.Equal(t, http.StatusBadRequest, rt.answer(r).Code)
	}
}
