package sagemaker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/wire"
)

func (s *Service) endpointOperations(ops wire.Operations) {
	ops["CreateEndpoint"] = wire.Op(s.createEndpoint)
	ops["DescribeEndpoint"] = wire.Op(s.describeEndpoint)
	ops["ListEndpoints"] = wire.Op(s.listEndpoints)
	ops["UpdateEndpoint"] = wire.Op(s.updateEndpoint)
	ops["UpdateEndpointWeightsAndCapacities"] = wire.Op(s.updateWeights)
	ops["DeleteEndpoint"] = wire.Op(s.deleteEndpoint)
}

func (s *Service) createEndpoint(_ context.Context, in *sm.CreateEndpointInput) (*sm.CreateEndpointOutput, error) {
	if err := first(
		checkName("EndpointName", in.EndpointName),
		only("", in, "EndpointName", "EndpointConfigName", "Tags"),
	); err != nil {
		return nil, err
	}
	target, err := s.target(in.EndpointConfigName)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	rec := endpointRecord{Name: *in.EndpointName, ARN: s.arn("endpoint", *in.EndpointName), Created: now, Modified: now,
		Status: types.EndpointStatusCreating, Target: target}
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

func (s *Service) describeEndpoint(_ context.Context, in *sm.DescribeEndpointInput) (*sm.DescribeEndpointOutput, error) {
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
	if err := only("", in, "EndpointName", "EndpointConfigName", "DeploymentConfig"); err != nil {
		return nil, err
	}
	limit, err := checkDeployment(in.DeploymentConfig)
	if err != nil {
		return nil, err
	}
	target, err := s.target(in.EndpointConfigName)
	if err != nil {
		return nil, err
	}
	target.Limit = limit
	arn, err := s.beginChange(in.EndpointName, func(r *endpointRecord) (*deployment, error) {
		r.LastDeployment = in.DeploymentConfig
		return target, nil
	})
	return &sm.UpdateEndpointOutput{EndpointArn: arn}, err
}

// checkDeployment accepts a blue/green update that moves all traffic at once,
// which is what the local cloud does, and returns its time limit.
func checkDeployment(c *types.DeploymentConfig) (time.Duration, error) {
	if c == nil {
		return 0, nil
	}
	if err := only("DeploymentConfig.", c, "BlueGreenUpdatePolicy"); err != nil || c.BlueGreenUpdatePolicy == nil {
		return 0, err
	}
	p, path := c.BlueGreenUpdatePolicy, "DeploymentConfig.BlueGreenUpdatePolicy."
	if err := required(p, "TrafficRoutingConfiguration"); err != nil {
		return 0, err
	}
	if aws.ToInt32(p.TerminationWaitInSeconds) != 0 {
		return 0, unsupported(path+"TerminationWaitInSeconds", "leave it out or set it to 0")
	}
	return time.Duration(aws.ToInt32(p.MaximumExecutionTimeoutInSeconds)) * time.Second, first(
		only(path, p, "TrafficRoutingConfiguration", "MaximumExecutionTimeoutInSeconds", "TerminationWaitInSeconds"),
		only(path+"TrafficRoutingConfiguration.", p.TrafficRoutingConfiguration, "Type", "WaitIntervalInSeconds"),
		oneOf(path+"TrafficRoutingConfiguration.Type", p.TrafficRoutingConfiguration.Type, types.TrafficRoutingConfigTypeAllAtOnce),
	)
}

func (s *Service) updateWeights(_ context.Context, in *sm.UpdateEndpointWeightsAndCapacitiesInput) (*sm.UpdateEndpointWeightsAndCapacitiesOutput, error) {
	if err := required(in, "DesiredWeightsAndCapacities"); err != nil {
		return nil, err
	}
	arn, err := s.beginChange(in.EndpointName, func(r *endpointRecord) (*deployment, error) {
		return r.reweighed(in.DesiredWeightsAndCapacities)
	})
	return &sm.UpdateEndpointWeightsAndCapacitiesOutput{EndpointArn: arn}, err
}

// reweighed is what serves now with other weights and counts.
func (r *endpointRecord) reweighed(wanted []types.DesiredWeightAndCapacity) (*deployment, error) {
	target := *r.Deployed
	target.Variants, target.Limit = slices.Clone(target.Variants), 0
	for i := range wanted {
		w := &wanted[i]
		if err := first(
			only("DesiredWeightsAndCapacities.", w, "VariantName", "DesiredWeight", "DesiredInstanceCount"),
			checkCount("DesiredWeightsAndCapacities.DesiredInstanceCount", w.DesiredInstanceCount),
			checkWeight("DesiredWeightsAndCapacities.DesiredWeight", w.DesiredWeight),
		); err != nil {
			return nil, err
		}
		at := slices.IndexFunc(target.Variants, func(v variantSpec) bool { return v.Name == aws.ToString(w.VariantName) })
		if at < 0 {
			return nil, invalid("The variant name %q does not exist for endpoint %q.", aws.ToString(w.VariantName), r.ARN)
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
		r.begin(target, time.Now().UTC())
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
		r.Status, r.Modified = types.EndpointStatusDeleting, time.Now().UTC()
		return nil
	})
	if errors.Is(err, errMissing) {
		return nil, s.noEndpoint(in.EndpointName)
	}
	if err != nil {
		return nil, err
	}
	if ep, ok := s.endpoints.get(r.Name); ok {
		s.spawn(func() { s.takeDown(ep, r.ARN) })
	}
	return &sm.DeleteEndpointOutput{}, nil
}
