package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"steward/internal/devstack/server"
)

const (
	starts  = 5               // of `steward dev`, for a median
	quiet   = 5 * time.Second // watched while nothing happens
	glance  = 250 * time.Millisecond
	maxIdle = 500 // MB
	maxWait = 5 * time.Second
)

// measureIdle takes the highest memory that `steward dev` has in all its
// processes from when it is ready on, while nothing happens.
func measureIdle(ctx context.Context, l lab) (result, error) {
	var peaks []float64
	err := eachStart(ctx, l, func(s *stack) error {
		peak, err := s.peakMemory(ctx)
		l.say("idle: start %d of %d: %.0f MB in %d processes", len(peaks)+1, starts, peak.megabytes, peak.processes)
		peaks = append(peaks, peak.megabytes)
		return err
	})
	if err != nil {
		return result{}, err
	}
	return result{ours: median(peaks), peer: maxIdle, unit: "MB", most: 1}, nil
}

// measureStart takes the time until `steward dev` is ready, in a directory
// where it ran before.
func measureStart(ctx context.Context, l lab) (result, error) {
	var took []float64
	err := eachStart(ctx, l, func(s *stack) error {
		l.say("start: %d of %d: %.2f s", len(took)+1, starts, s.ready.Seconds())
		took = append(took, s.ready.Seconds())
		return nil
	})
	if err != nil {
		return result{}, err
	}
	return result{ours: median(took), peer: maxWait.Seconds(), unit: "s", most: 1}, nil
}

// eachStart runs `steward dev` again and again in one directory, after a first
// time that makes what has to be made once.
func eachStart(ctx context.Context, l lab, look func(*stack) error) error {
	binary, err := server.Binary(ctx, func(text string) { l.say("%s", text) })
	if err != nil {
		return err
	}
	for i := range starts + 1 {
		s, err := startStack(ctx, l, binary)
		if err != nil {
			return err
		}
		if i > 0 {
			err = look(s)
		}
		if err := errors.Join(err, s.stop()); err != nil {
			return err
		}
	}
	return nil
}

// stack is a running `steward dev`.
type stack struct {
	cmd   *exec.Cmd
	log   string
	ready time.Duration // from its start until it was ready
}

// startStack returns once the gateway says that it is ready.
func startStack(ctx context.Context, l lab, devserver string) (*stack, error) {
	program, err := filepath.Abs(l.steward)
	if err != nil {
		return nil, err
	}
	s := &stack{log: filepath.Join(l.dir, "steward.err")}
	stderr, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stderr.Close() }()
	s.cmd = exec.CommandContext(ctx, program, "dev", "--home", filepath.Join(l.dir, "home"), "--output", "json",
		"--temporal-port", "0", "--ui-port", "0", "--cloud-port", "0", "--gateway-port", "0")
	s.cmd.Env, s.cmd.Stderr = environment(devserver), stderr
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = time.Minute
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; `make build` makes it", err)
	}
	if err := awaitReady(ctx, stdout); err != nil {
		said, _ := os.ReadFile(s.log)
		return nil, errors.Join(fmt.Errorf("steward dev did not become ready: %w\n%s", err, said), s.stop())
	}
	s.ready = time.Since(begin)
	return s, nil
}

// environment is this process's without what would lead `steward dev` to
// another stack.
func environment(devserver string) []string {
	env := []string{server.Override + "=" + devserver}
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "STEWARD_") && !strings.HasPrefix(pair, "TEMPORAL_") && !strings.HasPrefix(pair, "AWS_") {
			env = append(env, pair)
		}
	}
	return env
}

// awaitReady reads where the gateway is, which is printed when all is up, and
// asks it.
func awaitReady(ctx context.Context, stdout io.Reader) error {
	var at struct{ Gateway string }
	if err := json.NewDecoder(stdout).Decode(&at); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.Gateway+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the gateway answered %s", resp.Status)
	}
	return errors.Join(err, resp.Body.Close())
}

// stop ends it in good order.
func (s *stack) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := s.cmd.Wait(); err != nil {
		said, _ := os.ReadFile(s.log)
		return fmt.Errorf("steward dev: %w\n%s", err, said)
	}
	return nil
}
