package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// usage is what a program took.
type usage struct {
	seconds   float64 // from its start to its end
	cpu       float64 // seconds, of the user and the system, from its start to its end
	worked    float64 // CPU seconds that it says its work took
	megabytes float64 // the most that was resident
}

// report is what a measured program says at its end.
type report struct {
	Rows      int     `json:"rows"`          // that it worked on
	CPU       float64 `json:"cpu,omitempty"` // seconds, its start not counted
	Megabytes float64 `json:"megabytes"`
}

// measure runs a program and what it takes to work on rows. The program tells its
// memory itself: what the system tells of a child includes what its parent held
// when it was started.
func measure(ctx context.Context, rows int, name string, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	begin := time.Now()
	out, err := cmd.Output()
	took := time.Since(begin).Seconds()
	if err != nil {
		return usage{}, fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, said.Bytes())
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		return usage{}, fmt.Errorf("%s said %q: %w", filepath.Base(name), out, err)
	}
	if r.Rows != rows {
		return usage{}, fmt.Errorf("%s saw %d rows of %d", filepath.Base(name), r.Rows, rows)
	}
	return usage{seconds: took, cpu: cmd.ProcessState.UserTime().Seconds() + cmd.ProcessState.SystemTime().Seconds(),
		worked: r.CPU, megabytes: r.Megabytes}, nil
}

// buildTables builds the program that works on tables, into a folder.
func buildTables(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "tables")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "steward/internal/bench/tables").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program that works on tables: %w\n%s", err, out)
	}
	return program, nil
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
