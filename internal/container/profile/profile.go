// Package profile is the built-in processing image: it profiles tables of CSV
// files, one document for each file, so that a table may be shared out among
// hosts and its profile be the same whoever read which file.
package profile

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"steward/internal/dataset"
	"steward/internal/stats"
)

// Where things lie below a processing job's folder.
const (
	columnsFile = "input/columns/columns.json" // the columns to profile: a dataset.Schema
	dataFolder  = "input/data"                 // CSV files with a header
	output      = "output"                     // <file>.json: a stats.Profile for each
)

// Suffix is what the name of a file's profile has more than that of the file.
const Suffix = ".json"

// Run profiles every file of the folder of a processing job and tells out about
// each. A host that got no file leaves no profile. Errors name the file, and
// line and column where there is one.
func Run(ctx context.Context, dir string, out io.Writer) error {
	columns, err := readColumns(filepath.Join(dir, columnsFile))
	if err != nil {
		return err
	}
	root := filepath.Join(dir, dataFolder)
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		p, err := file(ctx, path, name, columns)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "profiled %s: %d rows, %d columns\n", name, p.Rows, len(p.Columns))
		return write(filepath.Join(dir, output, name+Suffix), p)
	})
}

func readColumns(path string) (dataset.Schema, error) {
	var columns dataset.Schema
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the columns to profile: %w", err)
	}
	if err := json.Unmarshal(b, &columns); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("%s names no columns: list the name and type of each to profile", path)
	}
	return columns, nil
}

// file profiles one file by the types given, for those that its first rows
// suggest may differ from file to file.
func file(ctx context.Context, path, name string, columns dataset.Schema) (*stats.Profile, error) {
	source := dataset.File(path)
	source.Name, source.Format, source.Types = name, dataset.CSV, map[string]dataset.Type{}
	for _, c := range columns {
		source.Types[c.Name] = c.Type
	}
	profiler := dataset.NewProfiler(columns)
	err := dataset.Read(ctx, source, columns.Names(), profiler.Add)
	if err != nil {
		return nil, err
	}
	return profiler.Profile(), nil
}

func write(path string, p *stats.Profile) error {
	b, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return cmp.Or(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, b, 0o644))
}
