package sagemaker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"steward/internal/localcloud/wire"
)

// maxShadows is how many mirrored requests may be in flight; more are dropped,
// so that a slow shadow never holds up the cloud.
const maxShadows = 64

// forwarded are the request headers a model gets.
var forwarded = []string{"Content-Type", "Accept", headerInference, headerCustom}

// invocation is one request on its way to a model.
type invocation struct {
	service  *Service
	endpoint *endpoint
	header   http.Header
	body     []byte
	began    time.Time
	limit    time.Duration // how long a model may take
	stream   *stream       // where a good answer goes as it is made; nil to have it whole
}

// answer is what a variant's model said.
type answer struct {
	variant *variant
	status  int
	header  http.Header
	body    []byte
	took    time.Duration // by the model alone
}

// run sends the invocation to a production variant, and to the shadow when it
// is its turn.
func (c *invocation) run(ctx context.Context) (*answer, error) {
	for {
		now, target := c.endpoint.routes.Load(), c.header.Get(headerVariant)
		if now == nil {
			return nil, unavailable(c.endpoint.name)
		}
		routes := now.side(target, draw())
		v, err := routes.pick(target, draw())
		if err != nil {
			return nil, err
		}
		a, err := c.send(ctx, routes, v)
		if errors.Is(err, errNoServer) && c.endpoint.routes.Load() != now {
			continue // the traffic moved meanwhile
		}
		c.mirror(routes)
		if errors.Is(err, errNoServer) {
			c.measure(v, nil, http.StatusServiceUnavailable)
			return nil, unavailable(c.endpoint.name)
		}
		return a, err
	}
}

// errNoServer says that a variant has no server that takes requests.
var errNoServer = errors.New("no server")

// send asks a variant's model, measures and captures. A model that answers
// other than 2xx is a modelError. The caller gets its answer even if it cannot
// be captured.
func (c *invocation) send(ctx context.Context, routes *routes, v *variant) (*answer, error) {
	a, err := c.ask(ctx, v)
	if err != nil {
		return nil, err
	}
	c.measure(v, a, a.status)
	if a.status < 200 || a.status > 299 {
		group := endpointLogs + c.endpoint.name
		return nil, &modelError{a.status, truncate(string(a.body), maxFailure), c.service.logPage(group), c.service.logARN(group)}
	}
	if err := c.capture(routes, v, a); err != nil && c.service.complaints.Allow() {
		c.service.log.Error("invocations are answered but not captured", "endpoint", c.endpoint.name, "variant", v.spec.Name, "error", err)
	}
	return a, nil
}

// ask tries the variant's servers, least loaded first, until one can be
// reached.
func (c *invocation) ask(ctx context.Context, v *variant) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	tried := map[*replica]bool{}
	for {
		server, addr, ok := v.acquire(tried)
		if !ok {
			return nil, errNoServer
		}
		a, err := c.post(ctx, v, addr)
		server.release()
		if err == nil {
			a.variant = v
			return a, nil
		}
		if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
			continue // nothing was sent
		}
		// Not answered, as a model that fails in mid-answer: an error of the model.
		message := "the connection to the model server broke: " + err.Error()
		if errors.Is(err, context.DeadlineExceeded) {
			message = "Your invocation timed out while waiting for a response from container primary."
		}
		return &answer{variant: v, body: []byte(message), header: http.Header{}}, gaveUp(err)
	}
}

// gaveUp returns an error when it was the caller who gave up.
func gaveUp(err error) error {
	if errors.Is(err, context.Canceled) {
		return wire.Errorf("ValidationError", "the client closed the connection: %v", err)
	}
	return nil
}

func (c *invocation) post(ctx context.Context, v *variant, addr string) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, addr+"/invocations", bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	for _, h := range forwarded {
		if v := c.header.Get(h); v != "" {
			req.Header.Set(h, v)
		}
	}
	began := time.Now()
	resp, err := c.service.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	streams := c.stream != nil && resp.StatusCode >= 200 && resp.StatusCode <= 299
	var body []byte
	if streams {
		body, err = c.stream.pass(ctx, v, resp)
	} else {
		body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	}
	if err != nil {
		return nil, err
	}
	a := &answer{status: resp.StatusCode, header: resp.Header, body: body, took: time.Since(began)}
	if len(body) > maxBody && !streams {
		a.status, a.body = http.StatusInternalServerError, []byte("the model's answer is greater than the limit of 6 MiB")
	}
	return a, nil
}

// measure records what AWS/SageMaker publishes per invocation; latencies are
// in microseconds. A model that gave no status, or one that is no answer, such as
// a redirect, counts as 5xx.
func (c *invocation) measure(v *variant, a *answer, status int) {
	now := time.Now()
	c.record(v, "Invocations", 1)
	if n := len(v.replicas); n > 0 {
		c.record(v, "InvocationsPerInstance", 1/float64(n))
	}
	if a != nil && a.status != 0 {
		c.record(v, "OverheadLatency", float64((now.Sub(c.began) - a.took).Microseconds()))
	}
	c.measureModel(v, a, status)
}

// measureModel records what is of the model alone.
func (c *invocation) measureModel(v *variant, a *answer, status int) {
	c.record(v, "Invocation4XXErrors", count(status >= 400 && status < 500))
	c.record(v, "Invocation5XXErrors", count((status < 200 || status > 299) && (status < 400 || status > 499)))
	if a != nil && a.status != 0 {
		c.record(v, "ModelLatency", float64(a.took.Microseconds()))
	}
}

func (c *invocation) record(v *variant, name string, value float64) {
	dimensions := map[string]string{"EndpointName": c.endpoint.name, "VariantName": v.spec.Name}
	c.service.cfg.Metrics.Record("AWS/SageMaker", name, dimensions, value, c.service.cfg.Now())
}

func count(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// mirror sends a copy to the shadow variants without waiting for it.
func (c *invocation) mirror(routes *routes) {
	for _, v := range routes.shadows {
		if !routes.mirrors(v, draw()) {
			continue
		}
		select {
		case c.service.shadows <- struct{}{}:
		default:
			continue
		}
		// The caller's request ends before its shadow does.
		c.service.spawn(func() {
			defer func() { <-c.service.shadows }()
			copied := *c
			copied.began, copied.stream = time.Now(), nil
			if _, err := copied.send(c.service.ctx, routes, v); err != nil {
				c.service.log.Debug("shadow variant", "endpoint", c.endpoint.name, "variant", v.spec.Name, "error", err)
			}
		})
	}
}
