package process

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

// begin makes the init process's surroundings those of the run and executes its
// command in a process group of its own, to which SIGTERM is passed on: the
// kernel would keep it from a PID 1 that has no handler.
func begin(dir string) (*enclosed, error) {
	if os.Getpid() != 1 { // it will end everything that it can see
		return nil, fmt.Errorf("process %d is no init process", os.Getpid())
	}
	spec, err := readSpec(dir)
	if err != nil {
		return nil, err
	}
	var door net.Listener
	if spec.Isolation.Port != 0 {
		if door, err = inherited(portFD); err != nil {
			return nil, err
		}
	}
	if err := enter(spec.Isolation); err != nil {
		return nil, err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM)
	program, err := spec.look()
	if err != nil {
		return nil, err
	}
	pid, err := syscall.ForkExec(program, spec.Command, &syscall.ProcAttr{Dir: spec.WorkDir, Env: spec.Env,
		Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setpgid: true}})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	go func() {
		for range signals {
			_ = syscall.Kill(-pid, syscall.SIGTERM)
		}
	}()
	e := &enclosed{pid: pid}
	if door != nil {
		e.passage = openPassage(door, spec.Isolation.Port)
	}
	return e, nil
}

// enclosed is the command of an init process.
type enclosed struct {
	pid     int
	passage *passage // into its network; nil if it is not alone
}

// await waits for the command, and for what is orphaned meanwhile. When it
// returns all else in the namespace has been killed.
func (e *enclosed) await() (how end) {
	for {
		ended, err := syscall.Wait4(-1, &how.Status, 0, &how.Usage)
		if ended == e.pid || err != nil && err != syscall.EINTR {
			break
		}
	}
	_ = syscall.Kill(-1, syscall.SIGKILL) // all but this process
	if e.passage != nil {
		e.passage.drain()
	}
	return how
}
