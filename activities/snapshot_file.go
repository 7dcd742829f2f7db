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
func (t *taking) readFile(ctx context.Context, f *foundFile) error {
	release, err := t.obtain(ctx, f)
	if err != nil {
		return err
	}
	defer release()
	defer alive(ctx, "reading "+f.Source)()
	source := f.opened(declaredTypes(t.in.Data.Types))
	schema, err := inspect(ctx, source, f, t.in.Data)
	if err != nil {
		return rejected(ctx, err)
	}
	schema = widen(schema, t.in.Data)
	source.Types = typesFor(schema, t.in.Data.Types)
	span, empty := span{}, newEmpties(used(t.in.Data))
	err = readFixed(ctx, source, f.Fixed, used(t.in.Data), func(b *dataset.Batch) error {
		f.read.Rows += int64(b.Rows)
		span.add(b.Times(0))
		empty.add(b)
		return nil
	})
	if err == nil && span.rows == 0 {
		err = fmt.Errorf("%s: column %q, the time, holds no value", f.Source, t.in.Data.Time)
	}
	f.read.From, f.read.To = span.times()
	f.read.Columns = empty.untyped(schema)
	f.use(f.read)
	return rejected(ctx, err)
}

// opened is a file's local copy as a source under the name that people know.
func (f *foundFile) opened(types map[string]dataset.Type) dataset.Source {
	source := dataset.File(f.local)
	source.Name, source.Format, source.Types = f.Source, f.Format, types
	return source
}

// fetch downloads an object, as it was when it was listed, into a folder (the
// system's own for temporary files when empty); it returns the local file, which
// is the caller's to remove, and the content's digest. An object that has changed
// since is cloud.ErrChanged, which a retry mends: it lists again.
func fetch(ctx context.Context, objects *cloud.Objects, o cloud.Object, dir string) (name, sum string, err error) {
	body, err := objects.ReadSame(ctx, o)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = body.Close() }()
	file, err := os.CreateTemp(dir, "steward-snapshot-*")
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

// inspect returns the columns of a file, its folder's included, if those a
// release needs are there and of a type that serves.
func inspect(ctx context.Context, source dataset.Source, f *foundFile, data lifecycle.Data) (dataset.Schema, error) {
	schema, _, err := dataset.Inspect(ctx, source)
	if err != nil {
		return nil, err
	}
	if schema, err = withFixed(schema, f, data.Types); err != nil {
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
