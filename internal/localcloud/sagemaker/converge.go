package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	backlog  *backlog // of asynchronous requests
}

func (s *Service) newEndpoint(name string, served bool) *endpoint {
	ep := &endpoint{name: name, backlog: newBacklog()}
	ep.ctx, ep.cancel = context.WithCancel(s.ctx)
	if served {
		ep.restored = make(chan struct{})
	}
	s.endpoints.put(name, ep)
	s.spawn(func() { s.pursue(ep) })
	return ep
}

// serve has requests go another way from now on.
func (ep *endpoint) serve(next *routes) {
	ep.routes.Store(next)
	ep.backlog.signal()
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
			err = s.reinstate(ep, r.Deployed)
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

// assemble builds the routes of d from spare servers, which it takes out of
// the map, and fresh ones, which it returns even when it fails.
func (s *Service) assemble(ctx context.Context, name string, d *deployment, spare map[string][]*replica) (*routes, []*replica, error) {
	next := &routes{capture: d.Capture, async: d.Async}
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
	if err := s.startSlowly(ctx, endpoint, endpoint+"/"+v.Name); err != nil {
		return nil, err
	}
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
	retireAll(slices.Collect(maps.Keys(ep.routes.Swap(nil).servers())))
	s.endpoints.remove(ep.name)
	if err := s.repeat(func() error { return s.store.forgetEndpoint(ep.name, arn) }); err != nil {
		s.log.Error("endpoint left in deletion", "endpoint", ep.name, "error", err)
	}
}
