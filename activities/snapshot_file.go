package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// snapshotFile is one file of a snapshot. Rows, From and To are of those rows
// that belong to it.
type snapshotFile struct {
	Source string    `json:"source"` // where it was found
	SHA256 string    `json:"sha256"` // of its bytes, hex; its copy is objects/<sha256>
	Bytes  int64     `json:"bytes"`
	Rows   int64     `json:"rows"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`

	from cloud.Object
}

// used are the columns that a release needs.
func used(data lifecycle.Data) []string {
	columns := []string{data.Time, data.ID, data.Label}
	for _, f := range data.Features {
		if !slices.Contains(columns, f) {
			columns = append(columns, f)
		}
	}
	return columns
}

// readFile fetches a file once, to the local disk, and reads there all that the
// release needs of it: so a broken file is found before anything is built on it.
// Without a schema, the file's own is the one that all files must have.
func (d *Data) readFile(ctx context.Context, data lifecycle.Data, o cloud.Object, schema dataset.Schema) (snapshotFile, dataset.Schema, error) {
	local, sum, err := fetch(ctx, d.Objects, o)
	if err != nil {
		return snapshotFile{}, nil, err
	}
	defer func() { _ = os.Remove(local) }()
	defer alive(ctx, "reading "+o.URI)()
	source := dataset.File(local)
	source.Name, source.Format, source.Types = o.URI, data.Sources[0].Format, typesOf(schema)
	f := snapshotFile{Source: o.URI, SHA256: sum, Bytes: o.Size, from: o}
	if found, err := inspect(ctx, source, data); err != nil {
		return f, nil, rejected(ctx, err)
	} else if schema == nil {
		schema = widen(found, data)
		source.Types = typesOf(schema)
	}
	span := span{}
	err = dataset.Read(ctx, source, used(data), func(b *dataset.Batch) error {
		f.Rows += int64(b.Rows)
		span.add(b.Times(0))
		return nil
	})
	if err == nil && span.rows == 0 {
		err = fmt.Errorf("%s: column %q, the time, holds no value", o.URI, data.Time)
	}
	f.From, f.To = span.times()
	return f, schema, rejected(ctx, err)
}

// fetch downloads an object; it returns the local file, which is the caller's
// to remove, and the content's digest.
func fetch(ctx context.Context, objects *cloud.Objects, o cloud.Object) (name, sum string, err error) {
	body, err := objects.Read(ctx, o.URI)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = body.Close() }()
	file, err := os.CreateTemp("", "steward-snapshot-*")
	if err != nil {
		return "", "", fmt.Errorf("fetch %s: %w", o.URI, err)
	}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, hash, pulse{ctx, "fetching " + o.URI}), body)
	if err == nil && n != o.Size {
		err = fmt.Errorf("%d bytes, listed as %d: it is being changed", n, o.Size)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", "", fmt.Errorf("fetch %s: %w", o.URI, errors.Join(err, os.Remove(file.Name())))
	}
	return file.Name(), hex.EncodeToString(hash.Sum(nil)), nil
}

// rejected makes what is wrong with a local file the data's fault.
func rejected(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return lifecycle.Fail(lifecycle.DataRejected, "%v", err)
}

// inspect returns the columns of a file, if those a release needs are there and
// of a type that serves.
func inspect(ctx context.Context, source dataset.Source, data lifecycle.Data) (dataset.Schema, error) {
	schema, _, err := dataset.Inspect(ctx, source)
	if err != nil {
		return nil, err
	}
	for _, name := range used(data) {
		if _, err := schema.Field(name); err != nil {
			return nil, fmt.Errorf("%s: %w", source.Name, err)
		}
	}
	if f, _ := schema.Field(data.Time); f.Type != dataset.Time {
		return nil, fmt.Errorf("%s: column %q, the time, holds values of type %s: write timestamps, in text as 2006-01-02T15:04:05Z", source.Name, f.Name, f.Type)
	}
	if f, _ := schema.Field(data.Label); f.Type == dataset.String || f.Type == dataset.Time {
		return nil, fmt.Errorf("%s: column %q, the label, holds values of type %s: write numbers, and 0 and 1 for two classes", source.Name, f.Name, f.Type)
	}
	return schema, nil
}

// widen lets numbers that happen to be whole at the top of the first file have
// fractions elsewhere. Ids and categories stay as they are written.
func widen(schema dataset.Schema, data lifecycle.Data) dataset.Schema {
	schema = slices.Clone(schema)
	for i, f := range schema {
		if f.Type == dataset.Integer && f.Name != data.ID && !slices.Contains(data.Categorical, f.Name) {
			schema[i].Type = dataset.Number
		}
	}
	return schema
}

func typesOf(schema dataset.Schema) map[string]dataset.Type {
	types := make(map[string]dataset.Type, len(schema))
	for _, f := range schema {
		types[f.Name] = f.Type
	}
	return types
}

// span is the range of the times seen, in nanoseconds since 1970.
type span struct {
	rows     int64
	from, to int64
}

func (s *span) add(nanos []int64, valid []bool) {
	for i, t := range nanos {
		if !valid[i] {
			continue
		}
		if s.rows == 0 {
			s.from, s.to = math.MaxInt64, math.MinInt64
		}
		s.rows++
		s.from, s.to = min(s.from, t), max(s.to, t)
	}
}

func (s *span) times() (from, to time.Time) {
	return time.Unix(0, s.from).UTC(), time.Unix(0, s.to).UTC()
}
