package autoscaling

import (
	"errors"
	"time"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// watch looks at every target, until the service closes.
func (s *Service) watch() {
	tick := time.NewTicker(s.cfg.Tick)
	defer tick.Stop()
	var swept time.Time
	for {
		now := s.cfg.Now()
		err := s.tend(now)
		if err == nil && now.Sub(swept) > time.Hour {
			swept = now
			err = s.sweep(now.Add(-keepActivities))
		}
		if err != nil && s.ctx.Err() == nil {
			s.cfg.Log.Error("auto scaling", "error", err)
		}
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		case <-s.changed:
		}
	}
}

// wake has the targets looked at out of turn.
func (s *Service) wake() {
	select {
	case s.changed <- struct{}{}:
	default: // it is known that something has changed
	}
}

// tend goes on with what was begun, and looks at the targets of which nothing is in
// progress.
func (s *Service) tend(now time.Time) error {
	begun, err := view(s, running)
	if err != nil {
		return err
	}
	var errs []error
	busy := map[string]bool{}
	for _, a := range begun {
		busy[*a.ResourceId] = true
		errs = append(errs, s.pursue(a))
	}
	targets, err := view(s, func(tx *bolt.Tx) ([]*target, error) { return all[target](tx, targetBucket, "") })
	errs = append(errs, err)
	for _, t := range targets {
		if !busy[t.Resource] {
			errs = append(errs, s.lookAt(t, now))
		}
	}
	return errors.Join(errs...)
}

// lookAt decides about a target that has no activity in progress, and begins.
func (s *Service) lookAt(t *target, now time.Time) error {
	seen, err := s.look(s.ctx, t.Resource)
	if _, refused := errors.AsType[*wire.Error](err); refused || err == nil && seen.status == smtypes.EndpointStatusDeleting {
		if err = s.drop(t.Resource, t); errors.Is(err, errMissing) {
			return nil // whoever deleted the endpoint has done it
		}
		return err
	}
	if err != nil || seen.status == smtypes.EndpointStatusCreating || t.Tried.Truncate(time.Minute).Equal(now.Truncate(time.Minute)) {
		return err // it is being made, or had its chance in this minute
	}
	votes, err := s.votes(t)
	if err != nil {
		return err
	}
	d, ok := situation{now: now, current: seen.desired, target: t, votes: votes}.decide()
	if !ok {
		return s.settle(t)
	}
	a, err := s.begin(t, d, seen.desired, now)
	if err != nil || a == nil {
		return err
	}
	return s.ask(a)
}

// settle notes that the capacity is within the bounds that a target was given.
func (s *Service) settle(t *target) error {
	if !t.Adjust {
		return nil
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		now, err := unchanged(tx, t)
		if err != nil || now == nil {
			return err
		}
		now.Adjust = false
		return write(tx, targetBucket, now.Resource, now)
	})
}

// votes asks the policies of a target.
func (s *Service) votes(t *target) ([]*vote, error) {
	policies, err := view(s, func(tx *bolt.Tx) ([]*policy, error) { return policiesOf(tx, t.Resource) })
	var list []*vote
	for _, p := range policies {
		v := &vote{policy: p}
		for name, alarmed := range map[string]*bool{p.High: &v.high, p.Low: &v.low} {
			l, found, err := s.cfg.Alarms.Look(name)
			if err != nil {
				return nil, err
			}
			if *alarmed = found && l.Enabled && l.State == cwtypes.StateValueAlarm; *alarmed {
				v.value, v.known = l.Value, l.Known
			}
		}
		list = append(list, v)
	}
	return list, err
}
