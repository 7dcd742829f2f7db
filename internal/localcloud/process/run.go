package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Run is a run that began. Its methods may be called from any goroutine.
type Run struct {
	dir  string
	done chan struct{}
}

// started is the supervisor's one message to its starter.
type started struct {
	PID   int    `json:"pid"`
	Error string `json:"error,omitempty"`
}

// lifeline is a pipe whose writing end nobody but this program holds: bound
// supervisors read its end of file as the end of this program.
var lifeline = sync.OnceValues(func() ([2]*os.File, error) {
	r, w, err := os.Pipe()
	return [2]*os.File{r, w}, err
})

// Start begins a run and returns when its command is running. A directory
// whose earlier run has ended may be used again; otherwise it fails with
// [ErrRunning]. A command that cannot be executed is an error, and leaves an
// exit record as well.
func Start(spec Spec) (*Run, error) {
	if len(spec.Command) == 0 {
		return nil, fmt.Errorf("run %s: command is empty", spec.Dir)
	}
	lock, err := claim(spec)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", spec.Dir, err)
	}
	defer func() { _ = lock.Close() }() // the supervisor inherited the lock
	r := &Run{dir: spec.Dir, done: make(chan struct{})}
	if err := r.launch(lock, spec.Bound); err != nil {
		return nil, fmt.Errorf("run %s: %s: %w", spec.Dir, spec.Command[0], err)
	}
	return r, nil
}

// claim locks the run directory and makes it ready for a new run.
func claim(spec Spec) (*os.File, error) {
	if err := os.MkdirAll(spec.Dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(spec.Dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := prepare(lock, spec); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return lock, nil
}

func prepare(lock *os.File, spec Spec) error {
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return ErrRunning
	}
	if err := lock.Truncate(0); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(spec.Dir, exitFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	data, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	// The environment may hold credentials.
	return os.WriteFile(filepath.Join(spec.Dir, specFile), data, 0o600)
}

// launch executes the supervisor and waits for its first message.
func (r *Run) launch(lock *os.File, bound bool) error {
	ready, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = ready.Close() }()
	defer func() { _ = tell.Close() }()
	self, err := executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, marker, r.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.ExtraFiles = []*os.File{lock, tell}
	if bound {
		line, err := lifeline()
		if err != nil {
			return err
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, line[0])
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = tell.Close()
	go func() {
		defer close(r.done)
		_ = cmd.Wait() // how the command ended stands in the exit record
	}()
	return greeting(ready)
}

// greeting reads whether the command is running.
func greeting(ready io.Reader) error {
	var s started
	if err := json.NewDecoder(ready).Decode(&s); err != nil {
		return fmt.Errorf("%w (does main call process.Main first?)", ErrLost)
	}
	if s.Error != "" {
		return errors.New(s.Error)
	}
	return nil
}

// executable names this program, even when its file was replaced meanwhile.
func executable() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// Attach finds the run of a directory, ended or not. It fails with
// [ErrNeverStarted] when none ever began there.
func Attach(dir string) (*Run, error) {
	lock, err := os.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("run %s: %w", dir, ErrNeverStarted)
	}
	if err != nil {
		return nil, err
	}
	r := &Run{dir: dir, done: make(chan struct{})}
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil {
		go r.await(lock)
		return r, nil
	}
	defer func() { _ = lock.Close() }()
	if _, err := r.pid(); err != nil {
		return nil, fmt.Errorf("run %s: %w", dir, ErrNeverStarted)
	}
	close(r.done)
	return r, nil
}

// await closes done when the supervisor lets go of the lock.
func (r *Run) await(lock *os.File) {
	defer close(r.done)
	defer func() { _ = lock.Close() }()
	for {
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_SH); !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

// Done is closed when the run has ended.
func (r *Run) Done() <-chan struct{} { return r.done }

// Exit returns the record of an ended run. It fails with [ErrRunning] before
// [Run.Done] is closed and with [ErrLost] when there is no record.
func (r *Run) Exit() (Exit, error) {
	select {
	case <-r.done:
	default:
		return Exit{}, fmt.Errorf("run %s: %w", r.dir, ErrRunning)
	}
	data, err := os.ReadFile(filepath.Join(r.dir, exitFile))
	if errors.Is(err, os.ErrNotExist) {
		return Exit{}, fmt.Errorf("run %s: %w", r.dir, ErrLost)
	}
	if err != nil {
		return Exit{}, err
	}
	var e Exit
	if err := json.Unmarshal(data, &e); err != nil {
		return Exit{}, fmt.Errorf("%s: %w", filepath.Join(r.dir, exitFile), err)
	}
	return e, nil
}

// Stop asks the command to end: SIGTERM to its group, SIGKILL after the grace
// period. It returns at once; an ended run is left as it is.
func (r *Run) Stop() error { return r.signal(syscall.SIGTERM) }

// Interrupt ends the command because its surroundings end: as Stop, but with
// at most [InterruptGrace], and recorded as [Interrupted].
func (r *Run) Interrupt() error { return r.signal(syscall.SIGINT) }

func (r *Run) signal(sig syscall.Signal) error {
	select {
	case <-r.done:
		return nil
	default:
	}
	pid, err := r.pid()
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("run %s: signal supervisor %d: %w", r.dir, pid, err)
	}
	return nil
}

// pid reads the supervisor's process id, which it notes in the lock file once
// it is able to take signals.
func (r *Run) pid() (int, error) {
	data, err := os.ReadFile(filepath.Join(r.dir, lockFile))
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("run %s: no supervisor in %s: %q", r.dir, lockFile, data)
	}
	return pid, nil
}
