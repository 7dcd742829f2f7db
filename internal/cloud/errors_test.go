package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"steward/internal/lifecycle"
)

// answering is a SageMaker that answers every request with one error.
func answering(t *testing.T, status int, code, message string) *sagemaker.Client {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		body, _ := json.Marshal(map[string]string{"__type": code, "message": message})
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return sagemaker.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
}

func TestTranslate(t *testing.T) {
	for _, tt := range []struct {
		code, message string
		is            error
		kind          string
		final         bool
		status        int
	}{
		{"ResourceInUse", "Training job names must be unique within an AWS account and region, and a training job with this name already exists (arn)", ErrExists, lifecycle.Conflict, true, 400},
		{"ResourceInUse", "Job name must be unique within an AWS account and region", ErrExists, lifecycle.Conflict, true, 400},
		{"ValidationException", `Cannot create already existing endpoint "arn".`, ErrExists, lifecycle.Conflict, true, 400},
		{"ValidationException", "Model Package Group already exists", ErrExists, lifecycle.Conflict, true, 400},
		{"ValidationException", "Requested resource not found", ErrNotFound, lifecycle.NotFound, false, 400},
		{"ValidationException", "Could not find requested job with name: j", ErrNotFound, lifecycle.NotFound, false, 400},
		{"ValidationException", "ModelPackage arn does not exist.", ErrNotFound, lifecycle.NotFound, false, 400},
		{"ResourceNotFound", "no such tuning job", ErrNotFound, lifecycle.NotFound, false, 400},
		{"ValidationError", "Endpoint X of account 1 not found.", ErrNotFound, lifecycle.NotFound, false, 400},
		{"ValidationException", "Cannot update in-progress endpoint", ErrInProgress, lifecycle.Conflict, false, 400},
		{"ValidationException", "The request was rejected because the training job is in status Completed", ErrEnded, lifecycle.Conflict, true, 400},
		{"ValidationException", "1 validation error detected", ErrRefused, lifecycle.Invalid, true, 400},
		{"ValidationException", "Requested image 1.dkr.ecr/x:1 not found.", ErrRefused, lifecycle.Invalid, true, 400},
		{"ResourceLimitExceeded", "The account-level service limit 'ml.p3 for training job usage' is 0 Instances", ErrQuota, lifecycle.Quota, false, 400},
		{"AccessDeniedException", "User is not authorized", ErrDenied, lifecycle.Denied, true, 400},
		{"ThrottlingException", "Rate exceeded", ErrThrottled, "", false, 400},
		{"ValidationException", `Could not find model data at s3://b/k.`, ErrRefused, lifecycle.Invalid, true, 400},
		{"Forbidden", "no word", ErrDenied, lifecycle.Denied, true, 403},
		{"MovedPermanently", "no word", ErrRefused, lifecycle.Invalid, true, 301},
		{"BadRequest", "no word", ErrRefused, lifecycle.Invalid, true, 400},
		{"ExpiredTokenException", "The security token included in the request is expired", ErrDenied, lifecycle.Denied, false, 403},
		{"NeverHeardOf", "a 4xx", ErrRefused, lifecycle.Invalid, true, 422},
		{"NeverHeardOf", "a request that took too long", nil, "", false, 408},
		{"NeverHeardOf", "a throttled request", nil, "", false, 429},
		{"RequestTimeout", "Your socket connection was not read from", nil, "", false, 400},
		{"BadDigest", "The Content-MD5 you specified did not match", nil, "", false, 400},
		{"InternalFailure", "oops", nil, "", false, 500},
	} {
		t.Run(tt.code+" "+tt.message, func(t *testing.T) {
			_, err := NewJobs(answering(t, tt.status, tt.code, tt.message), 0).describeTraining(t.Context(), "steward-a-r1-x")
			require.ErrorContains(t, err, "look at training job steward-a-r1-x: ")
			require.ErrorContains(t, err, tt.message)
			require.Equal(t, tt.kind, lifecycle.ErrorType(err))
			require.Equal(t, tt.final, Final(err))
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
			if tt.kind != "" {
				require.IsType(t, &temporal.ApplicationError{}, err, "Temporal looks at the outermost error only")
			}
		})
	}
}

func TestTranslateLeavesTheRestRetryable(t *testing.T) {
	client := sagemaker.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:1"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	_, err := NewJobs(client, 0).StopTraining(t.Context(), "j")
	require.ErrorContains(t, err, "stop training job j: ")
	require.Empty(t, lifecycle.ErrorType(err))
	require.NoError(t, translate(nil, "x"))
}

func TestWrapKeepsTheType(t *testing.T) {
	err := Wrap(typed("start job j: no", lifecycle.Quota, true, ErrQuota), "candidate %s", "trees")
	require.IsType(t, &temporal.ApplicationError{}, err)
	require.ErrorIs(t, err, ErrQuota)
	require.False(t, Final(err))
	require.ErrorContains(t, err, "candidate trees: start job j: no")
	require.True(t, Final(Wrap(fmt.Errorf("deep: %w", lifecycle.Fail(lifecycle.JobFailed, "x")), "y")))
	require.EqualError(t, Wrap(errors.New("x"), "y"), "y: x")
	require.NoError(t, Wrap(nil, "y"))
}

func TestPrices(t *testing.T) {
	prices := DefaultPrices.With(Prices{"ml.own.large": 2})
	cost, err := prices.Cost("ml.own.large", 90*60*1e9)
	require.NoError(t, err)
	require.InDelta(t, 3, cost, 1e-12)
	_, err = prices.Hour("ml.m5.lrage")
	require.Equal(t, lifecycle.Invalid, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, `instance "ml.m5.lrage" has no price`)
	require.NotContains(t, DefaultPrices, "ml.own.large")
}
