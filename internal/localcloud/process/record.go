package process

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

func (s *supervisor) describe(exit *Exit, err error) {
	if s.ended != "" {
		exit.Cause = s.ended
	}
	state := s.cmd.ProcessState
	if state == nil {
		exit.Error = err.Error()
		return
	}
	status, _ := state.Sys().(syscall.WaitStatus)
	usage, _ := state.SysUsage().(*syscall.Rusage)
	ended := end{status, *usage}
	if s.said != nil {
		// An init process that was killed says nothing: its own end is the run's.
		_ = s.said.Decode(&ended)
	}
	ended.describe(exit)
}

// end is how a process ended and what it used.
type end struct {
	Status syscall.WaitStatus
	Usage  syscall.Rusage
}

func (e end) describe(exit *Exit) {
	exit.Code = e.Status.ExitStatus()
	if e.Status.Signaled() {
		exit.Signal = e.Status.Signal().String()
	}
	exit.CPUSeconds = time.Duration(e.Usage.Utime.Nano() + e.Usage.Stime.Nano()).Seconds()
	exit.MaxRSS = maxRSS(&e.Usage)
}

// record writes the exit record so that it is there whole or not at all.
func (s *supervisor) record(exit Exit) error {
	data, err := json.Marshal(exit)
	if err != nil {
		return err
	}
	tmp := filepath.Join(s.dir, exitFile+".tmp")
	f, err := os.Create(tmp)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(s.dir, exitFile))
}

// say adds a line of the supervisor's own to the log.
func (s *supervisor) say(line string) error {
	log, err := os.OpenFile(s.spec.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = log.WriteString(line)
	return errors.Join(err, log.Close())
}
