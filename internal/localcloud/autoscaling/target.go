package autoscaling

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
)

// maxListed is how many targets or activities one answer lists, as on AWS.
const maxListed = 50

// register makes a scalable target, or changes what the request names of it.
func (s *Service) register(ctx context.Context, in *aas.RegisterScalableTargetInput) (*aas.RegisterScalableTargetOutput, error) {
	if err := checkResource(in.ServiceNamespace, in.ResourceId, in.ScalableDimension); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	s.editing.Lock()
	defer s.editing.Unlock()
	if _, err := s.look(ctx, *in.ResourceId); err != nil {
		return nil, reword(err)
	}
	var t *target
	err := s.db.Update(func(tx *bolt.Tx) (err error) {
		if t, err = read[target](tx, targetBucket, *in.ResourceId); errors.Is(err, errMissing) {
			t, err = s.newTarget(in)
		}
		if err == nil {
			err = t.set(in)
		}
		if err != nil {
			return err
		}
		return write(tx, targetBucket, t.Resource, t)
	})
	if err != nil {
		return nil, err
	}
	s.wake()
	return &aas.RegisterScalableTargetOutput{ScalableTargetARN: &t.ARN}, nil
}

func (s *Service) newTarget(in *aas.RegisterScalableTargetInput) (*target, error) {
	if err := cmp.Or(required("minCapacity", in.MinCapacity != nil), required("maxCapacity", in.MaxCapacity != nil)); err != nil {
		return nil, err
	}
	id := "0" + strings.ReplaceAll(uuid.NewString()+uuid.NewString(), "-", "")[:34]
	return &target{Resource: *in.ResourceId, Created: s.cfg.Now().UTC(), Tags: map[string]string{},
		ARN: fmt.Sprintf("arn:aws:application-autoscaling:%s:%s:scalable-target/%s", s.cfg.Region, s.cfg.Account, id)}, nil
}

// set takes over what the request names. It is followed at once.
func (t *target) set(in *aas.RegisterScalableTargetInput) error {
	if in.MinCapacity != nil {
		t.Min = *in.MinCapacity
	}
	if in.MaxCapacity != nil {
		t.Max = *in.MaxCapacity
	}
	switch {
	case t.Min < 1:
		return invalid("Minimum capacity %d: no target tracking policy brings a variant back from 0 instances, and the local cloud offers no other; give at least 1", t.Min)
	case t.Max < t.Min:
		return invalid("Maximum capacity cannot be less than minimum capacity")
	}
	if n := in.SuspendedState; n != nil {
		for _, f := range []struct{ to, from **bool }{
			{&t.Suspend.DynamicScalingInSuspended, &n.DynamicScalingInSuspended},
			{&t.Suspend.DynamicScalingOutSuspended, &n.DynamicScalingOutSuspended},
			{&t.Suspend.ScheduledScalingSuspended, &n.ScheduledScalingSuspended},
		} {
			if *f.from != nil {
				*f.to = *f.from
			}
		}
	}
	maps.Copy(t.Tags, in.Tags)
	t.Set++
	t.Adjust, t.Tried = true, time.Time{}
	return tooManyTags(t)
}

// deregister forgets a target with its policies and their alarms.
func (s *Service) deregister(_ context.Context, in *aas.DeregisterScalableTargetInput) (*aas.DeregisterScalableTargetOutput, error) {
	if err := checkResource(in.ServiceNamespace, in.ResourceId, in.ScalableDimension); err != nil {
		return nil, err
	}
	err := s.drop(*in.ResourceId, nil)
	if errors.Is(err, errMissing) {
		return nil, noTarget("found", *in.ResourceId)
	}
	return &aas.DeregisterScalableTargetOutput{}, err
}

// errAnew says that a target is not the one that was seen.
var errAnew = errors.New("was registered anew")

// drop forgets a target, or answers errMissing; one that was registered anew since it
// was seen stays. The alarms go first: a crash in between leaves policies, of which
// the next start makes them again.
func (s *Service) drop(resource string, seen *target) error {
	s.editing.Lock()
	defer s.editing.Unlock()
	policies, err := view(s, func(tx *bolt.Tx) ([]*policy, error) {
		t, err := read[target](tx, targetBucket, resource)
		if err == nil && seen != nil && !t.same(seen) {
			err = errAnew
		}
		if err != nil {
			return nil, err
		}
		return policiesOf(tx, resource)
	})
	if errors.Is(err, errAnew) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range policies {
		if err := s.cfg.Alarms.RemoveOwned(p.High, p.Low); err != nil {
			return err
		}
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, p := range policies {
			if err := tx.Bucket(policyBucket).Delete([]byte(p.key())); err != nil {
				return err
			}
		}
		return tx.Bucket(targetBucket).Delete([]byte(resource))
	})
}

func (s *Service) describeTargets(_ context.Context, in *aas.DescribeScalableTargetsInput) (*aas.DescribeScalableTargetsOutput, error) {
	list, err := view(s, func(tx *bolt.Tx) ([]*target, error) { return all[target](tx, targetBucket, "") })
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(t *target) bool {
		return in.ServiceNamespace != namespace || in.ScalableDimension != "" && in.ScalableDimension != dimension ||
			len(in.ResourceIds) > 0 && !slices.Contains(in.ResourceIds, t.Resource)
	})
	list, next, err := page(list, func(t *target) string { return t.Resource }, above, in.MaxResults, maxListed, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &aas.DescribeScalableTargetsOutput{ScalableTargets: []types.ScalableTarget{}, NextToken: next}
	for _, t := range list {
		out.ScalableTargets = append(out.ScalableTargets, s.described(t))
	}
	return out, nil
}

func above(key, place string) bool { return key > place }

func (s *Service) described(t *target) types.ScalableTarget {
	off := func(b *bool) *bool { return aws.Bool(aws.ToBool(b)) }
	return types.ScalableTarget{ServiceNamespace: namespace, ResourceId: &t.Resource, ScalableDimension: dimension, MinCapacity: &t.Min, MaxCapacity: &t.Max,
		RoleARN:      aws.String("arn:aws:iam::" + s.cfg.Account + ":role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"),
		CreationTime: &t.Created, ScalableTargetARN: &t.ARN,
		SuspendedState: &types.SuspendedState{DynamicScalingInSuspended: off(t.Suspend.DynamicScalingInSuspended),
			DynamicScalingOutSuspended: off(t.Suspend.DynamicScalingOutSuspended), ScheduledScalingSuspended: off(t.Suspend.ScheduledScalingSuspended)}}
}

// Scales tells whether a variant is a scalable target.
func (s *Service) Scales(endpoint, variant string) bool {
	_, err := view(s, func(tx *bolt.Tx) (*target, error) {
		return read[target](tx, targetBucket, resourceOf(endpoint, variant))
	})
	return err == nil
}

// Forget deregisters the variants of an endpoint, as Application Auto Scaling does
// when it is deleted. What cannot be done now is done by the next look at it.
func (s *Service) Forget(endpoint string) {
	list, err := view(s, func(tx *bolt.Tx) ([]*target, error) { return all[target](tx, targetBucket, resourceOf(endpoint, "")) })
	for _, t := range list {
		err = errors.Join(err, s.drop(t.Resource, t))
	}
	if err != nil {
		s.cfg.Log.Error("deregistering the variants of a deleted endpoint", "endpoint", endpoint, "error", err)
	}
}

func resourceOf(endpoint, variant string) string {
	return "endpoint/" + endpoint + "/variant/" + variant
}
