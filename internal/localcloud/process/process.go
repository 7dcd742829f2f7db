// Package process runs one command as a real subprocess under a supervisor:
// the same binary, executed again in a session of its own. The supervisor
// holds a lock file for as long as the command lives and leaves an exit record
// when it ends, so that a run outlives its starter and can be found again.
//
// What belongs here: starting, finding, awaiting and ending one run. What the
// command is for (a training job, a model server) is the caller's affair.
//
// A run is kept apart by its own session, process group and environment, and
// by namespaces of its own if its spec asks for them (see [Isolation]). That is
// order, not a security boundary: the command has its user's rights.
//
// A program that uses this package calls [Main] before anything else:
//
//	func main() {
//		if process.Main() {
//			return
//		}
//		…
//	}
package process

import (
	"errors"
	"fmt"
	"time"
)

// Files of a run directory.
const (
	lockFile = "lock"
	specFile = "spec.json"
	exitFile = "exit.json"
)

var (
	// ErrNeverStarted says that a directory holds no run that ever began.
	ErrNeverStarted = errors.New("never started")
	// ErrLost says that a run ended without leaving an exit record: its
	// supervisor was killed, or the machine went down.
	ErrLost = errors.New("supervisor ended without an exit record")
	// ErrRunning says that a directory holds a run that has not ended.
	ErrRunning = errors.New("still running")
)

// Spec says what to run and for how long.
type Spec struct {
	Dir     string        // run directory: lock, spec and exit record; one run at a time
	Command []string      // program and arguments; the program is looked up in Env's PATH
	Env     []string      // the whole environment as KEY=value; nothing is inherited
	WorkDir string        // working directory
	Log     string        // file that standard output and error are appended to
	Grace   time.Duration // between SIGTERM and SIGKILL when the run is stopped
	Limit   time.Duration // longest run time, 0 for none; enforced by the supervisor
	Bound   bool          // stop the run when the program that started it ends
	After   []string      // command that clears away what Command may have left; run at its end, whatever that was

	Isolation *Isolation // namespaces of the run's own, in which Command and WorkDir are looked up; nil for none
}

// Cause says who ended a run.
type Cause string

// The causes of an end.
const (
	Exited      Cause = "exited"      // by itself
	Stopped     Cause = "stopped"     // by [Run.Stop]
	TimedOut    Cause = "timed out"   // Spec.Limit was reached
	Interrupted Cause = "interrupted" // by [Run.Interrupt], or its starter ended and the run was Bound
)

// Exit is what a supervisor records of an ended run.
type Exit struct {
	Cause      Cause     `json:"cause"`
	Code       int       `json:"code"`             // exit code, -1 when ended by a signal or not started
	Signal     string    `json:"signal,omitempty"` // the signal that ended it
	Error      string    `json:"error,omitempty"`  // why it could not be started
	MaxRSS     int64     `json:"maxRss"`           // bytes; of the largest of its processes
	CPUSeconds float64   `json:"cpuSeconds"`       // user and system time
	Started    time.Time `json:"started"`
	Ended      time.Time `json:"ended"`
}

// UsageMark begins the line that a supervisor adds to the log of an ended run.
const UsageMark = "[supervisor] "

// usage is that line: what the command and the processes that it waited for
// have used.
func (e Exit) usage() string {
	return fmt.Sprintf("%sused %.2f s of CPU in %.2f s, and %.1f MiB of memory at most\n",
		UsageMark, e.CPUSeconds, e.Ended.Sub(e.Started).Seconds(), float64(e.MaxRSS)/(1<<20))
}

// OK reports whether the command ended by itself with code 0.
func (e Exit) OK() bool { return e.Cause == Exited && e.Code == 0 && e.Error == "" }
