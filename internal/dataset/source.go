package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// Formats of files.
const (
	CSV     = "csv"
	Parquet = "parquet"
	JSONL   = "jsonl"
)

// ErrEmpty is matched by the error for a source without any row.
var ErrEmpty = errors.New("no rows")

// Source is one file of a table. CSV and JSON lines may be compressed with gzip
// or zstd, told by their first bytes.
type Source struct {
	Name   string // for people and for the format: s3://demo/flights/jan.csv.gz
	Format string // csv, parquet or jsonl; "": by the extension of Name

	// Types fixes the types of columns of CSV and JSON lines that would
	// otherwise be inferred from the first rows, and widens a column of Parquet
	// from integer to number. Columns it does not name are free.
	Types map[string]Type

	// Open returns the bytes, how many there are, and what to call when done.
	Open func(ctx context.Context) (r io.ReaderAt, size int64, done func() error, err error)
}

// File is a file of this machine as a source.
func File(name string) Source {
	return Source{Name: name, Open: func(context.Context) (io.ReaderAt, int64, func() error, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, 0, nil, err
		}
		info, err := f.Stat()
		if err != nil {
			return nil, 0, nil, errors.Join(err, f.Close())
		}
		return f, info.Size(), f.Close, nil
	}}
}

// Bytes is a file held in memory as a source.
func Bytes(name string, content []byte) Source {
	return Source{Name: name, Open: func(context.Context) (io.ReaderAt, int64, func() error, error) {
		return bytes.NewReader(content), int64(len(content)), func() error { return nil }, nil
	}}
}

var extensions = map[string]string{
	".csv": CSV, ".parquet": Parquet, ".pq": Parquet,
	".jsonl": JSONL, ".ndjson": JSONL, ".json": JSONL,
}

// format is what to read the source as.
func (s Source) format() (string, error) {
	switch s.Format {
	case CSV, Parquet, JSONL:
		return s.Format, nil
	case "":
	default:
		return "", fmt.Errorf("%s: format %q is not known: use csv, parquet or jsonl", s.Name, s.Format)
	}
	name := strings.ToLower(s.Name)
	for _, compressed := range []string{".gz", ".zst", ".zstd"} {
		name = strings.TrimSuffix(name, compressed)
	}
	if f, ok := extensions[path.Ext(name)]; ok {
		return f, nil
	}
	return "", fmt.Errorf("%s: the extension does not tell the format: set it to csv, parquet or jsonl", s.Name)
}
