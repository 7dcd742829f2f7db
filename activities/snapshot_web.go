package activities

import (
	"context"
	"errors"
	"time"

	"steward/internal/cloud"
	"steward/internal/download"
	"steward/internal/lifecycle"
)

// downloaded fetches the one file of a source, unless the model's snapshot
// before has it and the server says that it is still the same.
func (t *taking) downloaded(ctx context.Context, source lifecycle.Source) ([]*foundFile, error) {
	web := t.Web
	if web == nil {
		web = download.New(nil, 0)
	}
	former, err := t.formerDownload(ctx, source)
	if err != nil {
		return nil, err
	}
	defer alive(ctx, "downloading "+source.URI)()
	got, err := web.Fetch(ctx, source.URI, former.Version, t.dir, pulse{ctx, "downloading " + source.URI})
	if err != nil {
		return nil, cloud.Wrap(err, "source %s", source.Name)
	}
	f := &foundFile{local: got.Name, snapshotFile: snapshotFile{Origin: source.Name, Source: source.URI, Version: got.Version,
		Seen: time.Now().UTC(), Format: source.Format, Bytes: got.Bytes, SHA256: got.SHA256}}
	if got.Same {
		f.Bytes, f.SHA256 = former.Bytes, former.SHA256
	}
	f.read.SHA256 = f.SHA256
	switch {
	case f.Bytes == 0:
		return nil, lifecycle.Fail(lifecycle.DataRejected, "source %s: file %s is empty", source.Name, source.URI)
	case source.SHA256 != "" && source.SHA256 != f.SHA256:
		return nil, lifecycle.Fail(lifecycle.DataRejected, "source %s: file %s has the SHA-256 %s, the model file says %s: it is not the file that was meant",
			source.Name, source.URI, f.SHA256, source.SHA256)
	}
	return []*foundFile{f}, nil
}

// formerDownload is what the snapshot before knows of a file that it kept; the
// zero value if there is nothing to go back to.
func (t *taking) formerDownload(ctx context.Context, source lifecycle.Source) (lineageFile, error) {
	former := t.former[source.URI]
	if former.Format != source.Format || former.SHA256 == "" {
		return lineageFile{}, nil
	}
	_, err := t.Objects.Stat(ctx, contentURI(t.Bucket, former.SHA256))
	if errors.Is(err, cloud.ErrNotFound) {
		return lineageFile{}, nil
	}
	return former, err
}
