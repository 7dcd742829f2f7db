package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"steward/internal/apiclient"
	"steward/internal/lifecycle"
	"steward/starter/live"
)

// model is the name that model.yaml declares.
const model = "flight-delay"

// The people of the story. Deniz starts the first release, so Deniz may not
// approve it; a machine starts the second.
const (
	engineer  = "deniz"
	scientist = "ana"
	product   = "pat"
	operator  = "oli"
)

// errTrafficEnded is a replay that ran out of rows, or failed.
var errTrafficEnded = errors.New("no more rows, or an error")

// story is the demo under way.
type story struct {
	options   options
	stack     *stack
	warehouse *warehouse
	client    *apiclient.Client
	traffic   *exec.Cmd
	stopped   chan error // how the traffic ended
	seen      live.View
}

func newStory(ctx context.Context, o options, s *stack) (*story, error) {
	a := s.addresses
	fmt.Printf("\nconsole      %s (logs in %s)\nTemporal UI  %s\nlocal cloud  %s\n", a.Logins[product], product, a.TemporalUI, a.Env["AWS_ENDPOINT_URL"])
	token, err := os.ReadFile(filepath.Join(o.home, "tokens", engineer))
	if err != nil {
		return nil, err
	}
	chapter("The warehouse holds the flights of January and February 2001")
	w, err := openWarehouse(ctx, o, a.Env, append(history, march)...)
	if err != nil {
		return nil, err
	}
	return &story{options: o, stack: s, warehouse: w, client: apiclient.New(a.Gateway, strings.TrimSpace(string(token)))}, nil
}

func chapter(title string) { fmt.Printf("\n── %s\n", title) }

// tell is the story, step by step. Every step waits until it truly happened.
func (s *story) tell(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		s.exportHistory, s.declare, s.firstRelease, s.march, s.decay, s.secondRelease, s.recovery,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) exportHistory(ctx context.Context) error {
	return s.warehouse.exportHistory(ctx, s.options.share)
}

func (s *story) declare(ctx context.Context) error {
	chapter("The team declares the model, and starts the first release")
	if err := s.stack.steward(ctx, engineer, "apply", filepath.Join(s.options.folder, "model.yaml")); err != nil {
		return err
	}
	return s.stack.steward(ctx, engineer, "release", model, "--reason", "first model")
}

func (s *story) firstRelease(ctx context.Context) error {
	if err := s.approval(ctx, 1); err != nil {
		return err
	}
	return s.await(ctx, "release 1 serves", func(v live.View) bool {
		return v.Model.Champion != nil && v.Model.Champion.Release == 1 && v.Model.InFlight == nil
	})
}

// approval waits until people are asked, and lets them answer.
func (s *story) approval(ctx context.Context, n int) error {
	err := s.await(ctx, fmt.Sprintf("release %d asks for approval", n), func(v live.View) bool {
		return v.Release != nil && v.Release.Release.Number == n && v.Release.Release.Stage == lifecycle.StageApproval && len(v.Release.Release.Awaiting) > 0
	})
	if err != nil {
		return err
	}
	chapter(fmt.Sprintf("People decide on release %d, having seen the evidence", n))
	for _, who := range []string{scientist, product} {
		if err := s.stack.steward(ctx, who, "approve", model, fmt.Sprint(n), "--yes", "--comment", "gates met, evidence read"); err != nil {
			return err
		}
	}
	return nil
}

// march begins the traffic of a month on which the world has changed. One half
// of its flights asks the endpoint; the other half only reaches the warehouse.
func (s *story) march(ctx context.Context) error {
	chapter("March: travellers ask about their flights; what really happened follows")
	flights := s.warehouse.months[march]
	file := filepath.Join(s.options.home, "march.parquet")
	if err := s.warehouse.keep(file, flights[:len(flights)/2]); err != nil {
		return err
	}
	s.traffic = s.stack.prepare(ctx, engineer, "traffic", "--model", model, "--file", file,
		"--rate", fmt.Sprint(s.options.rate), "--seed", fmt.Sprint(s.options.seed), "--truth-delay", "1s")
	log, err := os.Create(filepath.Join(s.options.home, "traffic.log"))
	if err != nil {
		return err
	}
	s.traffic.Stdout, s.traffic.Stderr = log, log
	if err := errors.Join(s.traffic.Start(), log.Close()); err != nil {
		return err
	}
	s.stopped = make(chan error, 1)
	go func() { s.stopped <- s.traffic.Wait() }()
	return s.warehouse.export(ctx, "2001-03", flights[len(flights)/2:])
}

// decay waits until ground truth shows that the champion got worse, and the
// model itself asks for a new release.
func (s *story) decay(ctx context.Context) error {
	err := s.await(ctx, "quality falls below its bound and triggers release 2", func(v live.View) bool {
		return v.Model.InFlight != nil && v.Model.InFlight.Release == 2
	})
	if err != nil {
		return err
	}
	if t := s.seen.Model.Releases[1].Trigger; t.Cause != lifecycle.CauseQuality {
		return fmt.Errorf("release 2 was triggered by %s, not by quality", t.Cause)
	}
	return nil
}

func (s *story) secondRelease(ctx context.Context) error {
	chapter("Release 2 learns from March too, and must beat the champion on the same rows")
	if err := s.approval(ctx, 2); err != nil {
		return err
	}
	chapter("Release 2 takes over under live traffic, step by step")
	return s.await(ctx, "release 2 serves", func(v live.View) bool {
		return v.Model.Champion.Release == 2 && v.Model.InFlight == nil
	})
}

// recovery waits for as many windows of the new champion as the old one had.
func (s *story) recovery(ctx context.Context) error {
	chapter("The watch measures the new champion")
	err := s.await(ctx, "three windows of release 2 have their ground truth", func(v live.View) bool {
		return len(matured(v.Model.Windows, 2)) >= 3
	})
	return errors.Join(err, s.stopTraffic())
}

// stopTraffic ends the replay; it fails if requests failed.
func (s *story) stopTraffic() error {
	if s.traffic == nil {
		return nil
	}
	defer func() { s.traffic = nil }()
	if err := s.traffic.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := <-s.stopped; err != nil {
		return fmt.Errorf("traffic: %w (see %s)", err, filepath.Join(s.options.home, "traffic.log"))
	}
	return nil
}

func (s *story) close() {
	if err := s.stopTraffic(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// matured are the windows of a release whose ground truth was measured.
func matured(windows []lifecycle.Window, release int) (out []lifecycle.Window) {
	for _, w := range windows {
		if w.Release == release && w.Matured {
			out = append(out, w)
		}
	}
	return out
}

// await follows the model, printing what changes, until a condition holds. A
// release that ends otherwise than in production ends the story.
func (s *story) await(ctx context.Context, what string, holds func(live.View) bool) error {
	look := time.NewTicker(250 * time.Millisecond)
	defer look.Stop()
	for {
		v, err := live.Look(ctx, s.client, model)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("waiting until %s: %w", what, err)
		}
		if err == nil {
			for _, line := range live.Changes(s.seen, v) {
				fmt.Println("  " + line)
			}
			s.seen = v
			if err := wentWrong(v); err != nil {
				return err
			}
			if holds(v) {
				return nil
			}
		}
		select {
		case <-look.C:
		case err := <-s.stopped:
			s.stopped <- err
			return fmt.Errorf("the traffic ended before %s: %w", what, errors.Join(errTrafficEnded, err))
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, context.Cause(ctx))
		}
	}
}

func wentWrong(v live.View) error {
	for _, r := range v.Model.Releases {
		if r.Stage.Ended() && r.Stage != lifecycle.StageReleased {
			return fmt.Errorf("release %d ended: %s: %w", r.Number, r.Stage, r.Problem)
		}
	}
	return nil
}
