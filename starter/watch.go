package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"steward/internal/apiclient"
	"steward/starter/live"
)

// What a watch may wait for.
const (
	untilReleased = "released"
	untilEnded    = "ended"
)

// watching is one `steward watch`.
type watching struct {
	client *apiclient.Client
	model  string
	until  string
	of     int // release that is waited for; 0 before the first look
	back   int // release that a rollback brings back, if that is waited for
	every  time.Duration
	show   func(before, after live.View) error
	warn   func(error)
}

func (a *app) watch() *cobra.Command {
	w := &watching{}
	cmd := &cobra.Command{
		Use: "watch NAME", Short: "Show a model's life as it happens",
		Long: `Watch draws the model's life as a tree on a terminal and keeps it up to date:
stages with the time they take, jobs with their progress, traffic, analyses,
windows, and who is waited for. Elsewhere it prints what is so far, then one line
a change with its time; with -o json, one JSON object a change.

It ends with Ctrl-C, when the model is retired or, with --until, by itself:
  released  when the release or rollback that is under way is in production
  ended     when nothing is under way any more
Either exits with 1 if it did not go into production.`,
		Example: "  steward watch flight-delay --as ana\n  steward watch flight-delay --until released --as ana",
		Args:    args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeModels,
		RunE: func(cmd *cobra.Command, args []string) error {
			if w.until != "" && w.until != untilReleased && w.until != untilEnded {
				return usageError{fmt.Errorf("--until %s: it is %s or %s", w.until, untilReleased, untilEnded)}
			}
			if w.every <= 0 {
				return usageError{fmt.Errorf("--every %s: it must be above 0", w.every)}
			}
			var err error
			if w.client, err = a.client(); err != nil {
				return err
			}
			w.model = args[0]
			w.show = a.shower()
			w.warn = func(err error) { fmt.Fprintln(a.err, "steward:", err) }
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return w.run(ctx)
		},
	}
	cmd.Flags().StringVar(&w.until, "until", "", "end when the release is `released`, or anything under way has ended")
	cmd.Flags().IntVar(&w.of, "release", 0, "`number` of the release to wait for (the one under way, or the last)")
	cmd.Flags().DurationVar(&w.every, "every", time.Second, "time between two looks")
	must(cmd.RegisterFlagCompletionFunc("until", cobra.FixedCompletions([]string{untilReleased, untilEnded}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// run looks until the end. What does not answer for a while is waited for: Temporal
// always, the gateway once there was a first picture.
func (w *watching) run(ctx context.Context) error {
	var before live.View
	seen, lost := false, false
	ticker := time.NewTicker(w.every)
	defer ticker.Stop()
	for {
		after, err := live.Look(ctx, w.client, w.model)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && exitCode(err) != exitUnreachable, !seen && errors.Is(err, apiclient.ErrUnreachable):
			return err
		case err != nil && !lost:
			w.warn(fmt.Errorf("%w; trying again", err))
			lost = true
		case err == nil:
			if err := w.show(before, after); err != nil {
				return err
			}
			before, seen, lost = after, true, false
			if over, err := w.over(after); over {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// over tells whether what is waited for has happened, or the model's life has
// ended: then nothing happens any more.
func (w *watching) over(v live.View) (bool, error) {
	if w.until == "" {
		return !v.Model.Gone.IsZero(), nil
	}
	now := v.Model.InFlight
	if now != nil && now.Rollback && (w.of == 0 || w.of == now.Release) {
		w.of, w.back = now.Release, now.Release
	}
	if w.of == 0 {
		if w.of = v.Number(); w.of == 0 {
			return true, errors.New("no release was ever started: there is nothing to wait for")
		}
	}
	switch {
	case w.until == untilEnded && now != nil, w.back > 0 && now != nil && now.Rollback:
		return false, nil
	case w.back > 0:
		return true, cameBack(v, w.back)
	}
	return v.Ended(w.of)
}

// cameBack tells whether a rollback that is over did what it was for: that the
// release was in production once before says nothing.
func cameBack(v live.View, release int) error {
	switch c := v.Model.Champion; {
	case c == nil:
		return fmt.Errorf("the rollback to release %d failed: nothing serves", release)
	case c.Release != release:
		return fmt.Errorf("the rollback to release %d failed: release %d serves", release, c.Release)
	}
	return nil
}

// shower is how pictures are shown: a tree that is drawn over the one before on
// a terminal, JSON or lines elsewhere.
func (a *app) shower() func(before, after live.View) error {
	if a.output == jsonOutput {
		return a.showJSON()
	}
	if _, _, ok := terminal(a.out); ok {
		return a.showTree()
	}
	return a.showLines()
}

// showLines shows changes with the time at which they were seen; what the first
// look shows may have happened long before.
func (a *app) showLines() func(before, after live.View) error {
	first := true
	return func(before, after live.View) error {
		stamp := time.Now().Format(time.TimeOnly)
		if first {
			stamp, first = "so far  ", false
		}
		for _, line := range live.Changes(before, after) {
			if _, err := fmt.Fprintln(a.out, stamp, line); err != nil {
				return err
			}
		}
		return nil
	}
}

func (a *app) showJSON() func(before, after live.View) error {
	last := ""
	return func(_, after live.View) error {
		text, err := json.Marshal(after)
		if err != nil || string(text) == last {
			return err
		}
		last = string(text)
		_, err = fmt.Fprintln(a.out, last)
		return err
	}
}

func (a *app) showTree() func(before, after live.View) error {
	drawn := 0
	return func(_, after live.View) error {
		width, height, _ := terminal(a.out)
		lines := live.Tree(after, time.Now(), width)
		if height > 2 && len(lines) > height-1 { // what scrolled away cannot be drawn over
			lines = append(lines[:height-2], fmt.Sprintf("… %d more lines; see `steward status`", len(lines)-height+2))
		}
		err := redraw(a.out, drawn, lines)
		drawn = len(lines)
		return err
	}
}

// redraw writes lines over the last drawn ones.
func redraw(w io.Writer, drawn int, lines []string) error {
	text := ""
	if drawn > 0 {
		text = fmt.Sprintf("\x1b[%dA\x1b[J", drawn) // up, then clear to the end
	}
	for _, line := range lines {
		text += line + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}
