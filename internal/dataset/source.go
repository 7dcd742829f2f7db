package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
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

	// Delimiter separates the fields of CSV: comma, tab, semicolon and bar (|)
	// are recognised without it.
	Delimiter byte

	// Types fixes the types of columns: a value of CSV or JSON lines that is not
	// of the type is an error, and a column of Parquet is widened to it. The
	// types of columns it does not name are inferred from all values.
	Types map[string]Type

	// Within, if set, says what rows are wanted: row groups of Parquet that tell
	// that they hold none are not read. Others come whole, and those of CSV and
	// JSON lines all, so whoever wants a range has to look at the rows.
	Within *Range

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

// reads is the type that the values of a column are read as: the declared one
// where it is more than the column's own.
func (s Source) reads(f Field) Type {
	if declared := s.Types[f.Name]; declared.becomes() == f.Type {
		return declared
	}
	return f.Type
}

// check refuses what cannot be meant.
func (s Source) check() error {
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		if err := s.Types[name].check(); err != nil {
			return fmt.Errorf("%s: column %s: %w", s.Name, name, err)
		}
	}
	if strings.IndexByte("\"\n\r", s.Delimiter) >= 0 && s.Delimiter != 0 || s.Delimiter >= utf8.RuneSelf {
		return fmt.Errorf("%s: delimiter %q cannot separate fields: use a comma, tab, semicolon or bar", s.Name, s.Delimiter)
	}
	return nil
}
