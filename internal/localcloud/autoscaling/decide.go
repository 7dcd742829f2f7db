package autoscaling

import (
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
)

// defaultCooldown is that of SageMaker's variants, by "Define cooldown periods" of
// the Application Auto Scaling user guide.
const defaultCooldown = 300 * time.Second

// vote is what a policy says: whether its alarms ask for more or less, and what its
// metric was in the last whole minute. Without a measurement it says nothing.
type vote struct {
	policy    *policy
	high, low bool // in ALARM
	value     float64
	known     bool
}

// want is the capacity that would bring the metric to its target, seen from another.
func (v *vote) want(capacity int32) int32 {
	// A metric that is the target to the last bit asks for no more.
	n := math.Ceil(float64(capacity)*v.value / *v.policy.Tracking.TargetValue - 1e-9)
	return int32(min(max(n, 0), math.MaxInt32))
}

// situation is all that a decision rests on.
type situation struct {
	now     time.Time
	current int32 // capacity
	target  *target
	votes   []*vote
}

// decision is a capacity that is to be set, or with a reason why it is not.
type decision struct {
	to       int32
	cause    string
	followed bool // a policy was
	reason   *types.NotScaledReason
}

// decide says what is to be done, if anything. Of several policies the one with the
// largest capacity counts; capacity goes down only if all agree: see "Target tracking
// scaling policies" of the Application Auto Scaling user guide.
func (s situation) decide() (decision, bool) {
	if d, ok := s.adjust(); ok {
		return d, true
	}
	if d, asked := s.scaleOut(); asked {
		return s.within(d, aws.ToBool(s.target.Suspend.DynamicScalingOutSuspended))
	}
	if d, asked := s.scaleIn(); asked {
		return s.within(d, aws.ToBool(s.target.Suspend.DynamicScalingInSuspended))
	}
	return decision{}, false
}

// within keeps a decision within the bounds of the target.
func (s situation) within(d decision, suspended bool) (decision, bool) {
	t := s.target
	switch to := min(max(d.to, t.Min), t.Max); {
	case suspended:
		return d, false
	case (d.to > s.current) == (to > s.current) && to != s.current:
		d.to = to
	case d.to > s.current:
		d.reason = &types.NotScaledReason{Code: aws.String("AlreadyAtMaxCapacity"), MaxCapacity: &t.Max}
	default:
		d.reason = &types.NotScaledReason{Code: aws.String("AlreadyAtMinCapacity"), MinCapacity: &t.Min}
	}
	return d, true
}

// scaleOut is the largest capacity above the present one that a policy asks for.
func (s situation) scaleOut() (best decision, asked bool) {
	for _, v := range s.votes {
		if !v.high || !v.known {
			continue
		}
		// While the cooldown runs, what the last activity added counts as a part of
		// what is asked for now: only more than that is a larger scale-out.
		base := s.current
		if c := s.target.Changed; c.To > c.From && s.cooling(v.policy.Tracking.ScaleOutCooldown) {
			base = min(base, c.From)
		}
		if n := v.want(base); n > s.current && n > best.to {
			best, asked = decision{to: n, cause: cause(v.policy.High, v.policy), followed: true}, true
		}
	}
	return best, asked
}

// scaleIn is the largest capacity that the policies ask for when all that may scale
// in ask for less than there is, or would if there were less to have.
func (s situation) scaleIn() (best decision, asked bool) {
	for _, v := range s.votes {
		if aws.ToBool(v.policy.Tracking.DisableScaleIn) {
			continue
		}
		if !v.low || !v.known {
			return best, false
		}
		if c := s.target.Changed; c.To < c.From && s.cooling(v.policy.Tracking.ScaleInCooldown) {
			return best, false
		}
		n := v.want(s.current)
		if n >= s.current && s.current > s.target.Min {
			return best, false
		}
		if !asked || n > best.to {
			best, asked = decision{to: n, cause: cause(v.policy.Low, v.policy), followed: true}, true
		}
	}
	return best, asked
}

// adjust brings the capacity within bounds that were set anew.
func (s situation) adjust() (decision, bool) {
	t := s.target
	switch {
	case !t.Adjust:
	case s.current < t.Min:
		return decision{to: t.Min, cause: "minimum capacity was set to " + itoa(t.Min)}, true
	case s.current > t.Max:
		return decision{to: t.Max, cause: "maximum capacity was set to " + itoa(t.Max)}, true
	}
	return decision{}, false
}

// cooling tells whether the last change is less than a cooldown ago.
func (s situation) cooling(seconds *int32) bool {
	wait := defaultCooldown
	if seconds != nil {
		wait = time.Duration(*seconds) * time.Second
	}
	return s.now.Before(s.target.Changed.At.Add(wait))
}

func cause(alarm string, p *policy) string {
	return "monitor alarm " + alarm + " in state ALARM triggered policy " + p.Name
}
