// Package processtest tells processes apart in tests, whether they have a PID
// namespace of their own or not.
package processtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Self names this process: its id as it knows it and, on Linux, when it began.
// No later process has the same name.
func Self() string {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return strconv.Itoa(os.Getpid())
	}
	return fmt.Sprintf("%d@%s", os.Getpid(), beginning(stat))
}

// beginning is the field starttime of /proc/<pid>/stat (proc(5)).
func beginning(stat []byte) string {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return ""
	}
	return string(fields[19])
}

// Find gives the id that the process of a name has here; 0 when it is gone.
func Find(name string) int {
	inside, began, ok := strings.Cut(name, "@")
	if !ok {
		pid, err := strconv.Atoi(inside)
		if err != nil || syscall.Kill(pid, 0) != nil {
			return 0
		}
		return pid
	}
	all, _ := filepath.Glob("/proc/[0-9]*") // the pattern is good
	for _, dir := range all {
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err == nil && beginning(stat) == began && idInside(dir) == inside {
			pid, _ := strconv.Atoi(filepath.Base(dir)) // as the pattern says
			return pid
		}
	}
	return 0
}

// idInside is a process's id in its own namespace, the last that it has; empty
// when it ended meanwhile.
func idInside(dir string) string {
	status, _ := os.ReadFile(filepath.Join(dir, "status"))
	_, ids, _ := bytes.Cut(status, []byte("\nNSpid:"))
	ids, _, _ = bytes.Cut(ids, []byte("\n"))
	fields := bytes.Fields(ids)
	if len(fields) == 0 {
		return ""
	}
	return string(fields[len(fields)-1])
}
