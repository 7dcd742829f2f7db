package main

import (
	"context"
	_ "embed"
	"io"
	"path/filepath"
)

//go:embed peers/drift_evidently.py
var evidently string

const driftRounds = 5

// driftBench compares two tables of rows; Evidently has the first peerRows of
// each, for it holds them in memory more than once.
type driftBench struct{ rows, peerRows, rounds int }

// run measures the rows that are compared in a CPU second, from the files to the
// measures, and the memory of the processes. The time that Evidently takes to
// start is not counted, its memory is.
func (b driftBench) run(ctx context.Context, l lab) ([]result, error) {
	python, err := peerPython(ctx)
	if err != nil {
		return nil, err
	}
	tables, err := buildTables(ctx, l.dir)
	if err != nil {
		return nil, err
	}
	for folder, rows := range map[string]int{"ours": b.rows, "peer": b.peerRows} {
		if err := writePair(l, folder, rows); err != nil {
			return nil, err
		}
	}
	var mine, theirs measured
	for i := range b.rounds {
		base, window := pair(filepath.Join(l.dir, "ours"))
		ours, err := measure(ctx, 2*b.rows, tables, "drift", base, window)
		if err != nil {
			return nil, err
		}
		mine.add(2*float64(b.rows)/ours.cpu/1e6, ours.megabytes)
		base, window = pair(filepath.Join(l.dir, "peer"))
		peer, err := measure(ctx, 2*b.peerRows, python, "-c", evidently, base, window)
		if err != nil {
			return nil, err
		}
		theirs.add(2*float64(b.peerRows)/peer.worked/1e6, peer.megabytes)
		l.say("drift: %d of %d: %.2f M rows/s and %.0f MB, Evidently %.3f M rows/s and %.0f MB", i+1, b.rounds,
			mine.rate[i], mine.megabytes[i], theirs.rate[i], theirs.megabytes[i])
	}
	return []result{
		{ours: median(mine.rate), peer: median(theirs.rate), unit: "M/s", least: 20},
		{name: "-memory", ours: median(mine.megabytes), peer: median(theirs.megabytes), unit: "MB", most: 0.1},
	}, nil
}

// measured is what a case measured of one program.
type measured struct{ rate, megabytes []float64 }

func (m *measured) add(rate, megabytes float64) {
	m.rate, m.megabytes = append(m.rate, rate), append(m.megabytes, megabytes)
}

// pair names the two tables of a folder.
func pair(folder string) (base, window string) {
	return folder + "-base.parquet", folder + "-window.parquet"
}

func writePair(l lab, folder string, rows int) error {
	base, window := pair(filepath.Join(l.dir, folder))
	for i, file := range []string{base, window} {
		err := writeTable(file, func(w io.Writer) error { return writeParquet(w, rows, tableRows(uint64(i+1), float64(i)/10)) })
		if err != nil {
			return err
		}
	}
	return nil
}
