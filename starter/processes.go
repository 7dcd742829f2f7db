package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"steward/internal/cloud"
	"steward/internal/config"
	"steward/internal/devstack"
	"steward/internal/telemetry"
	"steward/worker"
)

// node is what a worker and a gateway process have in common.
type node struct {
	config   config.Config
	home     devstack.Home
	log      *slog.Logger
	metrics  devstack.Metrics
	temporal client.Client
	cloud    *cloud.Clients
}

// connect reads the environment and connects. With dev, the embedded stack of
// the home directory fills in what the environment leaves open.
func (a *app) connect(ctx context.Context, dev bool) (*node, error) {
	n := &node{log: telemetry.Logger(os.Stderr, slog.LevelInfo)}
	var err error
	if n.config, err = a.config(); err != nil {
		return nil, err
	}
	if n.home, err = devstack.At(n.config.Home); err != nil {
		return nil, err
	}
	if dev {
		env, err := n.home.ReadEnv()
		if err != nil {
			return nil, err
		}
		if err := env.Without(os.Getenv).Apply(); err != nil {
			return nil, err
		}
		if os.Getenv("STEWARD_POLL") == "" {
			n.config.Poll = devstack.Poll
		}
	}
	if n.metrics, err = devstack.NewMetrics(); err != nil {
		return nil, err
	}
	if n.cloud, err = cloud.New(ctx); err != nil {
		return nil, err
	}
	n.temporal, err = worker.Dial(ctx, "", n.metrics.Scope, n.log)
	return n, err
}

// namespace is where Temporal's own variables say.
func namespace() string { return os.Getenv("TEMPORAL_NAMESPACE") }

func (n *node) close() error {
	n.temporal.Close()
	return n.metrics.Close()
}

// untilSignal runs something until it ends or a signal cancels its context. A
// second signal has its usual effect: it ends the process at once.
func untilSignal(ctx context.Context, run func(context.Context) error) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx)
}

func (a *app) worker() *cobra.Command {
	var dev bool
	var metrics string
	cmd := &cobra.Command{
		Use: "worker", Short: "Run a worker",
		Long: `Worker runs workflows and activities. Temporal is where TEMPORAL_ADDRESS and its
relatives say, AWS where the SDK's own variables and profiles say. It needs the
gateway's public key in keys/*.pub.pem of the home directory. SIGTERM drains it.`,
		Example: "  steward worker --metrics 0.0.0.0:9090\n  steward worker --dev    # beside `steward dev --without worker`",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return untilSignal(cmd.Context(), func(ctx context.Context) error {
				n, err := a.connect(ctx, dev)
				if err != nil {
					return err
				}
				return errors.Join(n.work(ctx, metrics), n.close())
			})
		},
	}
	cmd.Flags().BoolVar(&dev, "dev", false, "work for the embedded stack of the home directory")
	cmd.Flags().StringVar(&metrics, "metrics", "", "`address` that serves /metrics and /healthz; none when empty")
	return cmd
}

// work serves metrics for as long as the worker runs.
func (n *node) work(ctx context.Context, address string) error {
	keys, err := n.home.Keyring()
	if err != nil {
		return err
	}
	w, err := worker.Start(ctx, worker.Options{
		Config: n.config, Temporal: n.temporal, Namespace: namespace(), Cloud: n.cloud, Keys: keys, Log: n.log,
		Version: version,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if address != "" {
		stop, err := n.serveMetrics(address, cancel)
		if err != nil {
			cancel(err)
			return errors.Join(err, w.Serve(ctx))
		}
		defer stop()
	}
	n.log.InfoContext(ctx, "worker runs", "bucket", n.config.Bucket)
	err = w.Serve(ctx)
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

// serveMetrics serves until stop is called; failed gets an error before.
func (n *node) serveMetrics(address string, failed func(error)) (stop func(), err error) {
	listener, err := devstack.ListenOn(address, "metrics", "--metrics")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", n.metrics.Handler)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := n.temporal.CheckHealth(r.Context(), &client.CheckHealthRequest{}); err != nil {
			http.Error(w, "Temporal does not answer", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed(fmt.Errorf("metrics: %w", err))
		}
	}()
	return func() { _ = s.Close() }, nil
}
