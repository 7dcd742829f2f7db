package process

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/process/processtest"
)

// TestMain lets the test binary play the supervisor, the command it runs, and
// a program that starts runs and is killed.
func TestMain(m *testing.M) {
	if Main() {
		return
	}
	if len(os.Args) > 2 && os.Args[1] == "play" {
		play(os.Args[2])
		return
	}
	// The race detector would keep every ended process for a second.
	if err := os.Setenv("GORACE", noSleep); err != nil {
		os.Exit(2)
	}
	os.Exit(m.Run())
}

const noSleep = "atexit_sleep_ms=0"

func play(part string) {
	switch part {
	case "exit":
		fmt.Println("hello", os.Getenv("GREETING"))
		os.Exit(7)
	case "hang":
		fmt.Println("pid", processtest.Self())
		<-notified(syscall.SIGUSR1)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("pid", processtest.Self())
		<-notified(syscall.SIGUSR1)
	case "litter": // leaves a child in a session of its own, which says who it is
		child := exec.Command(os.Args[0], "play", "hang")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		said, _ := child.StdoutPipe()
		if err := child.Start(); err != nil {
			os.Exit(2)
		}
		line, _ := bufio.NewReader(said).ReadString('\n')
		fmt.Print(line)
	case "look":
		look()
	case "alone":
		alone(os.Args[3], os.Args[4])
	case "ends": // by a signal
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		<-notified(syscall.SIGUSR1)
	case "starter": // reads specs, starts them, then waits to be killed
		in := json.NewDecoder(os.Stdin)
		for {
			var s Spec
			if err := in.Decode(&s); err != nil {
				return
			}
			if _, err := Start(s); err != nil {
				fmt.Println(err)
			}
			fmt.Println("started")
		}
	}
}

func notified(s os.Signal) <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, s)
	return c
}

func spec(t *testing.T, part string) Spec {
	t.Helper()
	dir := t.TempDir()
	return Spec{
		Dir: filepath.Join(dir, "run"), WorkDir: dir, Log: filepath.Join(dir, "log"), Grace: 10 * time.Second,
		Command: []string{os.Args[0], "play", part}, Env: []string{"PATH=" + os.Getenv("PATH"), "GREETING=world", "GORACE=" + noSleep},
	}
}

func ended(t *testing.T, r *Run) Exit {
	t.Helper()
	select {
	case <-r.Done():
	case <-time.After(20 * time.Second):
		require.Fail(t, "run did not end")
	}
	e, err := r.Exit()
	require.NoError(t, err)
	return e
}

// logged waits for the rest of a whole line of the log.
func logged(t *testing.T, s Spec, begins string) (rest string) {
	t.Helper()
	require.Eventually(t, func() bool {
		data, _ := os.ReadFile(s.Log)
		_, after, ok := strings.Cut(string(data), begins)
		line, _, whole := strings.Cut(after, "\n")
		rest = line
		return ok && whole
	}, 10*time.Second, 10*time.Millisecond)
	return rest
}

// loggedProcess waits until the command has said which process it is.
func loggedProcess(t *testing.T, s Spec) string { return logged(t, s, "pid ") }

func requireGone(t *testing.T, name string) {
	t.Helper()
	require.Eventually(t, func() bool { return processtest.Find(name) == 0 }, 10*time.Second, 10*time.Millisecond)
}

func TestExitIsRecorded(t *testing.T) {
	everywhere(t, func(t *testing.T, spec func(string) Spec) {
		s := spec("exit")
		r, err := Start(s)
		require.NoError(t, err)
		e := ended(t, r)
		require.Equal(t, Exited, e.Cause)
		require.Equal(t, 7, e.Code)
		require.False(t, e.OK())
		require.Positive(t, e.MaxRSS)
		require.Positive(t, e.CPUSeconds)
		require.False(t, e.Ended.Before(e.Started))
		log, err := os.ReadFile(s.Log)
		require.NoError(t, err)
		require.Equal(t, "hello world\n"+e.usage(), string(log), "its supervisor adds what it used")
		require.Regexp(t, `^\[supervisor\] used \d+\.\d\d s of CPU in \d+\.\d\d s, and \d+\.\d MiB of memory at most\n$`, e.usage())
	})
}

func TestEndBySignal(t *testing.T) {
	everywhere(t, func(t *testing.T, spec func(string) Spec) {
		r, err := Start(spec("ends"))
		require.NoError(t, err)
		e := ended(t, r)
		require.Equal(t, Exited, e.Cause)
		require.Equal(t, -1, e.Code)
		require.Equal(t, syscall.SIGTERM.String(), e.Signal)
		require.Positive(t, e.MaxRSS)
	})
}

// A run clears up after itself, whatever its end was; what that command says is
// not the run's.
func TestAfter(t *testing.T) {
	everywhere(t, func(t *testing.T, spec func(string) Spec) {
		for _, part := range []string{"exit", "hang"} {
			s := spec(part)
			done := filepath.Join(t.TempDir(), "done")
			s.After = []string{"sh", "-c", "echo cleared; touch " + done}
			r, err := Start(s)
			require.NoError(t, err)
			if part == "hang" {
				loggedProcess(t, s)
				require.NoError(t, r.Stop())
			}
			ended(t, r)
			require.FileExists(t, done, part)
			log, err := os.ReadFile(s.Log)
			require.NoError(t, err)
			require.NotContains(t, string(log), "cleared")
		}
	})
}

func TestCommandThatCannotStart(t *testing.T) {
	everywhere(t, func(t *testing.T, spec func(string) Spec) {
		s := spec("exit")
		s.Command = []string{"/nonexistent/program"}
		_, err := Start(s)
		require.ErrorContains(t, err, "/nonexistent/program")
		r, err := Attach(s.Dir)
		require.NoError(t, err)
		require.Contains(t, ended(t, r).Error, "no such file")
	})
}

func TestStop(t *testing.T) {
	everywhere(t, func(t *testing.T, spec func(string) Spec) {
		for _, tt := range []struct {
			name, part string
			grace      time.Duration
			stop       func(*Run) error
			cause      Cause
			signal     syscall.Signal
		}{
			{"polite", "hang", 10 * time.Second, (*Run).Stop, Stopped, 0},
			{"stubborn", "stubborn", 50 * time.Millisecond, (*Run).Stop, Stopped, syscall.SIGKILL},
			{"interrupt", "hang", 10 * time.Second, (*Run).Interrupt, Interrupted, 0},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s := spec(tt.part)
				s.Grace = tt.grace
				r, err := Start(s)
				require.NoError(t, err)
				pid := loggedProcess(t, s)
				_, err = r.Exit()
				require.ErrorIs(t, err, ErrRunning)
				_, err = Start(s)
				require.ErrorIs(t, err, ErrRunning)
				require.NoError(t, tt.stop(r))
				e := ended(t, r)
				require.Equal(t, tt.cause, e.Cause)
				if tt.signal != 0 {
					require.Equal(t, tt.signal.String(), e.Signal)
				}
				requireGone(t, pid)
				require.NoError(t, r.Stop(), "stopping an ended run changes nothing")
			})
		}
	})
}

func TestLimit(t *testing.T) {
	everywhere(t, func(t *testing.T, spec func(string) Spec) {
		s := spec("hang")
		s.Limit = 50 * time.Millisecond
		r, err := Start(s)
		require.NoError(t, err)
		require.Equal(t, TimedOut, ended(t, r).Cause)
	})
}

func TestNothingIsLeftBehind(t *testing.T) {
	everywhere(t, func(t *testing.T, spec func(string) Spec) {
		s := spec("litter")
		r, err := Start(s)
		require.NoError(t, err)
		pid := loggedProcess(t, s)
		require.True(t, ended(t, r).OK())
		requireGone(t, pid)
	})
}

func TestAttachToNothing(t *testing.T) {
	_, err := Attach(t.TempDir())
	require.ErrorIs(t, err, ErrNeverStarted)
}

// TestStarterIsKilled kills the program that started a free and a bound run:
// the free one goes on and can be found and stopped, the bound one ends.
func TestStarterIsKilled(t *testing.T) {
	everywhere(t, func(t *testing.T, spec func(string) Spec) {
		free, bound := spec("hang"), spec("hang")
		bound.Bound = true
		starter := exec.Command(os.Args[0], "play", "starter")
		in, err := starter.StdinPipe()
		require.NoError(t, err)
		out, err := starter.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, starter.Start())
		lines := bufio.NewScanner(out)
		for _, s := range []Spec{free, bound} {
			require.NoError(t, json.NewEncoder(in).Encode(s))
			require.True(t, lines.Scan())
			require.Equal(t, "started", lines.Text())
		}
		freePID, boundPID := loggedProcess(t, free), loggedProcess(t, bound)
		require.NoError(t, starter.Process.Kill())
		_ = starter.Wait()

		b, err := Attach(bound.Dir)
		require.NoError(t, err)
		require.Equal(t, Interrupted, ended(t, b).Cause)
		requireGone(t, boundPID)

		f, err := Attach(free.Dir)
		require.NoError(t, err)
		require.NotZero(t, processtest.Find(freePID), "the free run goes on")
		require.NoError(t, f.Stop())
		require.Equal(t, Stopped, ended(t, f).Cause)
		requireGone(t, freePID)
	})
}

// TestSupervisorIsKilled takes the command with it and leaves no record.
func TestSupervisorIsKilled(t *testing.T) {
	everywhere(t, func(t *testing.T, spec func(string) Spec) {
		s := spec("hang")
		r, err := Start(s)
		require.NoError(t, err)
		pid := loggedProcess(t, s)
		supervisor, err := r.pid()
		require.NoError(t, err)
		require.NoError(t, syscall.Kill(supervisor, syscall.SIGKILL))
		<-r.Done()
		_, err = r.Exit()
		require.ErrorIs(t, err, ErrLost)
		requireGone(t, pid)
	})
}
