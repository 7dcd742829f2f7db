package activities

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// foundFile is a file of a source, and what is known of it so far.
type foundFile struct {
	snapshotFile
	read   fileRead
	object cloud.Object // it, when it is in S3
	local  string       // its copy on this machine, or ""
	old    bool         // known from a former snapshot
	// period of its partition; both zero without.
	begin, end time.Time
}

// identity differs when the content may, or what its folder says.
func (f *foundFile) identity() string {
	return fmt.Sprint(f.Source, " ", f.Version, " ", f.Bytes, " ", f.Format, " ", f.Fixed)
}

// use takes over what reading it showed, now or for a former snapshot.
func (f *foundFile) use(read fileRead) {
	f.read = read
	f.SHA256, f.Rows, f.From, f.To = read.SHA256, read.Rows, read.From, read.To
}

// insidePeriod refuses a file whose rows are not of its partition, when
// partitions decide what is read: rows in the wrong one would be lost.
func (f *foundFile) insidePeriod(data lifecycle.Data) error {
	from, to := f.From, f.To
	if data.Last == 0 || f.begin.IsZero() || (!from.Before(f.begin) && to.Before(f.end)) {
		return nil
	}
	return lifecycle.Fail(lifecycle.DataRejected, "%s: its rows are of %s to %s by column %q, its folder says %s to %s (UTC): put them where they belong, or leave out partitions or last",
		f.Source, from.Format(time.RFC3339), to.Format(time.RFC3339), data.Time, f.begin.Format(time.RFC3339), f.end.Format(time.RFC3339))
}

// copyTo makes the snapshot's own copy.
func (f *foundFile) copyTo(ctx context.Context, objects *cloud.Objects, to string) error {
	if f.object.URI != "" {
		return objects.Copy(ctx, f.object, to)
	}
	file, err := os.Open(f.local)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Source, err)
	}
	defer func() { _ = file.Close() }()
	return objects.Upload(ctx, to, file)
}

// filesOf finds the files of a source.
func (t *taking) filesOf(ctx context.Context, source lifecycle.Source) ([]*foundFile, error) {
	switch {
	case source.Postgres != nil:
		return t.queried(ctx, source)
	case source.Traffic != nil:
		return t.served(ctx, source)
	case source.Remote():
		return t.downloaded(ctx, source)
	}
	files, err := t.objectsOf(ctx, source)
	if errors.Is(err, cloud.ErrNotFound) {
		return nil, lifecycle.Fail(lifecycle.DataRejected, "source %s: the bucket of %s does not exist", source.Name, source.URI)
	}
	if err == nil && len(files) == 0 {
		err = lifecycle.Fail(lifecycle.DataRejected, "source %s: there are no files under %s", source.Name, source.URI)
	}
	return files, err
}

// obtain makes sure that a file is on this machine until release is called: from
// where it was found or, if that was not S3, from the former snapshot's copy.
func (t *taking) obtain(ctx context.Context, f *foundFile) (release func(), err error) {
	if f.local != "" {
		return func() {}, nil
	}
	object := f.object
	if object.URI == "" {
		if object, err = t.Objects.Stat(ctx, contentURI(t.Bucket, f.SHA256)); err != nil {
			return nil, err
		}
	}
	if f.local, f.read.SHA256, err = fetch(ctx, t.Objects, object, t.dir); err != nil {
		return nil, err
	}
	return func() { _ = os.Remove(f.local); f.local = "" }, nil
}

// objectsOf lists what is under an S3 prefix; of partitions, only those that
// can hold rows of the period asked for.
func (t *taking) objectsOf(ctx context.Context, source lifecycle.Source) ([]*foundFile, error) {
	prefix, after := source.URI, ""
	var p lifecycle.Partitions
	if source.Partitions != "" {
		var err error
		if p, err = lifecycle.ParsePartitions(source.Partitions); err != nil {
			return nil, lifecycle.Fail(lifecycle.Invalid, "source %s: partitions: %v", source.Name, err)
		}
		prefix = strings.TrimSuffix(prefix, "/") + "/"
		if after, err = t.firstPartition(ctx, source, prefix, p); err != nil {
			return nil, err
		}
	}
	var files []*foundFile
	for o, err := range t.Objects.FilesAfter(ctx, prefix, after) {
		if err != nil {
			return nil, err
		}
		if o.Size == 0 {
			return nil, lifecycle.Fail(lifecycle.DataRejected, "source %s: file %s is empty", source.Name, o.URI)
		}
		f := &foundFile{object: o, snapshotFile: snapshotFile{
			Origin: source.Name, Source: o.URI, Version: o.ETag, Seen: time.Now().UTC(), Format: source.Format, Bytes: o.Size,
		}}
		if err := f.place(source, prefix, p); err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// place says of which partition a file is.
func (f *foundFile) place(source lifecycle.Source, prefix string, p lifecycle.Partitions) (err error) {
	if p.Depth() == 0 {
		return nil
	}
	folders := strings.Split(strings.TrimPrefix(f.Source, prefix), "/")
	path := strings.Join(folders[:min(p.Depth(), len(folders)-1)], "/")
	if f.begin, f.end, err = p.Period(path); err != nil {
		return lifecycle.Fail(lifecycle.DataRejected, "source %s: %s: %v: move the file, or correct partitions", source.Name, f.Source, err)
	}
	f.Fixed = p.Columns(f.begin)
	return nil
}

// firstPartition is the name after which what is asked for begins: the rows of
// the newest partition are at least as new as its beginning.
func (t *taking) firstPartition(ctx context.Context, source lifecycle.Source, prefix string, p lifecycle.Partitions) (string, error) {
	if t.in.Data.Last == 0 {
		return "", nil
	}
	newest, err := t.newestPartition(ctx, prefix, p.Depth())
	if err != nil || newest == "" {
		return "", err
	}
	path := strings.TrimSuffix(strings.TrimPrefix(newest, prefix), "/")
	from, _, err := p.Period(path)
	if err != nil {
		return "", lifecycle.Fail(lifecycle.DataRejected, "source %s: %s: %v: move the folder, or correct partitions", source.Name, newest, err)
	}
	return prefix + p.Path(from.Add(-t.in.Data.Last.Std())), nil
}

// newestPartition is the last folder, depth levels below a prefix, that holds a
// file, or "".
func (t *taking) newestPartition(ctx context.Context, prefix string, depth int) (string, error) {
	if depth == 0 {
		for o, err := range t.Objects.Files(ctx, prefix) {
			if err != nil || o.Size > 0 {
				return prefix, err
			}
		}
		return "", nil
	}
	folders, err := t.Objects.Folders(ctx, prefix)
	if err != nil {
		return "", err
	}
	for _, name := range slices.Backward(folders) {
		if strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") {
			continue
		}
		if found, err := t.newestPartition(ctx, prefix+name+"/", depth-1); err != nil || found != "" {
			return found, err
		}
	}
	return "", nil
}
