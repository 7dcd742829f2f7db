package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"steward/internal/devstack/server"
)

// stack is a running `steward dev`.
type stack struct {
	options   options
	command   *exec.Cmd
	ended     chan error
	addresses struct {
		Gateway    string            `json:"gateway"`
		TemporalUI string            `json:"temporalUI"`
		Logins     map[string]string `json:"logins"` // URL by person
		Env        map[string]string `json:"env"`    // for AWS SDKs
	}
}

// startStack starts the embedded stack in a new home and waits until it says
// that it is ready.
func startStack(ctx context.Context, o options) (*stack, error) {
	if err := newHome(o.home); err != nil {
		return nil, err
	}
	args := []string{"dev", "--home", o.home, "-o", "json"}
	if o.free {
		args = append(args, "--temporal-port", "0", "--ui-port", "0", "--cloud-port", "0", "--gateway-port", "0")
	}
	s := &stack{options: o, command: exec.Command(o.steward, args...), ended: make(chan error, 1)}
	fmt.Println("$", shell(append([]string{o.steward}, args[:3]...)...))
	s.command.Stderr, s.command.Env = os.Stderr, environment()
	// A Ctrl-C at the terminal is for the demo, which then ends the stack.
	s.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w (build it with make build)", o.steward, err)
	}
	ready := make(chan error, 1)
	go func() {
		line := bufio.NewReader(out)
		ready <- json.NewDecoder(line).Decode(&s.addresses)
		s.ended <- s.command.Wait()
	}()
	select {
	case err := <-ready:
		if err != nil {
			return nil, errors.Join(errors.New("the stack did not start"), s.stop())
		}
		return s, nil
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), s.stop())
	}
}

// environment is the caller's without what names another stack, or changes what
// the demo shows.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		owner, _, _ := strings.Cut(name, "_")
		return slices.Contains([]string{"AWS", "STEWARD", "TEMPORAL"}, owner) && name != server.Override
	})
}

// end stops the stack, or leaves it running if the story went well and the
// user wants to look around.
func (s *stack) end(err error, keep bool) error {
	if keep && err == nil {
		fmt.Println("\nEverything is still running. Look around, as anybody of", strings.Join(slices.Sorted(maps.Keys(s.addresses.Logins)), ", ")+":")
		for _, line := range [][]string{{"status", model}, {"rollback", model, "--reason", "complaints"}, {"watch", model}, {"retire", model, "--reason", "the show is over"}} {
			fmt.Println("  " + s.line(operator, line...))
		}
		fmt.Printf("Console, logged in as %s: %s\nEnd it all with: kill %d\n", operator, s.addresses.Logins[operator], s.command.Process.Pid)
		return nil
	}
	if err == nil {
		fmt.Println("Everything stops now; make demo KEEP=1 leaves it running, to look around.")
	}
	return errors.Join(err, s.stop())
}

func (s *stack) stop() error {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := <-s.ended; err != nil {
		return fmt.Errorf("steward dev: %w", err)
	}
	return nil
}

// steward runs the command as a person of the stack and shows it as they would
// type it.
func (s *stack) steward(ctx context.Context, as string, args ...string) error {
	c := s.prepare(ctx, as, args...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("steward %s: %w", args[0], err)
	}
	return nil
}

// arguments are those of the command as a person of this stack.
func (s *stack) arguments(as string, args []string) []string {
	return append(slices.Clone(args), "--as", as, "--home", s.options.home)
}

// line is the command as a person would type it.
func (s *stack) line(as string, args ...string) string {
	return shell(append([]string{s.options.steward}, s.arguments(as, args)...)...)
}

// shell quotes what a shell would read otherwise.
func shell(words ...string) string {
	for i, w := range words {
		if w == "" || strings.ContainsAny(w, " \t\n'\"\\$&|;<>()*?!#~`[]{}") {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

func (s *stack) prepare(ctx context.Context, as string, args ...string) *exec.Cmd {
	fmt.Println("$", s.line(as, args...))
	c := exec.CommandContext(ctx, s.options.steward, s.arguments(as, args)...)
	c.Env = environment()
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	return c
}
