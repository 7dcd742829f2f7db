package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"steward/internal/config"
	"steward/internal/devstack"
)

func (a *app) dev() *cobra.Command {
	o := devstack.Options{Ports: devstack.DefaultPorts}
	var verbose bool
	cmd := &cobra.Command{
		Use: "dev", Short: "Run everything on this machine",
		Long: `Dev starts a Temporal server with its web UI, an AWS-compatible local cloud, a
worker and the gateway with its console, prints how to reach them, and keeps
everything in one directory: a second start goes on where the first one ended.
Ctrl-C lets work in hand end; a second Ctrl-C ends at once.

The Temporal server is the one at TEMPORAL_ADDRESS if that is set, else the
` + "`temporal`" + ` command if there is one, else our own, built from this checkout once.
The address that the home's env file names for our own counts as not set.`,
		Example: "  steward dev\n  steward dev --gateway-port 9080\n  steward dev --without worker    # and beside it: steward worker --dev",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runDev(cmd.Context(), o, verbose)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Ports.Temporal, "temporal-port", o.Ports.Temporal, "port of Temporal; 0 for any free one")
	f.IntVar(&o.Ports.UI, "ui-port", o.Ports.UI, "port of Temporal's web UI; 0 for any free one")
	f.IntVar(&o.Ports.Cloud, "cloud-port", o.Ports.Cloud, "port of the local cloud; 0 for any free one")
	f.IntVar(&o.Ports.Gateway, "gateway-port", o.Ports.Gateway, "port of the gateway and console; 0 for any free one")
	f.StringSliceVar(&o.Without, "without", nil, "`parts` that run elsewhere: cloud, worker, gateway")
	cloudFlags(cmd, &o.CloudOptions)
	f.BoolVarP(&verbose, "verbose", "v", false, "show the log here, besides in logs/steward.log")
	return cmd
}

func (a *app) runDev(ctx context.Context, o devstack.Options, verbose bool) error {
	c, err := a.config()
	if err != nil {
		return err
	}
	if os.Getenv("STEWARD_POLL") == "" {
		c.Poll = devstack.Poll
	}
	log, closeLog, err := openLog(c, verbose, a.err)
	if err != nil {
		return err
	}
	defer closeLog()
	slog.SetDefault(log)
	o.Config, o.Log, o.Temporal, o.Version = c, log, os.Getenv("TEMPORAL_ADDRESS"), version
	o.Say = func(s string) { fmt.Fprintln(a.err, s) }

	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	starting, cancel := context.WithCancel(ctx)
	defer cancel()
	stack, err := startOr(starting, cancel, signals, o)
	if err != nil {
		return err
	}
	if err := a.showStack(stack); err != nil {
		return errors.Join(err, stack.Stop(ctx))
	}
	var failed error
	select {
	case <-signals:
	case failed = <-stack.Failed():
	}
	return errors.Join(failed, a.stopStack(ctx, stack, signals))
}

// startOr starts the stack; a signal meanwhile gives it up.
func startOr(ctx context.Context, cancel func(), signals <-chan os.Signal, o devstack.Options) (*devstack.Stack, error) {
	started := make(chan struct{})
	defer close(started)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-started:
		}
	}()
	return devstack.Start(ctx, o)
}

// stopStack drains; a second signal ends at once.
func (a *app) stopStack(ctx context.Context, stack *devstack.Stack, signals <-chan os.Signal) error {
	fmt.Fprintln(a.err, "stopping; Ctrl-C again ends at once")
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-signals:
			cancel(errors.New("ended at once"))
		case <-ctx.Done():
		}
	}()
	return stack.Stop(ctx)
}

// openLog makes the log of the processes in one: a file and, when asked for,
// the terminal too.
func openLog(c config.Config, verbose bool, terminal io.Writer) (*slog.Logger, func(), error) {
	dir := filepath.Join(c.Home, "logs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "steward.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	var w io.Writer = f
	if verbose {
		w = io.MultiWriter(f, terminal)
	}
	return slog.New(slog.NewTextHandler(w, nil)), func() { _ = f.Close() }, nil
}
