package cloud

import (
	"context"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"

	"steward/internal/lifecycle"
)

// Endpoints makes, changes and removes what serves models, and waits until it
// is so.
type Endpoints struct {
	client  *sagemaker.Client
	runtime *sagemakerruntime.Client
	poll    time.Duration
}

// NewEndpoints returns Endpoints that look at a changing endpoint once every poll.
func NewEndpoints(client *sagemaker.Client, runtime *sagemakerruntime.Client, poll time.Duration) *Endpoints {
	return &Endpoints{client, runtime, poll}
}

// Endpoint is an endpoint as last seen.
type Endpoint struct {
	Name    string
	Status  string
	Reason  string // why the last change failed, if it did
	Config  string // the configuration that serves
	Weights map[string]int
	Changed time.Time
}

// Describe looks at an endpoint. An unknown one is ErrNotFound.
func (e *Endpoints) Describe(ctx context.Context, name string) (Endpoint, error) {
	out, err := e.client.DescribeEndpoint(ctx, &sagemaker.DescribeEndpointInput{EndpointName: &name})
	if err != nil {
		return Endpoint{}, translate(err, "look at endpoint %s", name)
	}
	seen := Endpoint{
		Name: name, Status: string(out.EndpointStatus), Reason: aws.ToString(out.FailureReason),
		Config: aws.ToString(out.EndpointConfigName), Changed: aws.ToTime(out.LastModifiedTime), Weights: map[string]int{},
	}
	for _, v := range out.ProductionVariants {
		seen.Weights[aws.ToString(v.VariantName)] = int(math.Round(float64(aws.ToFloat32(v.CurrentWeight))))
	}
	return seen, nil
}

// moving tells whether an endpoint is on its way to another state by itself.
func (e Endpoint) moving() bool {
	switch types.EndpointStatus(e.Status) {
	case types.EndpointStatusCreating, types.EndpointStatusUpdating, types.EndpointStatusSystemUpdating,
		types.EndpointStatusRollingBack, types.EndpointStatusDeleting:
		return true
	}
	return false
}

// Failed tells whether an endpoint never came up: it can only be deleted.
func (e Endpoint) Failed() bool { return e.Status == string(types.EndpointStatusFailed) }

func (e Endpoint) serves() bool { return e.Status == string(types.EndpointStatusInService) }

// fault is the error for an endpoint that did not become what was asked for.
func (e Endpoint) fault(asked string) error {
	reason := e.Reason
	if reason == "" {
		reason = "no reason was given"
	}
	return lifecycle.Fail(lifecycle.ServingFault, "endpoint %s did not change to %s: it is %s on %s: %s", e.Name, asked, e.Status, e.Config, reason)
}

// Invoke sends one CSV row to a variant, or with "" to one that the endpoint
// draws by its weights, and returns its answer. The id is captured with the
// request. A container's error is lifecycle.ServingFault.
func (e *Endpoints) Invoke(ctx context.Context, endpoint, variant, id string, row []byte, options ...func(*sagemakerruntime.Options)) ([]byte, error) {
	in := &sagemakerruntime.InvokeEndpointInput{
		EndpointName: &endpoint, InferenceId: &id,
		ContentType: aws.String("text/csv"), Accept: aws.String("text/csv"), Body: row,
	}
	what := "ask endpoint " + endpoint
	if variant != "" {
		in.TargetVariant = &variant
		what += ", variant " + variant
	}
	out, err := e.runtime.InvokeEndpoint(ctx, in, options...)
	if err != nil {
		return nil, translate(err, "%s", what)
	}
	return out.Body, nil
}
