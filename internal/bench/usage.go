package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// usage is what a program took, from its start to its end.
type usage struct {
	seconds   float64
	cpu       float64 // seconds, of the user and the system
	megabytes float64 // the most that was resident
	output    []byte
}

// measure runs a program and what it takes.
func measure(ctx context.Context, name string, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	begin := time.Now()
	err := cmd.Run()
	took := time.Since(begin).Seconds()
	if err != nil {
		return usage{}, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, said.Bytes())
	}
	resources, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return usage{}, fmt.Errorf("this system does not tell what %s took", name)
	}
	return usage{seconds: took, cpu: cmd.ProcessState.UserTime().Seconds() + cmd.ProcessState.SystemTime().Seconds(),
		megabytes: float64(resources.Maxrss) * 1024 / 1e6, output: out.Bytes()}, nil // Linux counts KB
}

// measureSelf runs this program as one of its peers.
func measureSelf(ctx context.Context, peer, argument string) (usage, error) {
	self, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	return measure(ctx, self, peer, argument)
}

// peerPython is the Python with the pinned packages that speeds are held
// against; it is made if there is none.
func peerPython(ctx context.Context) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	make := exec.CommandContext(ctx, filepath.Join(strings.TrimSpace(string(root)), ".ci", "python"), "internal/bench/peers/requirements.txt")
	make.Stderr = os.Stderr
	python, err := make.Output()
	if err != nil {
		return "", fmt.Errorf("make the Python of the peers: %w", err)
	}
	return strings.TrimSpace(string(python)), nil
}
