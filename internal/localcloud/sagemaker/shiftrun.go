package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/faults"
)

// change takes an endpoint to its target, if it has one, and records how that
// ended. A change that an earlier service was at goes on from its last step.
func (s *Service) change(ep *endpoint) {
	r, err := s.store.endpoints.get(ep.name)
	if err == nil && r.Target == nil {
		return
	}
	if err == nil {
		failure := errors.New(r.FailureReason)
		if r.Status != types.EndpointStatusRollingBack { // else the old servers have all traffic again
			failure = s.deploy(ep, r)
		}
		if s.ctx.Err() != nil {
			return // taken up by the next service
		}
		err = s.record(ep, func(r *endpointRecord) { r.settle(failure, s.cfg.Now().UTC()) })
	}
	if err != nil {
		s.log.Error("endpoint left in mid-change", "endpoint", ep.name, "error", err)
	}
}

func (s *Service) record(ep *endpoint, change func(*endpointRecord)) error {
	return persist(s, s.store.endpoints, ep.name, change)
}

// reinstate gives an endpoint that has no servers those that it had.
func (s *Service) reinstate(ep *endpoint, d *deployment) error {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if ep.routes.Load() != nil {
		return nil
	}
	next, fresh, err := s.assemble(ep.ctx, ep.name, d, map[string][]*replica{})
	if err != nil {
		s.spawnRetire(fresh)
		return err
	}
	ep.serve(next)
	close(ep.restored)
	return nil
}

// deploy starts the servers that the target needs and the endpoint has not, moves
// the traffic when all are healthy, and retires those no longer needed. When it
// fails all traffic is where it was.
func (s *Service) deploy(ep *endpoint, r *endpointRecord) error {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	ctx, cancel := ep.ctx, context.CancelFunc(func() {})
	if limit := r.Target.Shift.Limit; limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, r.Modified.Add(limit).Sub(s.cfg.Now()))
	}
	defer cancel()
	old := ep.routes.Load()
	next, fresh, err := s.assemble(ctx, ep.name, r.Target, old.byIdentity())
	if err != nil {
		s.spawnRetire(fresh)
		if late := r.overdue(s.cfg.Now()); late != nil {
			return late
		}
		return err
	}
	if old != nil {
		err = s.moveTraffic(ep, r, next)
	}
	if err != nil {
		return s.takeBack(ep, old, fresh, err)
	}
	ep.serve(next)
	unused := old.servers()
	for server := range next.servers() {
		delete(unused, server)
	}
	for server := range unused {
		s.spawn(server.retire)
	}
	return nil
}

// overdue fails once a deployment has taken longer than it may.
func (r *endpointRecord) overdue(now time.Time) error {
	limit := r.Target.Shift.Limit
	if limit == 0 || now.Before(r.Modified.Add(limit)) {
		return nil
	}
	return fmt.Errorf("the deployment took longer than its MaximumExecutionTimeoutInSeconds, %d", int(limit.Seconds()))
}

// moveTraffic takes the steps of the target's shift, from the one that the record
// is at, with a baking time after each.
func (s *Service) moveTraffic(ep *endpoint, r *endpointRecord, next *routes) error {
	plan := r.Target.Shift
	old := ep.routes.Load()
	if err := s.tripped(plan.Alarms); err != nil {
		return err
	}
	// A step that an earlier service was at is baked anew: while there was no service
	// there was no traffic to judge it by.
	for step := max(r.Progress.Step, 1); step <= plan.steps(); step++ {
		at := progress{Stage: types.VariantStatusBaking, Step: step, Since: s.cfg.Now().UTC()}
		// What the record says has happened or is about to: a crash in between moves
		// the traffic again.
		if err := s.record(ep, func(r *endpointRecord) { r.Progress = at }); err != nil {
			return err
		}
		ep.serve(old.sharing(next, plan.share(step)))
		if err := s.bake(ep.ctx, r, at.Since.Add(plan.wait(step))); err != nil {
			return err
		}
	}
	struck, err := s.struck(ep.ctx, faults.Rollback, ep.name)
	if struck {
		return errSilent
	}
	return err
}

// bake waits until a time and fails when an alarm goes off before, or when the
// deployment's time is over.
func (s *Service) bake(ctx context.Context, r *endpointRecord, until time.Time) error {
	tick := time.NewTicker(s.cfg.ShiftInterval)
	defer tick.Stop()
	for {
		now := s.cfg.Now()
		if err := first(s.tripped(r.Target.Shift.Alarms), r.overdue(now)); err != nil {
			return err
		}
		if !now.Before(until) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tripped fails for the first alarm that is in ALARM, or that cannot be asked any
// more: nothing would guard the rest. One without data says nothing.
func (s *Service) tripped(alarms []string) error {
	for _, name := range alarms {
		state, ok := s.alarmState(name)
		if !ok {
			return fmt.Errorf("the CloudWatch alarm %s of the deployment's AutoRollbackConfiguration is gone: nothing guards it any more", name)
		}
		if state == cwtypes.StateValueAlarm {
			return fmt.Errorf("the CloudWatch alarm %s of the deployment's AutoRollbackConfiguration is in ALARM", name)
		}
	}
	return nil
}

func (s *Service) alarmState(name string) (cwtypes.StateValue, bool) {
	if s.cfg.Alarms == nil {
		return "", false
	}
	return s.cfg.Alarms.AlarmState(name)
}

// takeBack gives all traffic to the old servers, waits until the new ones have
// answered what they took, and returns why.
func (s *Service) takeBack(ep *endpoint, old *routes, fresh []*replica, why error) error {
	ep.serve(old)
	if ep.ctx.Err() != nil { // the service closes, or the endpoint is deleted
		s.spawnRetire(fresh)
		return why
	}
	err := s.record(ep, func(r *endpointRecord) { r.rollBack(why, s.cfg.Now().UTC()) })
	retireAll(fresh)
	return errors.Join(why, err)
}

func (s *Service) spawnRetire(servers []*replica) {
	for _, r := range servers {
		s.spawn(r.retire)
	}
}

// retireAll returns when nothing of the servers is left.
func retireAll(servers []*replica) {
	var wait sync.WaitGroup
	for _, r := range servers {
		wait.Go(r.retire)
	}
	wait.Wait()
}
