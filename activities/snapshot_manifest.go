package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// manifestFormat is the format of this version's snapshot manifests. Those of
// the one before, of one source and one format, are read too.
const (
	manifestFormat   = "steward/snapshot/v2"
	manifestFormatV1 = "steward/snapshot/v1"
)

// manifest lists what a snapshot consists of: sources in the order of the model
// file, the files of each in the order of their names.
type manifest struct {
	Version string            `json:"version"`          // manifestFormat
	Format  string            `json:"format,omitempty"` // of all files; v1 only
	Columns dataset.Schema    `json:"columns"`
	Types   map[string]string `json:"types,omitempty"` // those that the model file declares
	Time    string            `json:"time"`            // column that Since is about
	// Since, if set, is the time before which rows do not belong to the snapshot.
	Since time.Time      `json:"since,omitzero"`
	Files []snapshotFile `json:"files"`
}

// snapshotFile is one file of a snapshot: where it was found when the snapshot
// was first taken, and what it holds. Rows, From and To are of those rows that
// belong to the snapshot.
type snapshotFile struct {
	Origin  string    `json:"origin,omitempty"` // name of the source
	Source  string    `json:"source"`
	Version string    `json:"version,omitempty"` // ETag, or the like
	Seen    time.Time `json:"seen,omitzero"`
	Format  string    `json:"format,omitempty"`
	SHA256  string    `json:"sha256"` // of its bytes, hex; its copy is objects/<sha256>
	Bytes   int64     `json:"bytes"`
	Rows    int64     `json:"rows"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	// Fixed are the columns that its folder gives.
	Fixed []lifecycle.PartitionColumn `json:"fixed,omitempty"`

	found *foundFile
}

// newManifest keeps the files that have rows of the period asked for.
func newManifest(data lifecycle.Data, schema dataset.Schema, files []*foundFile) *manifest {
	m := &manifest{Version: manifestFormat, Columns: schema, Types: data.Types, Time: data.Time}
	newest := time.Time{}
	for _, f := range files {
		if f.To.After(newest) {
			newest = f.To
		}
	}
	if data.Last > 0 {
		m.Since = newest.Add(-data.Last.Std())
	}
	for _, f := range files {
		if !f.To.Before(m.Since) {
			f.found = f
			m.Files = append(m.Files, f.snapshotFile)
		}
	}
	return m
}

// within leaves out the rows of a batch that do not belong to the snapshot; at
// is the position of the time column. A row without a time belongs to it only
// when all do.
func (m manifest) within(b *dataset.Batch, at int) *dataset.Batch {
	if m.Since.IsZero() {
		return b
	}
	nanos, valid := b.Times(at)
	since := m.Since.UnixNano()
	keep := make([]int, 0, b.Rows)
	for i, t := range nanos {
		if valid[i] && t >= since {
			keep = append(keep, i)
		}
	}
	if len(keep) == b.Rows {
		return b
	}
	return b.Take(keep)
}

// digest covers the content: what is in the files, how it is read and which
// rows of it, but neither their names nor when they were written.
func (m manifest) digest() (string, error) {
	if m.Version == manifestFormatV1 {
		return m.digestV1()
	}
	type file struct {
		SHA256, Format string
		Fixed          []lifecycle.PartitionColumn
	}
	content := struct {
		Version, Time string
		Columns       dataset.Schema
		Types         map[string]string
		Since         time.Time
		Files         []file
	}{m.Version, m.Time, m.Columns, m.Types, m.Since, nil}
	for _, f := range m.Files {
		content.Files = append(content.Files, file{f.SHA256, f.Format, f.Fixed})
	}
	return lifecycle.Digest(content)
}

func (m manifest) digestV1() (string, error) {
	content := struct {
		Version, Format, Time string
		Columns               dataset.Schema
		Since                 time.Time
		Files                 []string
	}{m.Version, m.Format, m.Time, m.Columns, m.Since, nil}
	for _, f := range m.Files {
		content.Files = append(content.Files, f.SHA256)
	}
	return lifecycle.Digest(content)
}

// writeManifest writes the manifest unless the same snapshot was taken before.
func (d *Data) writeManifest(ctx context.Context, model string, m *manifest) (lifecycle.Snapshot, error) {
	digest, err := m.digest()
	if err != nil {
		return lifecycle.Snapshot{}, err
	}
	s := lifecycle.Snapshot{
		URI:    modelURI(d.Bucket, model, "snapshots/"+strings.TrimPrefix(digest, "sha256:")+"/manifest.json"),
		Digest: digest, Files: len(m.Files), From: m.Files[0].From, To: m.Files[0].To,
	}
	for _, f := range m.Files {
		s.Bytes, s.Rows = s.Bytes+f.Bytes, s.Rows+f.Rows
		if f.From.Before(s.From) {
			s.From = f.From
		}
		if f.To.After(s.To) {
			s.To = f.To
		}
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return s, fmt.Errorf("snapshot manifest of %s: %w", model, err)
	}
	if err := d.Objects.PutNew(ctx, s.URI, b); err != nil && !errors.Is(err, cloud.ErrExists) {
		return s, err
	}
	return s, nil
}

// readManifest reads the manifest of a snapshot and checks that it is the one
// that the snapshot's digest names.
func (d *Data) readManifest(ctx context.Context, s lifecycle.Snapshot) (manifest, error) {
	var m manifest
	b, err := d.Objects.Get(ctx, s.URI)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, lifecycle.Fail(lifecycle.DataRejected, "snapshot manifest %s: %v", s.URI, err)
	}
	digest, err := m.digest()
	if err != nil {
		return m, err
	}
	if digest != s.Digest || (m.Version != manifestFormat && m.Version != manifestFormatV1) {
		return m, lifecycle.Fail(lifecycle.DataRejected, "snapshot manifest %s: its content has digest %s, the release was built on %s: it was changed", s.URI, digest, s.Digest)
	}
	return m, nil
}

// readSnapshot streams the given columns of all rows of a snapshot, the time
// column first. An error of each is returned as it is.
func (d *Data) readSnapshot(ctx context.Context, m manifest, columns []string, each func(*dataset.Batch) error) error {
	table := table{objects: d.Objects, types: typesFor(m.Columns, m.Types)}
	for _, f := range m.Files {
		table.add(contentURI(d.Bucket, f.SHA256), f.Source, cmp.Or(f.Format, m.Format), f.Fixed)
	}
	columns = append([]string{m.Time}, slices.DeleteFunc(slices.Clone(columns), func(c string) bool { return c == m.Time })...)
	return table.read(ctx, columns, func(b *dataset.Batch) error {
		if b = m.within(b, 0); b.Rows == 0 {
			return nil
		}
		return each(b)
	})
}
