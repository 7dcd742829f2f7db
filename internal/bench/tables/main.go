// Command tables is what the bench measures of tables: it profiles one,
// compares two, or measures a model by one, and says what that took. It is a program of its own because most
// of what a large program has in memory at its start has nothing to do with them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"steward/internal/dataset"
	"steward/internal/stats"
)

func main() {
	var rows int64
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "profile":
		rows, err = profile(os.Args[2])
	case len(os.Args) == 4 && os.Args[1] == "drift":
		rows, err = drift(os.Args[2], os.Args[3])
	case len(os.Args) == 4 && os.Args[1] == "metrics":
		rows, err = metrics(os.Args[2], os.Args[3])
	default:
		err = errors.New("usage: tables profile FILE | drift BASE WINDOW | metrics SCORES REPLICATES")
	}
	if err == nil {
		err = tell(rows)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tables:", err)
		os.Exit(1)
	}
}

func read(file string) (*stats.Profile, error) {
	return dataset.Profile(context.Background(), []dataset.Source{dataset.File(file)}, nil)
}

func profile(file string) (int64, error) {
	p, err := read(file)
	if err != nil {
		return 0, err
	}
	if p.Rows == 0 || len(p.Columns) != 10 {
		return 0, errors.New("the profile is not of the table")
	}
	_, err = json.Marshal(p)
	return p.Rows, err
}

func drift(base, window string) (int64, error) {
	a, err := read(base)
	if err != nil {
		return 0, err
	}
	b, err := read(window)
	if err != nil {
		return 0, err
	}
	found, err := stats.CompareProfiles(a, b, stats.DriftOptions{})
	if err == nil && len(found) != 9 {
		err = fmt.Errorf("%d columns were compared, not 9", len(found))
	}
	return a.Rows + b.Rows, err
}

// tell says what was worked on, and the most memory that was had (Linux's
// VmHWM).
func tell(rows int64) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return fmt.Errorf("memory is read from Linux's /proc: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			kilobytes, err := strconv.Atoi(fields[1])
			if err != nil {
				return err
			}
			return json.NewEncoder(os.Stdout).Encode(map[string]any{"rows": rows, "megabytes": float64(kilobytes) * 1024 / 1e6})
		}
	}
	return errors.New("/proc/self/status has no line VmHWM")
}
