package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// memory is what a process and all that it started hold in RAM: the sum of
// their resident sets (RSS). A page that two of them share counts twice, which
// errs on the safe side; proportional shares (PSS) would change with whoever
// else runs the same programs.
type memory struct {
	megabytes float64
	processes int
}

// peakMemory watches the stack for a while.
func (s *stack) peakMemory(ctx context.Context) (memory, error) {
	ctx, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	var peak memory
	for {
		now, err := memoryOf(s.cmd.Process.Pid)
		if err != nil {
			return peak, err
		}
		if now.megabytes > peak.megabytes {
			peak = now
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return peak, ctx.Err()
			}
			return peak, nil
		case <-ticker.C:
		}
	}
}

// memoryOf reads Linux's /proc.
func memoryOf(root int) (memory, error) {
	parents, err := parents()
	if err != nil {
		return memory{}, err
	}
	var m memory
	for pid := range parents {
		if !descends(pid, root, parents) {
			continue
		}
		kilobytes, err := rss(pid)
		if gone(err) {
			continue
		}
		if err != nil {
			return m, err
		}
		m.megabytes += float64(kilobytes) * 1024 / 1e6
		m.processes++
	}
	return m, nil
}

// parents maps every process to its parent.
func parents() (map[int]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("memory is read from Linux's /proc: %w", err)
	}
	out := map[int]int{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue // not a process
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		// The name, in parentheses, may hold spaces and parentheses.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if out[pid], err = strconv.Atoi(string(fields[1])); err != nil {
			return nil, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
	}
	return out, nil
}

// gone tells whether a process ended while it was looked at.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }

func descends(pid, from int, parents map[int]int) bool {
	for ; pid > 0; pid = parents[pid] {
		if pid == from {
			return true
		}
	}
	return false
}

// rss is what of a process is resident, in KB.
func rss(pid int) (int, error) {
	name := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Rss:" {
			return strconv.Atoi(fields[1])
		}
	}
	return 0, fmt.Errorf("%s has no line Rss", name)
}
