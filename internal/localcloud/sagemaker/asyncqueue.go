package sagemaker

import (
	"errors"
	"fmt"
	"time"
)

// pursue answers the requests that an asynchronous endpoint has accepted, until it
// is deleted or the service closes: then what is left is taken up by the next one.
func (s *Service) pursue(ep *endpoint) {
	var kept []pending
	var damaged []error
	err := s.repeat(func() (err error) {
		kept, damaged, err = s.store.accepted(ep.name)
		return err
	})
	if err != nil {
		return // the service closes
	}
	if err := errors.Join(damaged...); err != nil {
		s.log.Error("asynchronous requests that will never be answered", "endpoint", ep.name, "error", err)
	}
	ep.backlog.add(kept...)
	look := time.NewTicker(s.cfg.AsyncInterval)
	defer look.Stop()
	for {
		for s.answerNext(ep) {
		}
		select {
		case <-ep.ctx.Done():
			return
		case <-ep.backlog.wake:
		case <-look.C:
			for _, p := range ep.backlog.late(s.cfg.Now()) {
				s.answer(ep, p, nil)
			}
			s.measureBacklog(ep)
		}
	}
}

// answerNext starts on the oldest request, if there is one and a server has room.
func (s *Service) answerNext(ep *endpoint) bool {
	server, ok := ep.reserve()
	if !ok {
		return false
	}
	p, ok := ep.backlog.take()
	if !ok {
		server.release()
		return false
	}
	return s.spawn(func() {
		defer ep.backlog.signal()
		defer server.release()
		s.answer(ep, p, server)
	})
}

// slot is room for one request at a server.
type slot struct {
	*replica
	variant *variant
	addr    string
}

// reserve finds a server that may get another request, least loaded first.
func (ep *endpoint) reserve() (*slot, bool) {
	now := ep.routes.Load()
	if now == nil {
		return nil, false
	}
	routes := now.side("", draw())
	v, err := routes.pick("", draw())
	if err != nil {
		return nil, false // all have weight 0
	}
	server, addr, ok := v.acquire(map[*replica]bool{})
	if ok && server.load() > concurrency(routes.async) {
		server.release()
		ok = false
	}
	return &slot{server, v, addr}, ok
}

// measureBacklog publishes what "Monitoring asynchronous endpoint" of the SageMaker
// developer guide names, of an asynchronous endpoint.
func (s *Service) measureBacklog(ep *endpoint) {
	if now := ep.routes.Load(); now == nil || now.async == nil {
		return
	}
	at := s.cfg.Now()
	waiting, age := ep.backlog.size(at)
	instances := len(ep.routes.Load().servers())
	s.recordAsync(ep, at, map[string]float64{
		"ApproximateBacklogSize":            float64(waiting),
		"ApproximateBacklogSizePerInstance": float64(waiting) / float64(max(instances, 1)),
		"ApproximateAgeOfOldestRequest":     age.Seconds(),
		"HasBacklogWithoutCapacity":         count(waiting > 0 && instances == 0),
	})
}

func (s *Service) recordAsync(ep *endpoint, at time.Time, values map[string]float64) {
	dimensions := map[string]string{"EndpointName": ep.name}
	for name, value := range values {
		s.cfg.Metrics.Record("AWS/SageMaker", name, dimensions, value, at)
	}
}

// answer brings an accepted request to its end, or puts it back when this was not
// its time. One without a server has expired.
func (s *Service) answer(ep *endpoint, p pending, at *slot) {
	call, err := s.store.asyncCall(ep.name, p.number)
	if errors.Is(err, errMissing) {
		return // the endpoint is gone
	}
	if p.left.IsZero() {
		p.left = s.cfg.Now()
	}
	var result *inference
	switch {
	case err != nil:
	case at == nil || !s.cfg.Now().Before(p.expires):
		result, err = s.failed(ep.ctx, call, fmt.Sprintf("The request expired: it waited for longer than %s.", call.TTL))
		if result != nil {
			result.expired = true
		}
	default:
		result, err = s.infer(ep, p, call, at)
	}
	if err == nil {
		err = s.endCall(ep, p, call, result)
	}
	if err == nil || ep.ctx.Err() != nil {
		return
	}
	if !errors.Is(err, errNotNow) && s.complaints.Allow() {
		s.log.Error("asynchronous request; trying again", "endpoint", ep.name, "inference", p.number, "error", err)
	}
	s.spawn(func() { // its turn comes again, but not at once
		select {
		case <-time.After(retryAfter):
			ep.backlog.add(p)
		case <-ep.ctx.Done():
		}
	})
}

// retryAfter is how long a request rests that found no server, or could not be
// recorded.
const retryAfter = 250 * time.Millisecond
