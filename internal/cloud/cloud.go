// Package cloud is the AWS SDK in our words: objects, jobs, packages and
// endpoints as Steward needs them. It knows nothing of workflows. AWS error
// codes become our typed errors here and nowhere else, and nothing here knows
// whether AWS or the local cloud answers.
package cloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
)

// Clients are the SDK's clients of every service that Steward uses.
type Clients struct {
	S3         *s3.Client
	SageMaker  *sagemaker.Client
	Runtime    *sagemakerruntime.Client
	CloudWatch *cloudwatch.Client
}

// New connects by the SDK's own default chain: region, credentials, profile,
// AWS_ENDPOINT_URL and AWS_RETRY_MODE mean what AWS documents.
func New(ctx context.Context) (*Clients, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("aws configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, fmt.Errorf("aws configuration: no region: set AWS_REGION or a region in the profile")
	}
	return &Clients{
		S3:         s3.NewFromConfig(cfg, quiet),
		SageMaker:  sagemaker.NewFromConfig(cfg),
		Runtime:    sagemakerruntime.NewFromConfig(cfg),
		CloudWatch: cloudwatch.NewFromConfig(cfg),
	}, nil
}

// quiet leaves out a line in the log for every range that is read: S3 has
// checksums of whole objects only.
func quiet(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true }
