//go:build !linux

package process

import (
	"errors"
	"syscall"
)

// Elsewhere than on Linux the process group is all that holds a run together.

func bind(*syscall.SysProcAttr) {}
func adoptOrphans()             {}
func reapOrphans()              {}

// maxRSS is in bytes, as macOS counts it.
func maxRSS(u *syscall.Rusage) int64 { return u.Maxrss }

// Memory is how much memory the machine has, in bytes; 0 if that is unknown.
func Memory() int64 { return 0 }

var errNoNamespaces = errors.New("this system has no namespaces: Linux has")

func namespaces(*Isolation) (*syscall.SysProcAttr, error) { return nil, errNoNamespaces }

type enclosed struct{}

func begin(string) (*enclosed, error) { return nil, errNoNamespaces }
func (*enclosed) await() (how end)    { return how }
