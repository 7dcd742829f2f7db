package autoscaling

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// Limits of policies: of a target, from the quotas of Application Auto Scaling, and
// of one answer, from the API reference of DescribeScalingPolicies.
const (
	maxPolicies       = 50
	maxPoliciesListed = 10
)

// putPolicy makes a policy, or changes what the request names of it.
func (s *Service) putPolicy(_ context.Context, in *aas.PutScalingPolicyInput) (*aas.PutScalingPolicyOutput, error) {
	if err := checkPolicy(in); err != nil {
		return nil, err
	}
	s.editing.Lock()
	defer s.editing.Unlock()
	var p *policy
	err := s.db.Update(func(tx *bolt.Tx) (err error) {
		if p, err = s.policyFor(tx, in); err != nil {
			return err
		}
		for _, alarm := range s.alarmsOf(p) {
			if err := checkAlarm(alarm); err != nil {
				return err
			}
		}
		p.Unarmed = true
		return write(tx, policyBucket, p.key(), p)
	})
	if err != nil {
		return nil, err
	}
	// After a crash here the next start makes the alarms.
	if err := s.arm(p); err != nil {
		return nil, err
	}
	return &aas.PutScalingPolicyOutput{PolicyARN: &p.ARN, Alarms: s.alarmNames(p)}, nil
}

// policyFor is the policy that a request describes: a new one, or the one of the
// same name with the configuration of the request.
func (s *Service) policyFor(tx *bolt.Tx, in *aas.PutScalingPolicyInput) (*policy, error) {
	if _, err := read[target](tx, targetBucket, *in.ResourceId); err != nil {
		if errors.Is(err, errMissing) {
			return nil, noTarget("registered", *in.ResourceId)
		}
		return nil, err
	}
	others, err := policiesOf(tx, *in.ResourceId)
	if err != nil {
		return nil, err
	}
	p := s.newPolicy(in)
	if i := slices.IndexFunc(others, func(o *policy) bool { return o.Name == *in.PolicyName }); i >= 0 {
		p = others[i]
		others = slices.Delete(others, i, i+1)
	} else if err := checkNew(in, len(others)); err != nil {
		return nil, err
	}
	if in.TargetTrackingScalingPolicyConfiguration != nil {
		p.Tracking = *in.TargetTrackingScalingPolicyConfiguration
	}
	for _, o := range others {
		if reflect.DeepEqual(metricOf(o), metricOf(p)) {
			return nil, invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")
		}
	}
	return p, nil
}

// checkNew refuses a new policy that lacks what an old one may leave out.
func checkNew(in *aas.PutScalingPolicyInput, others int) error {
	if in.PolicyType == "" {
		return unsupported("PolicyType \"StepScaling\", the default,", "use TargetTrackingScaling")
	}
	if err := required("targetTrackingScalingPolicyConfiguration", in.TargetTrackingScalingPolicyConfiguration != nil); err != nil {
		return err
	}
	if others >= maxPolicies {
		return wire.Errorf("LimitExceededException", "%s has %d scaling policies, which is the most that a scalable target may have: delete one", *in.ResourceId, others)
	}
	return nil
}

func (s *Service) newPolicy(in *aas.PutScalingPolicyInput) *policy {
	alarm := func(kind string) string {
		return fmt.Sprintf("TargetTracking-%s-Alarm%s-%s", *in.ResourceId, kind, uuid.NewString())
	}
	return &policy{Resource: *in.ResourceId, Name: *in.PolicyName, Created: s.cfg.Now().UTC(), High: alarm("High"), Low: alarm("Low"),
		ARN: fmt.Sprintf("arn:aws:autoscaling:%s:%s:scalingPolicy:%s:resource/%s/%s:policyName/%s", s.cfg.Region, s.cfg.Account, uuid.NewString(), namespace, *in.ResourceId, *in.PolicyName)}
}

// deletePolicy deletes a policy with its alarms, which go first: see drop.
func (s *Service) deletePolicy(_ context.Context, in *aas.DeleteScalingPolicyInput) (*aas.DeleteScalingPolicyOutput, error) {
	if err := checkResource(in.ServiceNamespace, in.ResourceId, in.ScalableDimension); err != nil {
		return nil, err
	}
	s.editing.Lock()
	defer s.editing.Unlock()
	p, err := view(s, func(tx *bolt.Tx) (*policy, error) {
		return read[policy](tx, policyBucket, (&policy{Resource: *in.ResourceId, Name: *in.PolicyName}).key())
	})
	if errors.Is(err, errMissing) {
		return nil, wire.Errorf("ObjectNotFoundException", "No scaling policy found for service namespace: %s, resource ID: %s, scalable dimension: %s, policy name: %s", namespace, *in.ResourceId, dimension, *in.PolicyName)
	}
	if err == nil {
		err = s.cfg.Alarms.RemoveOwned(p.High, p.Low)
	}
	if err == nil {
		err = s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(policyBucket).Delete([]byte(p.key())) })
	}
	return &aas.DeleteScalingPolicyOutput{}, err
}

func (s *Service) describePolicies(_ context.Context, in *aas.DescribeScalingPoliciesInput) (*aas.DescribeScalingPoliciesOutput, error) {
	list, err := view(s, func(tx *bolt.Tx) ([]*policy, error) { return all[policy](tx, policyBucket, "") })
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(p *policy) bool {
		return in.ServiceNamespace != namespace || in.ScalableDimension != "" && in.ScalableDimension != dimension ||
			in.ResourceId != nil && *in.ResourceId != p.Resource || len(in.PolicyNames) > 0 && !slices.Contains(in.PolicyNames, p.Name)
	})
	list, next, err := page(list, (*policy).key, above, in.MaxResults, maxPoliciesListed, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &aas.DescribeScalingPoliciesOutput{ScalingPolicies: []types.ScalingPolicy{}, NextToken: next}
	for _, p := range list {
		out.ScalingPolicies = append(out.ScalingPolicies, types.ScalingPolicy{PolicyARN: &p.ARN, PolicyName: &p.Name, ServiceNamespace: namespace,
			ResourceId: &p.Resource, ScalableDimension: dimension, PolicyType: types.PolicyTypeTargetTrackingScaling, CreationTime: aws.Time(p.Created),
			TargetTrackingScalingPolicyConfiguration: &p.Tracking, Alarms: s.alarmNames(p)})
	}
	return out, nil
}
