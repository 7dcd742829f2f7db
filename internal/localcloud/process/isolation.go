package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Isolation gives a run a view of the machine of its own, by Linux's user,
// mount, PID and IPC namespaces: its /proc shows its own processes only, and
// when its command ends the kernel ends all of them. It keeps runs out of each
// other's way and is no security boundary. Where [Namespaces] fails, a run that
// asks for it cannot start.
type Isolation struct {
	Hidden []string // folders that the run finds empty, but for what is mounted below
	Mounts []Mount  // what the run finds elsewhere than the machine does
	Alone  bool     // the run has no network but a loopback interface of its own
	Port   int      // of a run that is Alone: connections to this port of 127.0.0.1 are passed on to the same one inside; 0 for none
}

// Mount shows a folder of the machine in another place, which is made if only
// its own name is missing there, or a file in the place of one. Nobody but the
// run sees it.
type Mount struct{ From, To string }

// initMarker in the place of the first argument makes a program the init
// process (PID 1) of a run's namespaces.
const initMarker = "__init_run__"

// Files that an init process inherits.
const (
	reportFD = 3 + iota
	portFD
)

// begun is an init process's first report; an [end] is the second.
type begun struct{ Error string }

// startInside executes the init process, and returns when that has executed the
// command. It sees nothing of this process's environment, which its command
// could read.
func (s *supervisor) startInside(log *os.File) error {
	attr, err := namespaces(s.spec.Isolation)
	if err != nil {
		return err
	}
	self, err := executable()
	if err != nil {
		return err
	}
	report, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = tell.Close() }()
	s.cmd = exec.Command(self, initMarker, s.dir)
	s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = []string{}, log, log
	s.cmd.SysProcAttr, s.cmd.ExtraFiles = attr, []*os.File{tell}
	bind(attr)
	if port := s.spec.Isolation.Port; port != 0 {
		door, err := openPort(port)
		if err != nil {
			return err
		}
		defer func() { _ = door.Close() }()
		s.cmd.ExtraFiles = append(s.cmd.ExtraFiles, door)
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	_ = tell.Close() // so that the pipe ends with the init process
	s.said = json.NewDecoder(report)
	var first begun
	if err := s.said.Decode(&first); err != nil {
		return errors.Join(fmt.Errorf("init process: %w", err), s.cmd.Wait())
	}
	if first.Error != "" {
		_ = s.cmd.Wait()
		return errors.New(first.Error)
	}
	return nil
}

// trialMarker in the place of the first argument makes a program look for a file.
const trialMarker = "__trial_run__"

// trialLimit is the longest that a trial may take on a busy machine.
const trialLimit = 30 * time.Second

func looked(file string) {
	if _, err := os.Stat(file); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// understood says that this program calls Main and so can be executed again.
var understood atomic.Bool

// Namespaces tells whether runs of this program can be isolated here, and if
// not, why: it has tried it once.
func Namespaces() error {
	if !understood.Load() {
		return errors.New("namespaces: this program does not call process.Main first")
	}
	return tried()
}

var tried = sync.OnceValue(func() error {
	dir, err := os.MkdirTemp("", "namespaces-")
	if err != nil {
		return err
	}
	err = try(dir)
	return errors.Join(err, os.RemoveAll(dir))
})

// try runs this program in namespaces of all kinds.
func try(dir string) error {
	const place = "/opt/ml"
	from, log := filepath.Join(dir, "from"), filepath.Join(dir, "log")
	self, err := executable()
	if err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(from, 0o755), os.WriteFile(filepath.Join(from, "file"), nil, 0o644)); err != nil {
		return err
	}
	run, err := Start(Spec{Dir: filepath.Join(dir, "run"), Command: []string{self, trialMarker, filepath.Join(place, "file")}, WorkDir: place,
		Log: log, Limit: trialLimit, Bound: true,
		Isolation: &Isolation{Hidden: []string{dir}, Mounts: []Mount{{from, place}}, Alone: true}})
	if err != nil {
		return fmt.Errorf("namespaces: %w", err)
	}
	<-run.Done()
	exit, err := run.Exit()
	if err == nil && !exit.OK() {
		said, _ := os.ReadFile(log)
		err = fmt.Errorf("namespaces: the trial ended with code %d: %s", exit.Code, strings.TrimSpace(string(said)))
	}
	return err
}

// initialize sees the command to its end and reports it. It ends without Go's
// own last words, which would take a second under the race detector.
func initialize(dir string) {
	tell := os.NewFile(reportFD, "report")
	syscall.CloseOnExec(reportFD)
	out := json.NewEncoder(tell)
	command, err := begin(dir)
	if err != nil {
		_ = out.Encode(begun{err.Error()})
		syscall.Exit(1)
	}
	_ = out.Encode(begun{})
	_ = out.Encode(command.await())
	syscall.Exit(0)
}
