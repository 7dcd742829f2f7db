package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
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

// readKnown reads what the model's last snapshot has read: all attempts at it,
// since each may have read something new.
func (t *taking) readKnown(ctx context.Context) error {
	t.known, t.former = map[string]fileRead{}, map[string]lineageFile{}
	var last []string
	for o, err := range t.Objects.List(ctx, modelURI(t.Bucket, t.in.Model, "lineage/")) {
		if err != nil {
			return err
		}
		if path.Base(o.URI) > fmt.Sprintf("%06d.", t.in.Release) { // of a later release
			break
		}
		if len(last) > 0 && releaseOf(last[0]) != releaseOf(o.URI) {
			last = nil
		}
		last = append(last, o.URI)
	}
	for _, uri := range last {
		b, err := t.Objects.Get(ctx, uri)
		if err != nil {
			return err
		}
		t.know(b)
	}
	return nil
}

func releaseOf(lineageURI string) string {
	number, _, _ := strings.Cut(path.Base(lineageURI), "-")
	return number
}

// know takes over what was read, if it was asked for the same. A document that
// cannot be understood only means reading again.
func (t *taking) know(document []byte) {
	var doc lineage
	if json.Unmarshal(document, &doc) != nil || doc.Format != lineageFormat || doc.Asked != t.asked {
		return
	}
	for _, f := range doc.Files {
		found := foundFile{snapshotFile: snapshotFile{Source: f.Source, Version: f.Version, Bytes: f.Bytes, Format: f.Format, Fixed: f.Fixed}}
		if f.Version != "" {
			t.known[found.identity()] = f.fileRead
			t.former[f.Source] = f
		}
	}
}
