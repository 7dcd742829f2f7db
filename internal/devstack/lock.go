package devstack

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// InUse says that a stack runs in a home.
type InUse struct {
	Dir string
	PID string // of the `steward dev`; empty when it is only starting
}

func (e InUse) Error() string {
	if e.PID == "" {
		return e.Dir + " is in use by another `steward dev`"
	}
	return fmt.Sprintf("%s is in use by another `steward dev` (process %s)", e.Dir, e.PID)
}

// Lock claims a home until release is called or the process ends. It fails with
// [InUse] when another process has it.
func (h Home) Lock() (release func() error, err error) {
	f, err := os.OpenFile(h.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := h.claim(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// claim locks f and notes in it who has it.
func (h Home) claim(f *os.File) error {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		pid, _ := io.ReadAll(f) // who it is helps, and is not needed
		return InUse{h.dir, strings.TrimSpace(string(pid))}
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}
