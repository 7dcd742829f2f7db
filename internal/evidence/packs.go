package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// Packs stores the evidence packs of releases. A pack is never overwritten.
type Packs struct {
	objects *cloud.Objects
	bucket  string
}

// NewPacks keeps packs in a bucket.
func NewPacks(objects *cloud.Objects, bucket string) *Packs { return &Packs{objects, bucket} }

// Seal stores a manifest and returns where, with the digest of the exact bytes
// stored. Sealing the same manifest again changes nothing; a different one of
// the same release gets a name of its own beside the first.
func (p *Packs) Seal(ctx context.Context, m lifecycle.Manifest) (lifecycle.Evidence, error) {
	if m.Format == "" {
		m.Format = lifecycle.ManifestFormat
	}
	m.Sealed = m.Sealed.UTC()
	raw, err := json.Marshal(m)
	if err != nil {
		return lifecycle.Evidence{}, lifecycle.Fail(lifecycle.Invalid, "evidence of %s: %v", release(m), err)
	}
	digest := digestOf(raw)
	dir := fmt.Sprintf("s3://%s/models/%s/evidence/%d/", p.bucket, m.Model.Name, m.Release)
	for _, name := range []string{"manifest.json", "manifest-" + digest[len("sha256:"):][:8] + ".json"} {
		same, err := p.put(ctx, dir+name, raw)
		if err != nil {
			return lifecycle.Evidence{}, cloud.Wrap(err, "evidence of %s", release(m))
		}
		if same {
			return lifecycle.Evidence{URI: dir + name, Digest: digest}, nil
		}
	}
	return lifecycle.Evidence{}, lifecycle.Fail(lifecycle.Conflict, "evidence of %s: %s is taken by another pack", release(m), dir)
}

// put stores a new object and tells whether it holds raw now.
func (p *Packs) put(ctx context.Context, uri string, raw []byte) (bool, error) {
	err := p.objects.PutNew(ctx, uri, raw)
	if !errors.Is(err, cloud.ErrExists) {
		return err == nil, err
	}
	stored, err := p.objects.Get(ctx, uri)
	return bytes.Equal(stored, raw), err
}

// Bytes returns a pack as it was stored. If its digest is not the one that the
// decisions rest on, the error is lifecycle.Invalid and says both.
func (p *Packs) Bytes(ctx context.Context, e lifecycle.Evidence) ([]byte, error) {
	raw, err := p.objects.Get(ctx, e.URI)
	if err != nil {
		return nil, cloud.Wrap(err, "evidence")
	}
	if got := digestOf(raw); got != e.Digest {
		return nil, lifecycle.Fail(lifecycle.Invalid, "evidence %s was changed: it has digest %s, the decisions rest on %s", e.URI, got, e.Digest)
	}
	return raw, nil
}

// Load returns a pack after checking its digest, as Bytes does, and its format.
func (p *Packs) Load(ctx context.Context, e lifecycle.Evidence) (lifecycle.Manifest, error) {
	var m lifecycle.Manifest
	raw, err := p.Bytes(ctx, e)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, lifecycle.Fail(lifecycle.Invalid, "evidence %s: %v", e.URI, err)
	}
	if m.Format != lifecycle.ManifestFormat {
		return m, lifecycle.Fail(lifecycle.Invalid, "evidence %s: format %q is not known; this program reads %s", e.URI, m.Format, lifecycle.ManifestFormat)
	}
	return m, nil
}

func release(m lifecycle.Manifest) string { return lifecycle.ReleaseID(m.Model.Name, m.Release) }

func digestOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}
