package e2e

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

// inventory is what a cloud holds that could serve a model.
func (s *stack) inventory(t *testing.T, model string) []string {
	t.Helper()
	cloud, name := sagemaker.NewFromConfig(s.aws()), aws.String(lifecycle.EndpointName(model))
	var found []string
	models, err := cloud.ListModels(t.Context(), &sagemaker.ListModelsInput{NameContains: name})
	require.NoError(t, err)
	for _, m := range models.Models {
		found = append(found, "model/"+*m.ModelName)
	}
	configs, err := cloud.ListEndpointConfigs(t.Context(), &sagemaker.ListEndpointConfigsInput{NameContains: name})
	require.NoError(t, err)
	for _, c := range configs.EndpointConfigs {
		found = append(found, "endpoint-config/"+*c.EndpointConfigName)
	}
	endpoints, err := cloud.ListEndpoints(t.Context(), &sagemaker.ListEndpointsInput{NameContains: name})
	require.NoError(t, err)
	for _, e := range endpoints.Endpoints {
		found = append(found, "endpoint/"+*e.EndpointName)
	}
	return found
}

// trainings are the training jobs of a model, name to status.
func (s *stack) trainings(t *testing.T, model string) map[string]string {
	t.Helper()
	jobs, err := sagemaker.NewFromConfig(s.aws()).ListTrainingJobs(t.Context(),
		&sagemaker.ListTrainingJobsInput{NameContains: aws.String(lifecycle.EndpointName(model))})
	require.NoError(t, err)
	found := map[string]string{}
	for _, j := range jobs.TrainingJobSummaries {
		found[*j.TrainingJobName] = string(j.TrainingJobStatus)
	}
	return found
}

// transforms are the batch transforms of a model, name to status.
func (s *stack) transforms(t *testing.T, model string) map[string]string {
	t.Helper()
	jobs, err := sagemaker.NewFromConfig(s.aws()).ListTransformJobs(t.Context(),
		&sagemaker.ListTransformJobsInput{NameContains: aws.String(lifecycle.EndpointName(model))})
	require.NoError(t, err)
	found := map[string]string{}
	for _, j := range jobs.TransformJobSummaries {
		found[*j.TransformJobName] = string(j.TransformJobStatus)
	}
	return found
}

// objects are the keys of a bucket that contain a text.
func (s *stack) objects(t *testing.T, bucket, part string) []string {
	t.Helper()
	pages := s3.NewListObjectsV2Paginator(s3.NewFromConfig(s.aws()), &s3.ListObjectsV2Input{Bucket: &bucket})
	var keys []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, o := range page.Contents {
			if strings.Contains(*o.Key, part) {
				keys = append(keys, *o.Key)
			}
		}
	}
	return keys
}
