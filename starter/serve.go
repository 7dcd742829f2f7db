package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"steward/internal/container"
	"steward/internal/devstack"
	"steward/internal/telemetry"
)

func (a *app) gatewayCommand() *cobra.Command {
	var dev, secure bool
	var listen, ui string
	cmd := &cobra.Command{
		Use: "gateway", Short: "Run a gateway with its console",
		Long: `Gateway serves the API, the alert webhooks and the console. People come from
users.json of the home directory, keys from its keys/ (made when missing).`,
		Example: "  steward gateway --listen 0.0.0.0:8080 --secure\n  steward gateway --dev    # beside `steward dev --without gateway`",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return untilSignal(cmd.Context(), func(ctx context.Context) error {
				n, err := a.connect(ctx, dev)
				if err != nil {
					return err
				}
				return errors.Join(n.serveGateway(ctx, listen, ui, secure), n.close())
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&dev, "dev", false, "serve the embedded stack of the home directory")
	f.StringVar(&listen, "listen", "127.0.0.1:8080", "`address` to listen on")
	f.StringVar(&ui, "temporal-ui", "", "`URL` of Temporal's web UI, for links")
	f.BoolVar(&secure, "secure", false, "browsers reach it over TLS only, ended by a proxy in front")
	return cmd
}

func (n *node) serveGateway(ctx context.Context, listen, ui string, secure bool) error {
	listener, err := devstack.ListenOn(listen, "the gateway", "--listen")
	if err != nil {
		return err
	}
	g, err := n.home.NewGateway(devstack.GatewayOptions{
		Config: n.config, Listener: listener, Temporal: n.temporal, Namespace: namespace(), Cloud: n.cloud,
		Metrics: n.metrics, Log: n.log, TemporalUI: ui, Secure: secure,
	})
	if err != nil {
		return err
	}
	n.log.InfoContext(ctx, "gateway serves", "url", g.URL())
	return g.Serve(ctx)
}

// cloudFlags are those of whatever runs the local cloud.
func cloudFlags(cmd *cobra.Command, o *devstack.CloudOptions) {
	f := cmd.Flags()
	f.StringVar(&o.Isolation, "isolation", "auto", "`how` containers are kept apart: by namespaces, none, or auto, which is namespaces where the kernel allows them")
	f.BoolVar(&o.RemoteReceivers, "remote-receivers", false, "let the local cloud's SNS post to other machines")
}

func (a *app) cloud() *cobra.Command {
	var listen string
	var o devstack.CloudOptions
	cmd := &cobra.Command{
		Use: "cloud", Short: "Run the local cloud",
		Long: `Cloud serves the AWS-compatible local cloud of the home directory alone, with the
credentials in its env file.`,
		Example: "  steward cloud    # beside `steward dev --without cloud`",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return untilSignal(cmd.Context(), func(ctx context.Context) error { return a.serveCloud(ctx, listen, o) })
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:4566", "`address` to listen on")
	cloudFlags(cmd, &o)
	return cmd
}

func (a *app) serveCloud(ctx context.Context, listen string, o devstack.CloudOptions) error {
	c, err := a.config()
	if err != nil {
		return err
	}
	home, err := devstack.Make(c.Home)
	if err != nil {
		return err
	}
	log := telemetry.Logger(os.Stderr, slog.LevelInfo)
	listener, err := devstack.ListenOn(listen, "the local cloud", "--listen")
	if err != nil {
		return err
	}
	s, err := home.NewCloud(listener, o, log)
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "local cloud serves", "address", s.Addr())
	return s.Serve(ctx)
}

func (a *app) initHome() *cobra.Command {
	return &cobra.Command{
		Use: "init", Short: "Make a home directory: keys, people, credentials of the local cloud",
		Long: `Init makes what is missing of the home directory and leaves what is there. The
people are those of the embedded stack; edit users.json to have your own.`,
		Example: "  steward init --home /var/lib/steward",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			c, err := a.config()
			if err != nil {
				return err
			}
			home, err := devstack.Make(c.Home)
			if err != nil {
				return err
			}
			return a.print(map[string]string{"home": home.Dir()}, func(w io.Writer) {
				fmt.Fprintf(w, "%s is ready; the tokens of its people are in %s/tokens\n", home.Dir(), home.Dir())
			})
		},
	}
}

// image plays a built-in container image; the local cloud calls it.
func (a *app) image() *cobra.Command {
	return &cobra.Command{
		Use: devstack.ImageCommand + " NAME train|serve|process", Short: "Play a built-in container image", Hidden: true,
		Args: args(cobra.MinimumNArgs(2)), DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return container.Run(cmd.Context(), args[0], args[1:])
		},
	}
}
