package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/stretchr/testify/require"
)

// seen is what a program sees that knows nothing but the SDK's environment.
type seen struct{ Buckets, Jobs, Endpoints []string }

// look is such a program: it prints what it sees as JSON.
func look() int {
	s, err := lookAround(context.Background())
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func lookAround(ctx context.Context) (s seen, err error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return s, err
	}
	buckets, bucketsErr := s3.NewFromConfig(cfg).ListBuckets(ctx, &s3.ListBucketsInput{})
	cloud := sagemaker.NewFromConfig(cfg)
	jobs, jobsErr := cloud.ListTrainingJobs(ctx, &sagemaker.ListTrainingJobsInput{})
	endpoints, endpointsErr := cloud.ListEndpoints(ctx, &sagemaker.ListEndpointsInput{})
	if err := errors.Join(bucketsErr, jobsErr, endpointsErr); err != nil {
		return s, err
	}
	for _, b := range buckets.Buckets {
		s.Buckets = append(s.Buckets, *b.Name)
	}
	for _, j := range jobs.TrainingJobSummaries {
		s.Jobs = append(s.Jobs, *j.TrainingJobName)
	}
	for _, e := range endpoints.Endpoints {
		s.Endpoints = append(s.Endpoints, *e.EndpointName)
	}
	return s, nil
}

// Any SDK with the printed endpoint and keys works: here another program with
// Go's default chain.
func TestAnySDKSeesTheLocalCloud(t *testing.T) {
	t.Parallel()
	m := newModel(t, shared.get(t), "sdk")
	m.serve()
	cmd := exec.Command(built.self, lookArgument)
	cmd.Env = bareEnv()
	for key, value := range m.Env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	var s seen
	require.NoError(t, json.Unmarshal(out, &s))
	require.Subset(t, s.Buckets, []string{"steward", "sdk-data"})
	require.Contains(t, s.Jobs, "steward-sdk-r1-linear")
	require.Contains(t, s.Endpoints, "steward-sdk")
}
