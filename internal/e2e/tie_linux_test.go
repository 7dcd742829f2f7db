package e2e

import (
	"os/exec"
	"syscall"
)

// tie ends a process with this one, so that tests that are cut short leave none
// behind.
func tie(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
