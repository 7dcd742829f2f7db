package devstack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"steward/internal/apiclient"
	"steward/internal/cloud"
	"steward/internal/devstack/server"
	"steward/worker"
)

// lock keeps a second stack out of the home.
func (s *Stack) lock(context.Context) error {
	release, err := s.Home.Lock()
	if held := (InUse{}); errors.As(err, &held) {
		return fmt.Errorf("%w: stop that one, or choose another directory with --home", err)
	}
	if err == nil {
		s.started("lock", func(context.Context) error { return release() })
	}
	return err
}

func (s *Stack) readEnv(context.Context) (err error) {
	s.Env, err = s.Home.ReadEnv()
	return err
}

// startTemporal starts the embedded server, unless there is one to use. The
// address of this home's own, as a shell has it that sourced the env file, names
// none to use: that one ended with the stack before.
func (s *Stack) startTemporal(ctx context.Context) error {
	last := s.Home.lastTemporal()
	if at := s.options.Temporal; at != "" && at != last.address {
		s.Env[temporalAt] = at
		return nil
	}
	ports := s.options.Ports
	if err := spare(ports.Temporal, "Temporal", "--temporal-port"); err != nil {
		return last.explain(err, s.options.Temporal)
	}
	if err := spare(ports.UI, "Temporal's web UI", "--ui-port"); err != nil {
		return last.explain(err, "")
	}
	program, err := server.Find(ctx, s.options.Say)
	if err != nil {
		return err
	}
	attributes := map[string]string{}
	for name, kind := range worker.Attributes() {
		attributes[name] = kind.String()
	}
	t, err := server.Start(ctx, server.Options{
		Program: program, Port: ports.Temporal, UIPort: ports.UI, Attributes: attributes,
		Database: s.Home.path("temporal.db"), Log: s.Home.path("logs", "temporal.log"),
	})
	if err != nil {
		return err
	}
	s.Env[temporalAt], s.TemporalUI = t.Address, t.UI
	s.watchTemporal(t)
	return s.Home.noteTemporal(embedded{t.Address, t.PID})
}

func (s *Stack) watchTemporal(t *server.Server) {
	stopping := make(chan struct{})
	go func() {
		select {
		case <-stopping:
		case <-t.Done():
			s.fail(fmt.Errorf("temporal ended by itself; see %s", s.Home.path("logs", "temporal.log")))
		}
	}()
	s.started("temporal", func(ctx context.Context) error {
		close(stopping)
		return t.Stop(ctx)
	})
}

// startCloud serves the local cloud; left out, it is expected on its port.
func (s *Stack) startCloud(context.Context) error {
	if s.without(CloudPart) {
		s.Env[awsEndpoint] = expected(s.options.Ports.Cloud)
		return s.Env.Apply()
	}
	listener, err := Listen(s.options.Ports.Cloud, "the local cloud", "--cloud-port")
	if err != nil {
		return err
	}
	c, err := s.Home.NewCloud(listener, s.options.CloudOptions, s.options.Log)
	if err != nil {
		return errors.Join(err, closed(listener))
	}
	s.serve(CloudPart, c.Serve)
	s.Env[awsEndpoint] = "http://" + listener.Addr().String()
	return s.Env.Apply()
}

// expected is where a part that somebody else runs is.
func expected(port int) string { return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// closed closes a listener that a failed constructor may have closed already.
func closed(l net.Listener) error {
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// connect makes the clients that worker and gateway share.
func (s *Stack) connect(ctx context.Context) (err error) {
	if s.metrics, err = NewMetrics(); err != nil {
		return err
	}
	s.started("metrics", func(context.Context) error { return s.metrics.Close() })
	if s.temporal, err = worker.Dial(ctx, s.Env[temporalAt], s.metrics.Scope, s.options.Log); err != nil {
		return err
	}
	s.started("connection", func(context.Context) error { s.temporal.Close(); return nil })
	s.clients, err = cloud.New(ctx)
	return err
}

func (s *Stack) startWorker(ctx context.Context) error {
	if s.without(WorkerPart) {
		return nil
	}
	keys, err := s.Home.Keyring()
	if err != nil {
		return err
	}
	w, err := worker.Start(ctx, worker.Options{
		Config: s.options.Config, Temporal: s.temporal, Cloud: s.clients, Keys: keys, Log: s.options.Log,
		Version: s.options.Version,
	})
	if err != nil {
		return err
	}
	s.serve(WorkerPart, w.Serve)
	return nil
}

// startGateway serves the gateway; left out, it is expected on its port.
func (s *Stack) startGateway(ctx context.Context) error {
	if s.without(GatewayPart) {
		s.Env[gatewayAt] = expected(s.options.Ports.Gateway)
		return nil
	}
	listener, err := Listen(s.options.Ports.Gateway, "the gateway", "--gateway-port")
	if err != nil {
		return err
	}
	g, err := s.Home.NewGateway(GatewayOptions{
		Config: s.options.Config, Listener: listener, Temporal: s.temporal, Cloud: s.clients,
		Metrics: s.metrics, Log: s.options.Log, TemporalUI: s.TemporalUI,
	})
	if err != nil {
		return errors.Join(err, closed(listener))
	}
	s.serve(GatewayPart, g.Serve)
	s.Env[gatewayAt] = g.URL()
	return s.awaitGateway(ctx)
}

// readiness is how long the gateway may take to answer.
const readiness = 30 * time.Second

func (s *Stack) awaitGateway(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readiness)
	defer cancel()
	c := apiclient.New(s.Env.Gateway(), "")
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := c.Ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the gateway did not become ready within %s: %w", readiness, err)
		case <-ticker.C:
		}
	}
}

// keepEnv leaves the addresses for other processes and for this one.
func (s *Stack) keepEnv(context.Context) error {
	if err := s.Home.writeEnv(s.Env); err != nil {
		return err
	}
	return s.Env.Apply()
}
