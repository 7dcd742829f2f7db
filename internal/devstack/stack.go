package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.temporal.io/sdk/client"

	"steward/internal/cloud"
	"steward/internal/config"
)

// Poll is the time between two looks at running jobs: the local cloud does not
// mind often.
const Poll = 500 * time.Millisecond

// Names of the parts that can be left out, to be run by a process of their own.
const (
	CloudPart   = "cloud"
	WorkerPart  = "worker"
	GatewayPart = "gateway"
)

// Parts are those names.
var Parts = []string{CloudPart, WorkerPart, GatewayPart}

// Options say what to start.
type Options struct {
	Config  config.Config // Home, Bucket, Poll …
	Ports   Ports
	Without []string // of Parts
	CloudOptions
	// Temporal is the address of a server of one's own; empty starts one.
	Temporal string
	Say      func(string) // told what takes time
	Log      *slog.Logger
	Version  string // of this program, for the evidence
}

// Stack is a running stack.
type Stack struct {
	Home       Home
	Env        Env
	TemporalUI string // URL; empty for a server of one's own

	options  Options
	clients  *cloud.Clients
	temporal client.Client
	metrics  Metrics
	stops    []stop // in the order of starting
	failed   chan error
}

// stop ends one part.
type stop struct {
	part string
	run  func(ctx context.Context) error
}

// Start starts everything and returns when it answers. It changes the AWS
// variables of this process, whose SDKs then reach the local cloud. When it
// fails, what was started has been stopped again.
func Start(ctx context.Context, o Options) (*Stack, error) {
	for _, part := range o.Without {
		if !slices.Contains(Parts, part) {
			return nil, fmt.Errorf("there is no part %q to leave out: the parts are %v", part, Parts)
		}
	}
	home, err := Make(o.Config.Home)
	if err != nil {
		return nil, err
	}
	s := &Stack{Home: home, options: o, failed: make(chan error, 1)}
	for _, start := range []func(context.Context) error{
		s.lock, s.readEnv, s.startTemporal, s.startCloud, s.connect, s.startWorker, s.startGateway, s.keepEnv,
	} {
		if err := start(ctx); err != nil {
			return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}
	return s, nil
}

// started notes how to end a part that was just started.
func (s *Stack) started(part string, run func(ctx context.Context) error) {
	s.stops = append(s.stops, stop{part, run})
}

func (s *Stack) without(part string) bool { return slices.Contains(s.options.Without, part) }

// Failed gets an error when a part ends by itself.
func (s *Stack) Failed() <-chan error { return s.failed }

func (s *Stack) fail(err error) {
	select {
	case s.failed <- err:
	default: // one is enough to stop everything
	}
}

// Stop ends the parts, the last started first: the gateway finishes its
// requests, the worker its tasks, the cloud its servers; Temporal goes last. The
// end of ctx ends all at once.
func (s *Stack) Stop(ctx context.Context) error {
	var errs []error
	for _, part := range slices.Backward(s.stops) {
		s.options.Log.Info("stopping", "part", part.part)
		if err := part.run(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", part.part, err))
		}
	}
	s.stops = nil
	return errors.Join(errs...)
}

// serve runs a server until it is stopped. One that ends before has failed.
func (s *Stack) serve(part string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := run(ctx)
		if ctx.Err() == nil {
			s.fail(fmt.Errorf("%s ended by itself: %w", part, err))
		}
		done <- err
	}()
	s.started(part, func(stopping context.Context) error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-stopping.Done():
			return context.Cause(stopping)
		}
	})
}
