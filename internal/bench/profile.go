package main

import (
	"context"
	_ "embed"
	"io"
	"path/filepath"

	"steward/internal/dataset"
)

//go:embed peers/profile_duckdb.py
var duckDB string

const (
	profileRounds = 5
	profileCPU    = 8   // seconds at most
	profileMemory = 100 // MB at most
)

// profileBench profiles a table of rows in a format.
type profileBench struct {
	rows   int
	format string
	rounds int
}

// run measures the CPU seconds and the memory of a process that profiles the
// table, and the rows that it profiles in a CPU second beside those of DuckDB,
// whose start is not counted.
func (b profileBench) run(ctx context.Context, l lab) ([]result, error) {
	python, err := peerPython(ctx)
	if err != nil {
		return nil, err
	}
	tables, err := buildTables(ctx, l.dir)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(l.dir, "table."+b.format)
	if err := b.write(file); err != nil {
		return nil, err
	}
	var cpu, megabytes, peer []float64
	for i := range b.rounds {
		ours, err := measure(ctx, b.rows, tables, "profile", file)
		if err != nil {
			return nil, err
		}
		theirs, err := measure(ctx, b.rows, python, "-c", duckDB, file)
		if err != nil {
			return nil, err
		}
		l.say("profile-%s: %d of %d: %.2f CPU s and %.0f MB in %.2f s, DuckDB %.2f CPU s", b.format, i+1, b.rounds, ours.cpu, ours.megabytes, ours.seconds, theirs.worked)
		cpu, megabytes, peer = append(cpu, ours.cpu), append(megabytes, ours.megabytes), append(peer, theirs.worked)
	}
	million := float64(b.rows) / 1e6
	return []result{
		{ours: median(cpu), peer: profileCPU * million / 10, unit: "s", most: 1},
		{name: "-memory", ours: median(megabytes), peer: profileMemory, unit: "MB", most: 1},
		{name: "-rate", ours: million / median(cpu), peer: million / median(peer), unit: "M/s", least: 1},
	}, nil
}

func (b profileBench) write(file string) error {
	return writeTable(file, func(w io.Writer) error {
		if b.format == dataset.CSV {
			return writeCSV(w, b.rows, tableRows(1, 0))
		}
		return writeParquet(w, b.rows, tableRows(1, 0))
	})
}
