package sagemaker

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/wire"
)

func (s *Service) endpointOperations(ops wire.Operations) {
	ops["CreateEndpoint"] = wire.Op(s.createEndpoint)
	ops["DescribeEndpoint"] = wire.Op(s.DescribeEndpoint)
	ops["ListEndpoints"] = wire.Op(s.listEndpoints)
	ops["UpdateEndpoint"] = wire.Op(s.updateEndpoint)
	ops["UpdateEndpointWeightsAndCapacities"] = wire.Op(s.UpdateEndpointWeightsAndCapacities)
	ops["DeleteEndpoint"] = wire.Op(s.deleteEndpoint)
}

func (s *Service) createEndpoint(_ context.Context, in *sm.CreateEndpointInput) (*sm.CreateEndpointOutput, error) {
	if err := only("", in, "EndpointName", "EndpointConfigName", "DeploymentConfig", "Tags"); err != nil {
		return nil, err
	}
	target, err := s.target(in.EndpointConfigName)
	if err != nil {
		return nil, err
	}
	// A new endpoint has no traffic to move; the next update may retain how.
	if _, err := shiftOf(in.DeploymentConfig, target.instances()); err != nil {
		return nil, err
	}
	now := s.cfg.Now().UTC()
	rec := endpointRecord{Name: *in.EndpointName, ARN: s.arn("endpoint", *in.EndpointName), Created: now, Modified: now,
		Status: types.EndpointStatusCreating, Target: target, LastDeployment: in.DeploymentConfig}
	err = s.store.endpoints.insert(rec.Name, rec.ARN, in.Tags, &rec)
	if errors.Is(err, errExists) {
		return nil, invalid("Cannot create already existing endpoint %q.", rec.ARN)
	}
	if err != nil {
		return nil, err
	}
	ep := s.newEndpoint(rec.Name, false)
	s.spawn(func() { s.change(ep) })
	return &sm.CreateEndpointOutput{EndpointArn: &rec.ARN}, nil
}

func (s *Service) target(config *string) (*deployment, error) {
	c, err := s.endpointConfig(config)
	if err != nil {
		return nil, err
	}
	return s.deploymentOf(c)
}

func (s *Service) endpoint(name *string) (*endpointRecord, error) {
	r, err := s.store.endpoints.get(aws.ToString(name))
	if errors.Is(err, errMissing) {
		return nil, s.noEndpoint(name)
	}
	return r, err
}

func (s *Service) noEndpoint(name *string) error {
	return invalid("Could not find endpoint %q.", s.arn("endpoint", aws.ToString(name)))
}

// DescribeEndpoint answers the operation of that name, for other services of this
// cloud as well.
func (s *Service) DescribeEndpoint(_ context.Context, in *sm.DescribeEndpointInput) (*sm.DescribeEndpointOutput, error) {
	r, err := s.endpoint(in.EndpointName)
	if err != nil {
		return nil, err
	}
	return r.describe(), nil
}

func (s *Service) listEndpoints(_ context.Context, in *sm.ListEndpointsInput) (*sm.ListEndpointsOutput, error) {
	list, next, err := page(s.store.endpoints, query{contains: in.NameContains, createdAfter: in.CreationTimeAfter, createdBefore: in.CreationTimeBefore,
		modifiedAfter: in.LastModifiedTimeAfter, modifiedBefore: in.LastModifiedTimeBefore, status: string(in.StatusEquals),
		sortBy: string(in.SortBy), descending: in.SortOrder != types.OrderKeyAscending, max: in.MaxResults, token: in.NextToken},
		func(r *endpointRecord) types.EndpointSummary {
			return types.EndpointSummary{EndpointName: &r.Name, EndpointArn: &r.ARN, EndpointStatus: r.Status, CreationTime: &r.Created, LastModifiedTime: &r.Modified}
		})
	return &sm.ListEndpointsOutput{Endpoints: list, NextToken: next}, err
}

func (s *Service) updateEndpoint(_ context.Context, in *sm.UpdateEndpointInput) (*sm.UpdateEndpointOutput, error) {
	if err := only("", in, "EndpointName", "EndpointConfigName", "DeploymentConfig", "RetainDeploymentConfig",
		"RetainAllVariantProperties", "ExcludeRetainedVariantProperties"); err != nil {
		return nil, err
	}
	target, err := s.target(in.EndpointConfigName)
	if err != nil {
		return nil, err
	}
	arn, err := s.beginChange(in.EndpointName, func(r *endpointRecord) (*deployment, error) {
		how := in.DeploymentConfig
		if how == nil && aws.ToBool(in.RetainDeploymentConfig) {
			how = r.LastDeployment
		}
		if err := first(s.keepScaled(r, target), retain(target, r.Deployed, in)); err != nil {
			return nil, err
		}
		if err := s.plan(target, how); err != nil {
			return nil, err
		}
		r.LastDeployment = how
		return target, nil
	})
	return &sm.UpdateEndpointOutput{EndpointArn: arn}, err
}

// plan says how the traffic moves to a deployment.
func (s *Service) plan(d *deployment, how *types.DeploymentConfig) (err error) {
	if d.Shift, err = shiftOf(how, d.instances()); err != nil {
		return err
	}
	for _, name := range d.Shift.Alarms {
		if _, ok := s.alarmState(name); !ok {
			return invalid("Could not find the CloudWatch alarm %q of AutoRollbackConfiguration: nothing would guard this deployment.", name)
		}
	}
	return nil
}

// retain gives the variants of a deployment what those of the same name have now,
// as far as the request says so.
func retain(to, from *deployment, in *sm.UpdateEndpointInput) error {
	excluded := map[types.VariantPropertyType]bool{}
	for _, p := range in.ExcludeRetainedVariantProperties {
		if err := oneOf("ExcludeRetainedVariantProperties.VariantPropertyType", p.VariantPropertyType, p.VariantPropertyType.Values()...); err != nil {
			return err
		}
		excluded[p.VariantPropertyType] = true
	}
	if !aws.ToBool(in.RetainAllVariantProperties) {
		return nil
	}
	for i := range to.Variants {
		v := &to.Variants[i]
		for _, old := range from.Variants {
			if old.Name != v.Name {
				continue
			}
			if !excluded[types.VariantPropertyTypeDesiredInstanceCount] {
				v.Count = max(old.Count, to.fewest())
			}
			if !excluded[types.VariantPropertyTypeDesiredWeight] {
				v.Weight = old.Weight
			}
		}
	}
	if !excluded[types.VariantPropertyTypeDataCaptureConfig] {
		to.Capture = from.Capture
	}
	return nil
}

// UpdateEndpointWeightsAndCapacities answers the operation of that name, for other
// services of this cloud as well.
func (s *Service) UpdateEndpointWeightsAndCapacities(_ context.Context, in *sm.UpdateEndpointWeightsAndCapacitiesInput) (*sm.UpdateEndpointWeightsAndCapacitiesOutput, error) {
	arn, err := s.beginChange(in.EndpointName, func(r *endpointRecord) (*deployment, error) {
		return s.reweighed(r, in.DesiredWeightsAndCapacities)
	})
	return &sm.UpdateEndpointWeightsAndCapacitiesOutput{EndpointArn: arn}, err
}

// reweighed is what serves now with other weights and counts.
func (s *Service) reweighed(r *endpointRecord, wanted []types.DesiredWeightAndCapacity) (*deployment, error) {
	target := *r.Deployed
	target.Variants, target.Shift = slices.Clone(target.Variants), shift{}
	for i := range wanted {
		w := &wanted[i]
		if err := only("DesiredWeightsAndCapacities.", w, "VariantName", "DesiredWeight", "DesiredInstanceCount"); err != nil {
			return nil, err
		}
		if n := w.DesiredInstanceCount; n != nil && *n < target.fewest() {
			return nil, invalid("DesiredWeightsAndCapacities.DesiredInstanceCount %d: must be at least %d", *n, target.fewest())
		}
		at := slices.IndexFunc(target.Variants, func(v variantSpec) bool { return v.Name == *w.VariantName })
		if at < 0 {
			return nil, invalid("The variant name(s) %q is/are not present within endpoint configuration %q.", *w.VariantName, s.arn("endpoint-config", r.Deployed.Config))
		}
		if w.DesiredWeight != nil {
			target.Variants[at].Weight = *w.DesiredWeight
		}
		if w.DesiredInstanceCount != nil {
			target.Variants[at].Count = *w.DesiredInstanceCount
		}
	}
	return &target, nil
}

// beginChange records where an endpoint shall go and sets out.
func (s *Service) beginChange(name *string, to func(*endpointRecord) (*deployment, error)) (*string, error) {
	r, err := s.store.endpoints.update(aws.ToString(name), func(r *endpointRecord) error {
		if err := r.changeable("update"); err != nil {
			return err
		}
		target, err := to(r)
		if err != nil {
			return err
		}
		r.begin(target, s.cfg.Now().UTC())
		return nil
	})
	if errors.Is(err, errMissing) {
		return nil, s.noEndpoint(name)
	}
	if err != nil {
		return nil, err
	}
	if ep, ok := s.endpoints.get(r.Name); ok {
		s.spawn(func() { s.change(ep) })
	}
	return &r.ARN, nil
}

func (s *Service) deleteEndpoint(_ context.Context, in *sm.DeleteEndpointInput) (*sm.DeleteEndpointOutput, error) {
	r, err := s.store.endpoints.update(aws.ToString(in.EndpointName), func(r *endpointRecord) error {
		if err := r.changeable("delete"); err != nil {
			return err
		}
		r.Status, r.Modified = types.EndpointStatusDeleting, s.cfg.Now().UTC()
		return nil
	})
	if errors.Is(err, errMissing) {
		return nil, s.noEndpoint(in.EndpointName)
	}
	if err != nil {
		return nil, err
	}
	if s.cfg.Scaling != nil {
		s.cfg.Scaling.Forget(r.Name)
	}
	if ep, ok := s.endpoints.get(r.Name); ok {
		s.spawn(func() { s.takeDown(ep, r.ARN) })
	}
	return &sm.DeleteEndpointOutput{}, nil
}
