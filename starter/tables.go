package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"steward/internal/dataset"
	"steward/internal/report"
)

// selection is a table in files of this machine, or some of its rows.
type selection struct {
	paths   []string
	format  string
	columns []string            // nil: all
	where   map[string][]string // a column's value, as text, is one of these
	as      string              // what to call it
}

// name is what people shall know the table by.
func (s selection) name(where []string) string {
	name := filepath.Base(s.paths[0])
	if len(s.paths) > 1 {
		name = fmt.Sprintf("%s and %d more", name, len(s.paths)-1)
	}
	if s.as != "" {
		return s.as
	}
	if len(where) > 0 {
		name += " where " + strings.Join(where, ", ")
	}
	return name
}

// sources lists the files, those of a folder in the order of their names.
func (s selection) sources() ([]dataset.Source, error) {
	var out []dataset.Source
	add := func(path string) {
		src := dataset.File(path)
		src.Format = s.format
		out = append(out, src)
	}
	for _, path := range s.paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			add(path)
			continue
		}
		before := len(out)
		err = filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() && !strings.HasPrefix(entry.Name(), ".") && !strings.HasPrefix(entry.Name(), "_") {
				add(file)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(out) == before {
			return nil, fmt.Errorf("there are no files in %s: name a folder of CSV, Parquet or JSON-lines files", path)
		}
	}
	return out, nil
}

// profileTable reads the table and profiles it.
func (a *app) profileTable(ctx context.Context, s selection, where []string) (report.Side, error) {
	side := report.Side{Name: s.name(where)}
	sources, err := s.sources()
	if err != nil {
		return side, err
	}
	a.announce(s.paths)
	if len(s.where) == 0 {
		side.Profile, err = dataset.Profile(ctx, sources, s.columns)
		return side, err
	}
	var profiler *dataset.Profiler
	rows := 0
	err = dataset.ReadAll(ctx, sources, s.withConditions(), func(b *dataset.Batch) error {
		if profiler == nil {
			wanted, err := pick(b.Schema, s.columns)
			if err != nil {
				return err
			}
			profiler = dataset.NewProfiler(wanted)
		}
		kept, err := matching(b, s.where)
		if err != nil || len(kept) == 0 {
			return err
		}
		rows += len(kept)
		return profiler.Add(b.Take(kept))
	})
	if err != nil {
		return side, err
	}
	if rows == 0 {
		return side, fmt.Errorf("%s: no row is like that: check the column's values", side.Name)
	}
	side.Profile = profiler.Profile()
	return side, nil
}

// withConditions are the columns to read: those asked for, and those of the
// conditions.
func (s selection) withConditions() []string {
	if s.columns == nil {
		return nil
	}
	columns := slices.Clone(s.columns)
	for c := range s.where {
		if !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	slices.Sort(columns[len(s.columns):])
	return columns
}

// pick is the schema of some columns; nil is all.
func pick(schema dataset.Schema, columns []string) (dataset.Schema, error) {
	at, err := schema.Select(columns)
	if err != nil {
		return nil, err
	}
	out := make(dataset.Schema, len(at))
	for i, c := range at {
		out[i] = schema[c]
	}
	return out, nil
}

// matching are the rows that meet every condition.
func matching(b *dataset.Batch, where map[string][]string) ([]int, error) {
	keep := make([]bool, b.Rows)
	for i := range keep {
		keep[i] = true
	}
	for name, wanted := range where {
		col, err := b.Schema.Index(name)
		if err != nil {
			return nil, err
		}
		values, valid := b.Strings(col)
		for i, v := range values {
			keep[i] = keep[i] && valid[i] && slices.Contains(wanted, v)
		}
	}
	var rows []int
	for i, k := range keep {
		if k {
			rows = append(rows, i)
		}
	}
	return rows, nil
}

// long is how many bytes take some seconds to read.
const long = 200 << 20

// announce tells those who look on that a reading takes a while.
func (a *app) announce(paths []string) {
	if _, _, ok := terminal(a.err); !ok {
		return
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Size() > long {
			fmt.Fprintf(a.err, "reading %s, %d MB…\n", path, info.Size()>>20)
		}
	}
}
