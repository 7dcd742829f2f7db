package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"steward/internal/apiclient"
	"steward/internal/lifecycle"
)

// order makes a command that asks one thing of the model it is given.
func (a *app) order(cmd *cobra.Command, reason *string, must bool, run func(ctx context.Context, c *apiclient.Client, model string) error) *cobra.Command {
	cmd.Args = args(cobra.ExactArgs(1))
	cmd.ValidArgsFunction = a.completeModels
	cmd.Flags().StringVar(reason, "reason", *reason, "why, for the ledger")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if must && *reason == "" {
			return usageError{errors.New("--reason is missing: say why, for the ledger")}
		}
		c, err := a.client()
		if err != nil {
			return err
		}
		return run(cmd.Context(), c, args[0])
	}
	return cmd
}

func (a *app) release() *cobra.Command {
	reason := "asked for by hand"
	return a.order(&cobra.Command{
		Use: "release NAME", Short: "Start a release of a model",
		Example: "  steward release flight-delay --reason 'new features' --as ana",
	}, &reason, false, func(ctx context.Context, c *apiclient.Client, model string) error {
		o, err := c.StartRelease(ctx, model, reason)
		if err != nil {
			return err
		}
		return a.print(o, func(w io.Writer) {
			fmt.Fprintf(w, "release %d of %s has begun; see it with `steward watch %s`\n", o.Release, model, model)
		})
	})
}

func (a *app) rollback() *cobra.Command {
	var reason string
	return a.order(&cobra.Command{
		Use: "rollback NAME", Short: "Bring the version back that served before",
		Example: "  steward rollback flight-delay --reason 'complaints about the new one' --as oli",
	}, &reason, true, func(ctx context.Context, c *apiclient.Client, model string) error {
		o, err := c.Rollback(ctx, model, reason)
		if err != nil {
			return err
		}
		return a.print(o, func(w io.Writer) {
			fmt.Fprintf(w, "%s goes back to release %d; see it with `steward watch %s`\n", model, o.Release, model)
			fmt.Fprintf(w, "automatic releases stay on: hold them with `steward pause %s --reason ...`\n", model)
		})
	})
}

func (a *app) pause() *cobra.Command {
	var reason string
	var watch bool
	cmd := a.order(&cobra.Command{
		Use: "pause NAME", Short: "Stop automatic releases of a model",
		Example: "  steward pause flight-delay --reason 'holiday freeze' --as oli",
	}, &reason, true, func(ctx context.Context, c *apiclient.Client, model string) error {
		return a.state(c.Pause(ctx, model, reason, watch))("%s is paused", model)
	})
	cmd.Flags().BoolVar(&watch, "watch", false, "stop measuring too")
	return cmd
}

func (a *app) resume() *cobra.Command {
	reason := "the pause is over"
	var watch bool
	cmd := a.order(&cobra.Command{
		Use: "resume NAME", Short: "End a pause",
		Example: "  steward resume flight-delay --as oli",
	}, &reason, false, func(ctx context.Context, c *apiclient.Client, model string) error {
		return a.state(c.Resume(ctx, model, reason, watch))("%s goes on", model)
	})
	cmd.Flags().BoolVar(&watch, "watch", false, "go on measuring too")
	return cmd
}

func (a *app) retire() *cobra.Command {
	var reason string
	var yes bool
	var cmd *cobra.Command
	cmd = a.order(&cobra.Command{
		Use: "retire NAME", Short: "End a model: its endpoint goes, its data and ledger stay",
		Example: "  steward retire flight-delay --reason 'replaced by arrival-eta' --as oli",
	}, &reason, true, func(ctx context.Context, c *apiclient.Client, model string) error {
		question := "Retire " + model + "? Nothing will answer its requests any more."
		if s, err := c.Model(ctx, model); err != nil {
			return err
		} else if s.InFlight != nil && !s.InFlight.Rollback {
			question += fmt.Sprintf(" Release %d, which is under way, ends with it.", s.InFlight.Release)
		}
		if err := a.confirm(cmd, yes, question); err != nil {
			return err
		}
		if _, err := c.Retire(ctx, model, reason); err != nil {
			return err
		}
		return a.state(patient.awaitGone(ctx, c, model))("%s is retired: nothing of it serves any more", model)
	})
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask again")
	return cmd
}

// state prints a model's state after an order, or in text a sentence.
func (a *app) state(s lifecycle.ModelState, err error) func(format string, values ...any) error {
	return func(format string, values ...any) error {
		if err != nil {
			return err
		}
		return a.print(s, func(w io.Writer) { fmt.Fprintf(w, format+"\n", values...) })
	}
}

func (a *app) cancel() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "cancel NAME RELEASE", Short: "Stop a release and remove what it made",
		Example: "  steward cancel flight-delay 3 --reason 'wrong data' --as ana",
		Args:    args(cobra.ExactArgs(2)), ValidArgsFunction: a.completeModels,
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.Atoi(args[1])
			if err != nil || n < 1 {
				return usageError{fmt.Errorf("release %q: it is a number such as 3", args[1])}
			}
			if reason == "" {
				return usageError{errors.New("--reason is missing: say why, for the ledger")}
			}
			c, err := a.client()
			if err != nil {
				return err
			}
			s, err := c.Cancel(cmd.Context(), args[0], n, reason)
			if err != nil {
				return err
			}
			return a.print(s, func(w io.Writer) { fmt.Fprintf(w, "release %d of %s is being cancelled\n", n, args[0]) })
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the ledger")
	return cmd
}
