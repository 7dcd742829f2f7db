package cloud

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

// The digest on a resource that serves for months must be the same after every
// upgrade and every change of the role, or the resource looks like another's.
func TestSpecTagsStay(t *testing.T) {
	of := lifecycle.Of{Model: "fraud", Release: 4}
	for _, role := range []string{"arn:one", "arn:two"} {
		for name, tt := range map[string]struct {
			ask  func(*sagemaker.Client) error
			want string
		}{
			"training job": {func(c *sagemaker.Client) error {
				return NewJobs(c, time.Second).StartTraining(t.Context(), TrainingJob{Of: of, Name: "j", Image: "i", Instance: "ml.m5.large", Role: role,
					Output: "s3://b/o", Channels: map[string]string{"train": "s3://b/t"}, Hyperparameters: map[string]string{"seed": "1"}, MaxRuntime: time.Hour})
			}, "df556cdff5e25d1be69e97a07f30a189e76d0b56717696984e1a179bbbdc519f"},
			"transform job": {func(c *sagemaker.Client) error {
				return NewJobs(c, time.Second).StartTransform(t.Context(), TransformJob{Of: of, Name: "j", Model: "m", Instance: "ml.m5.large", Input: "s3://b/i", Output: "s3://b/o"})
			}, "560630238eae96fd9efb2c423305fc630253ae9e62d4eff03c0af4afd3c40b80"},
			"model": {func(c *sagemaker.Client) error {
				return NewModels(c).Create(t.Context(), Model{Of: of, Name: "m", Image: "i", Data: "s3://b/m", Role: role})
			}, "2ccf8e2da028488d1e5ff51d7f496e5154520adaa29f117c1a4e5001ef30d165"},
			"endpoint configuration": {func(c *sagemaker.Client) error {
				_, err := NewEndpoints(c, nil, time.Second).CreateConfig(t.Context(), EndpointConfig{Of: of, Capture: "s3://b/c", Variants: []Variant{{Release: 4, Model: "m", Instance: "ml.m5.large", Count: 1, Weight: 100}}})
				return err
			}, "318f34d90538209673cbf2ec5cf2a8aca646d13aaf372b7259ff943f4c37e285"},
		} {
			client, tags := tagging(t)
			require.NoError(t, tt.ask(client), name)
			require.Equal(t, tt.want, tags()[TagSpec], name)
			require.Equal(t, "fraud", tags()[TagModel], name)
		}
	}
}

// A group belongs to the model for ever, however it was asked for.
func TestGroupIsOfTheModel(t *testing.T) {
	client, tags := tagging(t)
	require.NoError(t, NewPackages(client).EnsureGroup(t.Context(), "fraud", "steward-fraud"))
	require.Equal(t, map[string]string{TagModel: "fraud"}, tags())
}

// tagging is a SageMaker that accepts everything, and the tags of its last request.
func tagging(t *testing.T) (*sagemaker.Client, func() map[string]string) {
	var body struct{ Tags []struct{ Key, Value string } }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(raw, &body)
		}
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(server.Close)
	client := sagemaker.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	return client, func() map[string]string {
		out := map[string]string{}
		for _, tag := range body.Tags {
			out[tag.Key] = tag.Value
		}
		return out
	}
}
