//go:build !linux

package process

import "syscall"

// Elsewhere than on Linux the process group is all that holds a run together.

func bind(*syscall.SysProcAttr) {}
func adoptOrphans()             {}
func reapOrphans()              {}

// maxRSS is in bytes, as macOS counts it.
func maxRSS(u *syscall.Rusage) int64 { return u.Maxrss }
