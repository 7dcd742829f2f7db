package server

import "syscall"

// bind lets the server die with the thread that starts it, and so with this
// process, even when that is killed.
func bind(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
