package autoscaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// state is what SageMaker says of a variant; its counts are 0 while the endpoint is
// being made.
type state struct {
	status           smtypes.EndpointStatus
	failure          string // of the last change
	current, desired int32
}

// look sees a variant. A [wire.Error] says that there is none.
func (s *Service) look(ctx context.Context, resource string) (state, error) {
	endpoint, variant := variantOf(resource)
	d, err := s.endpoints.DescribeEndpoint(ctx, &sagemaker.DescribeEndpointInput{EndpointName: &endpoint})
	if err != nil {
		return state{}, err
	}
	seen := state{status: d.EndpointStatus, failure: aws.ToString(d.FailureReason)}
	i := slices.IndexFunc(d.ProductionVariants, func(v smtypes.ProductionVariantSummary) bool { return *v.VariantName == variant })
	switch {
	case i >= 0:
		seen.current, seen.desired = *d.ProductionVariants[i].CurrentInstanceCount, *d.ProductionVariants[i].DesiredInstanceCount
	case len(d.ProductionVariants) > 0:
		return seen, invalid("The variant name %q does not exist for endpoint %q.", variant, *d.EndpointArn)
	}
	return seen, nil
}

// unchanged reads a target as it is now; nil if it was deregistered or registered
// anew since t was read.
func unchanged(tx *bolt.Tx, t *target) (*target, error) {
	now, err := read[target](tx, targetBucket, t.Resource)
	if errors.Is(err, errMissing) {
		return nil, nil
	}
	if err != nil || !now.same(t) {
		return nil, err
	}
	return now, nil
}

// begin records what is about to happen. It gives nil if nothing is: the target has
// changed meanwhile, or the decision is not to scale.
func (s *Service) begin(t *target, d decision, from int32, now time.Time) (a *activity, err error) {
	err = s.db.Update(func(tx *bolt.Tx) error {
		t, err := unchanged(tx, t)
		if err != nil || t == nil {
			return err
		}
		t.Adjust = t.Adjust && !d.followed // a policy acts within the bounds only
		if d.reason != nil {
			if t.NotScaled == *d.reason.Code { // said once
				return nil
			}
			t.NotScaled = *d.reason.Code
			return errors.Join(newActivity(t, d, from, now).add(tx), write(tx, targetBucket, t.Resource, t))
		}
		t.NotScaled = ""
		if d.followed {
			t.Tried = now
		}
		begun := newActivity(t, d, from, now)
		if err := errors.Join(begun.add(tx), tx.Bucket(runningBucket).Put([]byte(t.Resource), []byte(begun.Key)), write(tx, targetBucket, t.Resource, t)); err != nil {
			return err
		}
		a = begun
		return nil
	})
	return a, err
}

// ask has SageMaker do what an activity says.
func (s *Service) ask(a *activity) error {
	endpoint, variant := variantOf(*a.ResourceId)
	_, err := s.endpoints.UpdateEndpointWeightsAndCapacities(s.ctx, &sagemaker.UpdateEndpointWeightsAndCapacitiesInput{EndpointName: &endpoint,
		DesiredWeightsAndCapacities: []smtypes.DesiredWeightAndCapacity{{VariantName: &variant, DesiredInstanceCount: &a.To}}})
	refused, is := errors.AsType[*wire.Error](err)
	switch {
	case is:
		return s.finish(a, errors.New(refused.Message))
	case err != nil:
		return err // it is asked again
	}
	a.waits()
	return s.db.Update(func(tx *bolt.Tx) error { return write(tx, activityBucket, a.Key, a) })
}

// pursue goes on with an activity in progress.
func (s *Service) pursue(a *activity) error {
	seen, err := s.look(s.ctx, *a.ResourceId)
	refused, is := errors.AsType[*wire.Error](err)
	switch {
	case is:
		return s.finish(a, errors.New(refused.Message))
	case err != nil:
		return err
	case !a.Asked && seen.desired != a.To: // a crash came between the record and the deed
		return s.ask(a)
	case seen.status != smtypes.EndpointStatusInService:
		return nil
	case seen.current == a.To:
		return s.finish(a, nil)
	case seen.failure != "":
		return s.finish(a, errors.New(seen.failure))
	}
	return s.finish(a, fmt.Errorf("the endpoint has %d instances", seen.current))
}

// finish records how an activity ended.
func (s *Service) finish(a *activity, failure error) error {
	now := s.cfg.Now().UTC()
	a.ends(failure, now)
	return s.db.Update(func(tx *bolt.Tx) error {
		err := errors.Join(write(tx, activityBucket, a.Key, a), tx.Bucket(runningBucket).Delete([]byte(*a.ResourceId)))
		t, missing := read[target](tx, targetBucket, *a.ResourceId)
		switch {
		case errors.Is(missing, errMissing):
			return err
		case missing != nil:
			return missing
		case failure != nil:
			t.Tried = now
		default:
			t.Changed = change{At: now, From: a.From, To: a.To}
		}
		return errors.Join(err, write(tx, targetBucket, t.Resource, t))
	})
}
