package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"steward/internal/devstack/server"
)

// built is what every test runs: the command and the Temporal server.
var built struct {
	steward, server, self string
	tools                 string // what .ci/prepare installs
}

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 3 && os.Args[1] == playArgument:
		os.Exit(play(os.Args[2], os.Args[3:]))
	case len(os.Args) > 1 && os.Args[1] == lookArgument:
		os.Exit(look())
	}
	flag.Parse()
	// These tests wait more than they compute: processors do not bound them.
	err := flag.Set("test.parallel", "20")
	code := 1
	if err == nil {
		code, err = run(m)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

// run builds the command, runs the tests and ends the stack that they share.
func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "steward-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := build(dir); err != nil {
		return 1, err
	}
	shared.home = filepath.Join(dir, "home")
	code = m.Run()
	return code, shared.end()
}

func build(dir string) (err error) {
	if built.self, err = os.Executable(); err != nil {
		return err
	}
	if built.tools, err = filepath.Abs("../../.tools"); err != nil {
		return err
	}
	built.steward = filepath.Join(dir, "steward")
	cmd := exec.Command("go", "build", "-o", built.steward, "./starter")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build ./starter: %w\n%s", err, out)
	}
	built.server, err = server.Binary(context.Background(), func(s string) { fmt.Fprintln(os.Stderr, s) })
	return err
}

// Times of waiting: long enough for a busy machine, and never slept through.
const (
	patience = 3 * time.Minute
	glance   = 200 * time.Millisecond
)

// eventually returns once holds returns nil, and fails the test with what holds
// said last if that takes too long.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	limit, tick := time.NewTimer(patience), time.NewTicker(glance)
	defer limit.Stop()
	defer tick.Stop()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("%s: %v", what, context.Cause(t.Context()))
		case <-limit.C:
			t.Fatalf("%s: not within %s: %v", what, patience, err)
		}
	}
}
