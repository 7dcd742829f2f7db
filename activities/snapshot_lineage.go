package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"time"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// lineageFormat is the format of this version's lineage documents. A change of
// how files are read needs a new one: what was read before is read again then.
const lineageFormat = "steward/lineage/v1"

// fileRead is what reading a whole file showed.
type fileRead struct {
	SHA256  string         `json:"sha256"`
	Rows    int64          `json:"rows"`
	From    time.Time      `json:"from"`
	To      time.Time      `json:"to"`
	Columns dataset.Schema `json:"columns"` // a column without a value has no type
}

// lineage says where the files of a release's snapshot came from, and what was
// read of those that the snapshot left out. So the next one need not read again.
type lineage struct {
	Format   string        `json:"format"`
	Model    string        `json:"model"`
	Release  int           `json:"release"`
	Snapshot string        `json:"snapshot"` // digest
	Asked    string        `json:"asked"`    // digest of what was wanted of every file
	Files    []lineageFile `json:"files"`
}

type lineageFile struct {
	Origin  string                      `json:"origin"` // name of the source
	Source  string                      `json:"source"`
	Version string                      `json:"version,omitempty"` // ETag, or the like
	Seen    time.Time                   `json:"seen"`
	Bytes   int64                       `json:"bytes"`
	Format  string                      `json:"format"`
	Fixed   []lifecycle.PartitionColumn `json:"fixed,omitempty"`
	Used    bool                        `json:"used"` // it is in the snapshot
	fileRead
}

// writeLineage writes the document under its own digest, so that what the
// evidence names can never become another.
func (t *taking) writeLineage(ctx context.Context, s lifecycle.Snapshot, m *manifest) (*lifecycle.Lineage, error) {
	inside := map[*foundFile]bool{}
	for _, f := range m.Files {
		inside[f.found] = true
	}
	doc := lineage{Format: lineageFormat, Model: t.in.Model, Release: t.in.Release, Snapshot: s.Digest, Asked: t.asked}
	for _, f := range t.files {
		doc.Files = append(doc.Files, lineageFile{Origin: f.Origin, Source: f.Source, Version: f.Version, Seen: f.Seen,
			Bytes: f.Bytes, Format: f.Format, Fixed: f.Fixed, Used: inside[f], fileRead: f.read})
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("lineage of %s: %w", t.in.Model, err)
	}
	sum := sha256.Sum256(b)
	digest := hex.EncodeToString(sum[:])
	l := &lifecycle.Lineage{Digest: "sha256:" + digest,
		URI: modelURI(t.Bucket, t.in.Model, fmt.Sprintf("lineage/%06d-%s.json", t.in.Release, digest[:12]))}
	if err := t.Objects.PutNew(ctx, l.URI, b); err != nil && !errors.Is(err, cloud.ErrExists) {
		return nil, err
	}
	return l, nil
}

// readKnown reads what the model's last snapshot has read, if that was asked
// for the same. A document that cannot be understood means reading all again.
func (t *taking) readKnown(ctx context.Context) (map[string]fileRead, error) {
	last := ""
	prefix := modelURI(t.Bucket, t.in.Model, "lineage/")
	for o, err := range t.Objects.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		if path.Base(o.URI) > fmt.Sprintf("%06d.", t.in.Release) { // of a later release
			break
		}
		last = o.URI
	}
	if last == "" {
		return nil, nil
	}
	b, err := t.Objects.Get(ctx, last)
	if err != nil {
		return nil, err
	}
	var doc lineage
	if json.Unmarshal(b, &doc) != nil || doc.Format != lineageFormat || doc.Asked != t.asked {
		return nil, nil
	}
	known := make(map[string]fileRead, len(doc.Files))
	for _, f := range doc.Files {
		found := foundFile{snapshotFile: snapshotFile{Source: f.Source, Version: f.Version, Bytes: f.Bytes, Format: f.Format, Fixed: f.Fixed}}
		if f.Version != "" {
			known[found.identity()] = f.fileRead
		}
	}
	return known, nil
}
