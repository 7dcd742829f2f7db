package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// marker in the place of the first argument makes a program a supervisor.
const marker = "__supervise_run__"

// InterruptGrace is the longest time between SIGTERM and SIGKILL for an
// interrupted run: whoever interrupts is about to end and cannot wait long.
const InterruptGrace = 5 * time.Second

// Files that a supervisor inherits.
const (
	lockFD = 3 + iota
	readyFD
	lifelineFD
)

// Main turns the program into a supervisor, or the init process of a run, if
// that is what it was executed for, and then returns true when the run has
// ended: the caller returns at once. Otherwise it returns false and has done
// nothing.
func Main() bool {
	understood.Store(true)
	if len(os.Args) != 3 {
		return false
	}
	switch os.Args[1] {
	case marker:
		supervise(os.Args[2])
	case initMarker:
		initialize(os.Args[2])
	case trialMarker:
		looked(os.Args[2])
	default:
		return false
	}
	return true
}

func supervise(dir string) {
	// A command is tied to the thread that started it (see bind).
	runtime.LockOSThread()
	s := &supervisor{dir: dir, signals: make(chan os.Signal, 4)}
	signal.Notify(s.signals, syscall.SIGTERM, syscall.SIGINT)
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "supervisor:", err)
		os.Exit(1)
	}
}

type supervisor struct {
	dir     string
	spec    Spec
	cmd     *exec.Cmd     // the command, or the init process of its namespaces
	said    *json.Decoder // what that init process reports; nil without one
	signals chan os.Signal
	ended   Cause            // why the command was told to end
	kill    <-chan time.Time // when it is killed
}

// run executes the command, sees it to its end and records that end.
func (s *supervisor) run() error {
	var err error
	if s.spec, err = readSpec(s.dir); err != nil {
		return err
	}
	adoptOrphans()
	exit := Exit{Cause: Exited, Code: -1, Started: time.Now().UTC()}
	err = s.start()
	if err == nil {
		err = s.greet(nil)
		s.watch(&exit)
		s.after()
	} else {
		exit.Error = err.Error()
		// The starter must not read of a failure before it is on record.
		defer func() { _ = s.greet(errors.New(exit.Error)) }()
		err = s.note()
	}
	exit.Ended = time.Now().UTC()
	if exit.Error == "" {
		err = errors.Join(err, s.say(exit.usage()))
	}
	return errors.Join(err, s.record(exit))
}

func readSpec(dir string) (spec Spec, err error) {
	data, err := os.ReadFile(filepath.Join(dir, specFile))
	if err == nil {
		err = json.Unmarshal(data, &spec)
	}
	return spec, err
}

// start executes the command with its output in the log.
func (s *supervisor) start() error {
	for fd := lockFD; fd <= s.lastFD(); fd++ {
		syscall.CloseOnExec(fd)
	}
	log, err := os.OpenFile(s.spec.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	if s.spec.Isolation != nil {
		return s.startInside(log)
	}
	program, err := s.spec.look()
	if err != nil {
		return err
	}
	s.cmd = exec.Command(program, s.spec.Command[1:]...)
	s.cmd.Dir, s.cmd.Env = s.spec.WorkDir, s.spec.Env
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	bind(s.cmd.SysProcAttr)
	return s.cmd.Start()
}

// look finds the program in the PATH the command will have.
func (s Spec) look() (string, error) {
	for _, kv := range s.Env {
		if path, ok := strings.CutPrefix(kv, "PATH="); ok {
			if err := os.Setenv("PATH", path); err != nil {
				return "", err
			}
		}
	}
	return exec.LookPath(s.Command[0])
}

func (s *supervisor) lastFD() int {
	if s.spec.Bound {
		return lifelineFD
	}
	return readyFD
}

// greet notes the supervisor in the lock file and answers the starter.
func (s *supervisor) greet(failed error) error {
	msg := started{PID: os.Getpid()}
	if failed != nil {
		msg.Error = failed.Error()
	} else if err := s.note(); err != nil {
		return err
	}
	ready := os.NewFile(readyFD, "ready")
	defer func() { _ = ready.Close() }()
	// The starter may be gone; the run goes on without it.
	_ = json.NewEncoder(ready).Encode(msg)
	return nil
}

// note writes the supervisor's process id into the lock file.
func (s *supervisor) note() error {
	return os.WriteFile(filepath.Join(s.dir, lockFile), fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600)
}

// watch returns when the command and all it started have ended.
func (s *supervisor) watch(exit *Exit) {
	exited := make(chan error, 1)
	go func() { exited <- s.cmd.Wait() }()
	limit, orphaned := s.limit(), s.orphaned()
	for {
		select {
		case err := <-exited:
			s.clear()
			s.describe(exit, err)
			return
		case sig := <-s.signals:
			if sig == syscall.SIGTERM {
				s.end(Stopped, s.spec.Grace)
			} else {
				s.end(Interrupted, min(s.spec.Grace, InterruptGrace))
			}
		case <-limit:
			s.end(TimedOut, s.spec.Grace)
		case <-orphaned:
			orphaned = nil
			s.end(Interrupted, min(s.spec.Grace, InterruptGrace))
		case <-s.kill:
			_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		}
	}
}

func (s *supervisor) limit() <-chan time.Time {
	if s.spec.Limit <= 0 {
		return nil
	}
	return time.After(s.spec.Limit)
}

// orphaned is closed when the program that started a bound run has ended.
func (s *supervisor) orphaned() <-chan struct{} {
	if !s.spec.Bound {
		return nil
	}
	c := make(chan struct{})
	go func() {
		defer close(c)
		line := os.NewFile(lifelineFD, "lifeline")
		_, _ = line.Read(make([]byte, 1)) // nobody ever writes
	}()
	return c
}

// end tells the group to end and sets the time it is killed. The first cause
// stands; a later one can only shorten the grace period.
func (s *supervisor) end(cause Cause, grace time.Duration) {
	if s.ended == "" {
		s.ended = cause
		s.kill = time.After(grace)
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM)
	} else if cause == Interrupted {
		s.kill = time.After(grace)
	}
}

// clear kills what the command left behind, in its group and out of it.
func (s *supervisor) clear() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	reapOrphans()
}

// afterLimit is how long the command that clears away may take.
const afterLimit = 30 * time.Second

// after runs the command that clears away. What it says is of no interest: most
// often there is nothing left.
func (s *supervisor) after() {
	if len(s.spec.After) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), afterLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.spec.After[0], s.spec.After[1:]...)
	cmd.Env = s.spec.Env
	_ = cmd.Run()
}
