package sagemaker

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// endpointRecord is the record of an endpoint.
type endpointRecord struct {
	Name, ARN         string
	Created, Modified time.Time
	Status            types.EndpointStatus
	FailureReason     string
	Deployed          *deployment // what serves; nil until the endpoint was InService
	Target            *deployment // what it changes to; kept when a creation failed
	Progress          progress    // of a change
	LastDeployment    *types.DeploymentConfig
}

// progress is how far the move of the traffic has come.
type progress struct {
	Stage types.VariantStatus
	Step  int       // of the shift; 0 before any traffic moved
	Since time.Time // when the stage began
}

func (r *endpointRecord) head() head {
	return head{name: r.Name, status: string(r.Status), created: r.Created, modified: r.Modified}
}

// deployment is an endpoint configuration with its models resolved: what was
// asked for stands even when configuration or model are deleted meanwhile.
type deployment struct {
	Config   string
	Variants []variantSpec
	Capture  *types.DataCaptureConfig
	Async    *types.AsyncInferenceConfig // nil for an endpoint that answers at once
	Shift    shift
}

// instances counts those of the production variants.
func (d *deployment) instances() (n int32) {
	for _, v := range d.Variants {
		if !v.Shadow {
			n += v.Count
		}
	}
	return n
}

// fewest is how many instances a variant has at least: requests of an asynchronous
// endpoint can wait until there are some.
func (d *deployment) fewest() int32 {
	if d.Async != nil {
		return 0
	}
	return 1
}

// variantSpec is one variant of a deployment.
type variantSpec struct {
	Name, Model, InstanceType string
	Container                 container
	Count                     int32
	Weight                    float32
	Shadow                    bool
	Fetch, Startup            time.Duration
}

// identity is equal for variants that the same servers can serve.
func (v variantSpec) identity() string {
	v.Count, v.Weight, v.Fetch, v.Startup = 0, 0, 0, 0
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("variant %s: %v", v.Name, err)) // strings and maps of strings always marshal
	}
	return string(data)
}

// deploymentOf resolves an endpoint configuration.
func (s *Service) deploymentOf(c *endpointConfig) (*deployment, error) {
	d := &deployment{Config: *c.EndpointConfigName, Capture: c.DataCaptureConfig, Async: c.AsyncInferenceConfig}
	for _, v := range c.ProductionVariants {
		if err := s.addVariant(d, v, false); err != nil {
			return nil, err
		}
	}
	for _, v := range c.ShadowProductionVariants {
		if err := s.addVariant(d, v, true); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (s *Service) addVariant(d *deployment, v types.ProductionVariant, shadow bool) error {
	m, err := s.model(v.ModelName)
	if err != nil {
		return err
	}
	spec := variantSpec{Name: *v.VariantName, Model: *v.ModelName, InstanceType: string(v.InstanceType), Container: m.Container,
		Count: *v.InitialInstanceCount, Weight: 1, Shadow: shadow, Fetch: fetchTimeout, Startup: s.cfg.StartupTimeout}
	if v.InitialVariantWeight != nil {
		spec.Weight = *v.InitialVariantWeight
	}
	if t := v.ModelDataDownloadTimeoutInSeconds; t != nil {
		spec.Fetch = time.Duration(*t) * time.Second
	}
	if t := v.ContainerStartupHealthCheckTimeoutInSeconds; t != nil {
		spec.Startup = time.Duration(*t) * time.Second
	}
	d.Variants = append(d.Variants, spec)
	return nil
}

// begin starts a change of a changeable endpoint.
func (r *endpointRecord) begin(target *deployment, now time.Time) {
	r.Target, r.Status, r.Modified = target, types.EndpointStatusUpdating, now
	r.Progress = progress{Stage: types.VariantStatusCreating, Since: now}
}

// rollBack takes a change back whose traffic has begun to move.
func (r *endpointRecord) rollBack(failure error, now time.Time) {
	r.Status, r.Modified, r.FailureReason = types.EndpointStatusRollingBack, now, failure.Error()
}

// changeable refuses an endpoint that is not at rest, and one that failed: that
// one can only be deleted.
func (r *endpointRecord) changeable(verb string) error {
	switch r.Status {
	case types.EndpointStatusInService:
		return nil
	case types.EndpointStatusFailed:
		if verb == "delete" {
			return nil
		}
		return invalid("Cannot update endpoint %q because it is in status Failed: delete it and create it again.", r.ARN)
	default:
		return invalid("Cannot update in-progress endpoint %q.", r.ARN)
	}
}

// settle ends a change. A failed creation is Failed; a failed update leaves the
// endpoint InService on what it served before, as AWS does, with the reason. An
// endpoint that was not changing stays as it is.
func (r *endpointRecord) settle(failure error, now time.Time) {
	if r.Target == nil {
		return
	}
	r.Modified, r.FailureReason, r.Progress = now, "", progress{}
	if failure != nil {
		r.FailureReason = failure.Error()
	}
	switch {
	case failure == nil:
		r.Status, r.Deployed, r.Target = types.EndpointStatusInService, r.Target, nil
	case r.Deployed == nil:
		r.Status = types.EndpointStatusFailed
	default:
		r.Status, r.Target = types.EndpointStatusInService, nil
	}
}

// describe words the record as DescribeEndpoint does.
func (r *endpointRecord) describe() *sm.DescribeEndpointOutput {
	out := &sm.DescribeEndpointOutput{EndpointName: &r.Name, EndpointArn: &r.ARN, EndpointStatus: r.Status,
		CreationTime: &r.Created, LastModifiedTime: &r.Modified, LastDeploymentConfig: r.LastDeployment}
	if r.FailureReason != "" {
		out.FailureReason = &r.FailureReason
	}
	shown := r.Deployed
	if shown == nil {
		shown = r.Target
	}
	out.EndpointConfigName, out.DataCaptureConfig, out.AsyncInferenceConfig = &shown.Config, captureSummary(shown.Capture), shown.Async
	if r.Target != nil && r.Deployed != nil {
		out.PendingDeploymentSummary = r.pending()
	}
	if r.Status == types.EndpointStatusCreating || r.Status == types.EndpointStatusFailed {
		return out
	}
	for _, v := range shown.Variants {
		if sum := v.summary(r.Target); v.Shadow {
			out.ShadowProductionVariants = append(out.ShadowProductionVariants, sum)
		} else {
			out.ProductionVariants = append(out.ProductionVariants, sum)
		}
	}
	return out
}

// pending shows the variants that are on their way in.
func (r *endpointRecord) pending() *types.PendingDeploymentSummary {
	out := &types.PendingDeploymentSummary{EndpointConfigName: &r.Target.Config, StartTime: &r.Modified}
	for _, v := range r.Target.Variants {
		sum := types.PendingProductionVariantSummary{
			VariantName: &v.Name, DesiredWeight: &v.Weight, DesiredInstanceCount: &v.Count,
			InstanceType: types.ProductionVariantInstanceType(v.InstanceType), DeployedImages: v.images(),
		}
		if p := r.Progress; p.Stage != "" {
			sum.VariantStatus = []types.ProductionVariantStatus{{Status: p.Stage, StartTime: &p.Since}}
			if p.Stage != types.VariantStatusCreating {
				sum.CurrentWeight, sum.CurrentInstanceCount = &v.Weight, &v.Count
			}
		}
		if v.Shadow {
			out.ShadowProductionVariants = append(out.ShadowProductionVariants, sum)
		} else {
			out.ProductionVariants = append(out.ProductionVariants, sum)
		}
	}
	return out
}

func (v variantSpec) images() []types.DeployedImage {
	return []types.DeployedImage{{SpecifiedImage: &v.Container.Image, ResolvedImage: &v.Container.Image}}
}

// summary shows a variant as it is, and as target wants it.
func (v variantSpec) summary(target *deployment) types.ProductionVariantSummary {
	want := v
	if target != nil {
		for _, t := range target.Variants {
			if t.Name == v.Name {
				want = t
			}
		}
	}
	return types.ProductionVariantSummary{
		VariantName: &v.Name, CurrentWeight: &v.Weight, DesiredWeight: &want.Weight,
		CurrentInstanceCount: &v.Count, DesiredInstanceCount: &want.Count,
		DeployedImages: v.images(),
	}
}

func captureSummary(c *types.DataCaptureConfig) *types.DataCaptureConfigSummary {
	if c == nil {
		return nil
	}
	sum := &types.DataCaptureConfigSummary{EnableCapture: aws.Bool(captures(c)), CaptureStatus: types.CaptureStatusStopped,
		CurrentSamplingPercentage: c.InitialSamplingPercentage, DestinationS3Uri: c.DestinationS3Uri, KmsKeyId: aws.String(aws.ToString(c.KmsKeyId))}
	if captures(c) {
		sum.CaptureStatus = types.CaptureStatusStarted
	}
	return sum
}

// captures reports whether capture is on: it is unless EnableCapture says no.
func captures(c *types.DataCaptureConfig) bool {
	return c != nil && (c.EnableCapture == nil || *c.EnableCapture)
}
