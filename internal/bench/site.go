package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"steward/internal/devstack"
	"steward/internal/devstack/server"
	"steward/worker"
)

// site is a Temporal server with two clients: Steward's, made as the product
// makes it, and a bare one.
type site struct {
	ours, bare client.Client
	metrics    devstack.Metrics
	log        *slog.Logger
	stops      []func() error
}

// openSite starts the server and connects to it.
func openSite(ctx context.Context, l lab) (*site, error) {
	s := &site{}
	for _, start := range []func(context.Context, lab) error{s.openLog, s.startServer} {
		if err := start(ctx, l); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

// onClose notes how to end what was just started.
func (s *site) onClose(end func() error) { s.stops = append(s.stops, end) }

// close ends everything, the last started first.
func (s *site) close() error {
	var errs []error
	for _, end := range slices.Backward(s.stops) {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

// openLog sends the log to a file, as `steward dev` does.
func (s *site) openLog(_ context.Context, l lab) error {
	f, err := os.Create(filepath.Join(l.dir, "bench.log"))
	if err != nil {
		return err
	}
	s.onClose(f.Close)
	s.log = slog.New(slog.NewTextHandler(f, nil))
	return nil
}

func (s *site) startServer(ctx context.Context, l lab) error {
	binary, err := server.Binary(ctx, func(text string) { l.say("%s", text) })
	if err != nil {
		return err
	}
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	attributes := map[string]string{}
	for name, kind := range worker.Attributes() {
		attributes[name] = kind.String()
	}
	t, err := server.Start(ctx, server.Options{
		Program: server.Program{Path: binary, Ours: true}, Port: ports[0], UIPort: ports[1], Attributes: attributes,
		Database: filepath.Join(l.dir, "temporal.db"), Log: filepath.Join(l.dir, "temporal.log"),
	})
	if err != nil {
		return err
	}
	s.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		return t.Stop(ctx)
	})
	return s.connect(ctx, t.Address)
}

func (s *site) connect(ctx context.Context, address string) (err error) {
	if s.metrics, err = devstack.NewMetrics(); err != nil {
		return err
	}
	s.onClose(s.metrics.Close)
	if s.ours, err = worker.Dial(ctx, address, s.metrics.Scope, s.log); err != nil {
		return err
	}
	s.onClose(func() error { s.ours.Close(); return nil })
	if s.bare, err = client.DialContext(ctx, client.Options{HostPort: address, Logger: log.NewStructuredLogger(s.log)}); err != nil {
		return err
	}
	s.onClose(func() error { s.bare.Close(); return nil })
	return nil
}

// freePorts returns ports that nobody listens on now.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
