package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"golang.org/x/sync/errgroup"
)

// endpoint is the live side of an endpoint: its servers and where its traffic
// goes.
type endpoint struct {
	name   string
	ctx    context.Context // ends when the endpoint is deleted or the service closes
	cancel context.CancelFunc
	mu     sync.Mutex // held while servers change: one change at a time
	routes atomic.Pointer[routes]
	// restored is closed when an endpoint that an earlier service left InService
	// has its servers back; nil for a new endpoint.
	restored chan struct{}
}

func (s *Service) newEndpoint(name string, served bool) *endpoint {
	ep := &endpoint{name: name}
	ep.ctx, ep.cancel = context.WithCancel(s.ctx)
	if served {
		ep.restored = make(chan struct{})
	}
	s.endpoints.put(name, ep)
	return ep
}

// resumeEndpoints takes up every endpoint where it was.
func (s *Service) resumeEndpoints() error {
	records, err := s.store.endpoints.all()
	if err != nil {
		return err
	}
	for _, r := range records {
		ep := s.newEndpoint(r.Name, r.Deployed != nil)
		switch {
		case r.Status == types.EndpointStatusDeleting:
			s.spawn(func() { s.takeDown(ep, r.ARN) })
		case r.Deployed != nil:
			s.spawn(func() { s.restore(ep, r.Target != nil) })
		case r.Status == types.EndpointStatusCreating:
			s.spawn(func() { s.change(ep) })
		}
	}
	return nil
}

// restore brings back what an endpoint served, as often as it takes, and then
// goes on with the change that the service found it in, if midChange. A change
// that was asked for meanwhile has set out by itself.
func (s *Service) restore(ep *endpoint, midChange bool) {
	for wait := firstBackoff; ; wait = min(2*wait, lastBackoff) {
		r, err := s.store.endpoints.get(ep.name)
		if errors.Is(err, errMissing) || err == nil && r.Status == types.EndpointStatusDeleting {
			return
		}
		if err == nil {
			err = s.converge(ep, r.Deployed, true)
		}
		if err == nil && midChange {
			s.change(ep)
		}
		if err == nil || ep.ctx.Err() != nil {
			return
		}
		s.log.Error("endpoint could not be restored; trying again", "endpoint", ep.name, "after", wait, "error", err)
		select {
		case <-time.After(wait):
		case <-ep.ctx.Done():
			return
		}
	}
}

// change takes an endpoint to its target, if it has one, and records how that
// ended.
func (s *Service) change(ep *endpoint) {
	r, err := s.store.endpoints.get(ep.name)
	if err == nil && r.Target == nil {
		return
	}
	if err == nil {
		failure := s.converge(ep, r.Target, false)
		if s.ctx.Err() != nil {
			return // taken up by the next service
		}
		err = persist(s, s.store.endpoints, ep.name, func(r *endpointRecord) { r.settle(failure, time.Now().UTC()) })
	}
	if err != nil {
		s.log.Error("endpoint left in mid-change", "endpoint", ep.name, "error", err)
	}
}

// converge starts the servers that d needs and the endpoint has not, moves the
// traffic when all are healthy, and retires those no longer needed. When it
// fails nothing has changed. With missing, it does nothing for an endpoint that
// has servers.
func (s *Service) converge(ep *endpoint, d *deployment, missing bool) error {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	old := ep.routes.Load()
	if missing && old != nil {
		return nil
	}
	ctx, cancel := ep.ctx, context.CancelFunc(func() {})
	if d.Limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, d.Limit)
	}
	defer cancel()
	spare := old.byIdentity()
	next, fresh, err := s.assemble(ctx, ep.name, d, spare)
	if err != nil {
		for _, r := range fresh {
			s.spawn(r.retire)
		}
		return err
	}
	ep.routes.Store(next)
	if old == nil && ep.restored != nil {
		close(ep.restored)
	}
	for _, unused := range spare {
		for _, r := range unused {
			s.spawn(r.retire)
		}
	}
	return nil
}

// assemble builds the routes of d from spare servers, which it takes out of
// the map, and fresh ones, which it returns even when it fails.
func (s *Service) assemble(ctx context.Context, name string, d *deployment, spare map[string][]*replica) (*routes, []*replica, error) {
	next := &routes{capture: d.Capture}
	g, ctx := errgroup.WithContext(ctx)
	var mu sync.Mutex
	var fresh []*replica
	for _, spec := range d.Variants {
		v := &variant{spec: spec, replicas: make([]*replica, spec.Count)}
		have := spare[spec.identity()]
		kept := min(len(have), len(v.replicas))
		copy(v.replicas, have[:kept])
		spare[spec.identity()] = have[kept:]
		for i := kept; i < len(v.replicas); i++ {
			g.Go(func() error {
				r, err := s.startVariant(ctx, name, spec)
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				v.replicas[i] = r
				fresh = append(fresh, r)
				return nil
			})
		}
		next.add(v)
	}
	err := g.Wait()
	return next, fresh, err
}

// startVariant starts one server of a variant, with AWS's words if it fails.
func (s *Service) startVariant(ctx context.Context, endpoint string, v variantSpec) (*replica, error) {
	r, err := s.startServer(ctx, serverSpec{container: v.Container, log: endpointJournal(endpoint, v.Name), fetch: v.Fetch, startup: v.Startup})
	if errors.Is(err, errUnhealthy) {
		return nil, fmt.Errorf("The primary container for production variant %s did not pass the ping health check: %w. Please check CloudWatch logs for this endpoint.", v.Name, err) //nolint:staticcheck,revive // AWS's sentence, shown as FailureReason
	}
	if _, told := errors.AsType[*modelDataError](err); told {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("The primary container for production variant %s could not be started: %w", v.Name, err) //nolint:staticcheck // as above
	}
	return r, nil
}

// takeDown ends an endpoint's servers and then forgets it.
func (s *Service) takeDown(ep *endpoint, arn string) {
	ep.cancel()
	ep.mu.Lock()
	defer ep.mu.Unlock()
	var wait sync.WaitGroup
	for _, list := range ep.routes.Swap(nil).byIdentity() {
		for _, r := range list {
			wait.Go(r.retire)
		}
	}
	wait.Wait()
	s.endpoints.remove(ep.name)
	if err := s.repeat(func() error { return s.store.endpoints.remove(ep.name, arn) }); err != nil {
		s.log.Error("endpoint left in deletion", "endpoint", ep.name, "error", err)
	}
}
