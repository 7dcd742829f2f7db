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

// answer is one `steward approve` or `steward reject`.
type answer struct {
	approve      bool
	comment      string
	digest       string // what the person saw elsewhere; the release must match it
	yes          bool
	model        string
	release      int
	rolloutPause bool // a rollout waits, not the release
}

func (a *app) approve() *cobra.Command {
	return a.decide(&answer{approve: true}, &cobra.Command{
		Use: "approve NAME [RELEASE]", Short: "Approve a release, or a rollout that pauses",
		Long: `Approve shows what is to be approved - metrics, gates, the comparison with the
champion, the digest of the evidence - and, once you confirm, sends your approval
of exactly that digest. If a rollout waits for a person, it lets it go on.`,
		Example: "  steward approve flight-delay --as pat\n  steward approve flight-delay 3 --comment 'as agreed' --yes --as pat",
	})
}

func (a *app) reject() *cobra.Command {
	return a.decide(&answer{}, &cobra.Command{
		Use: "reject NAME [RELEASE]", Short: "Reject a release, or end a rollout that pauses",
		Example: "  steward reject flight-delay --comment 'worse for small airports' --as pat",
	})
}

func (a *app) decide(d *answer, cmd *cobra.Command) *cobra.Command {
	cmd.Args = args(cobra.RangeArgs(1, 2))
	cmd.ValidArgsFunction = a.completeModels
	cmd.Flags().StringVar(&d.comment, "comment", "", "why, for the evidence")
	cmd.Flags().StringVar(&d.digest, "digest", "", "`digest` of the evidence that you have seen; any other is refused")
	cmd.Flags().BoolVarP(&d.yes, "yes", "y", false, "do not ask again")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !d.approve && d.comment == "" {
			return usageError{errors.New("--comment is missing: say why it is rejected")}
		}
		d.model = args[0]
		if len(args) > 1 {
			n, err := strconv.Atoi(args[1])
			if err != nil || n < 1 {
				return usageError{fmt.Errorf("release %q: it is a number such as 3", args[1])}
			}
			d.release = n
		}
		c, err := a.client()
		if err != nil {
			return err
		}
		return a.answer(cmd, c, d)
	}
	return cmd
}

// answer shows what there is to decide, asks, and sends the decision about what
// was shown.
func (a *app) answer(cmd *cobra.Command, c *apiclient.Client, d *answer) error {
	r, err := d.look(cmd.Context(), c)
	if err != nil {
		return err
	}
	if a.output == textOutput {
		showCase(a.out, r)
	}
	verb := "Reject"
	if d.approve {
		verb = "Approve"
	}
	if err := a.confirm(cmd, d.yes || d.digest != "", fmt.Sprintf("%s release %d of %s?", verb, d.release, d.model)); err != nil {
		return err
	}
	if d.rolloutPause {
		state, err := c.Rollout(cmd.Context(), d.model, d.release, d.approve, d.comment)
		if err != nil {
			return err
		}
		return a.print(state, func(w io.Writer) { fmt.Fprintln(w, "the rollout was told") })
	}
	state, err := c.Decide(cmd.Context(), d.model, d.release,
		apiclient.Decision{Approve: d.approve, Digest: r.Release.Evidence.Digest, Comment: d.comment})
	if err != nil {
		return err
	}
	return a.print(state, func(w io.Writer) { showAnswer(w, state) })
}

// look finds the release, and what of it waits for a person.
func (d *answer) look(ctx context.Context, c *apiclient.Client) (apiclient.Release, error) {
	if d.release == 0 {
		m, err := c.Model(ctx, d.model)
		if err != nil {
			return apiclient.Release{}, err
		}
		if m.InFlight == nil {
			return apiclient.Release{}, refused(lifecycle.Conflict, "no release of %s is under way: there is nothing to decide", d.model)
		}
		d.release = m.InFlight.Release
	}
	r, err := c.Release(ctx, d.model, d.release)
	if err != nil {
		return r, err
	}
	d.rolloutPause = r.Rollout != nil && r.Rollout.Awaiting != "" && !r.Rollout.Outcome.Done
	seen := ""
	if r.Release.Evidence != nil {
		seen = r.Release.Evidence.Digest
	}
	switch {
	case d.digest != "" && d.digest != seen:
		return r, refused(lifecycle.Conflict, "the evidence of release %d has the digest %q, not %q", d.release, seen, d.digest)
	case seen == "" && !d.rolloutPause:
		return r, refused(lifecycle.Conflict, "release %d of %s has no evidence yet: it is in stage %s", d.release, d.model, r.Release.Stage)
	}
	return r, nil
}

// refused is a refusal that needs no gateway.
func refused(kind, format string, args ...any) error {
	return &apiclient.Error{Type: kind, Message: fmt.Sprintf(format, args...)}
}
