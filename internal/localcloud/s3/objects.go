package s3

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"strings"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

var (
	_ gofakes3.VersionedBackend     = (*Store)(nil)
	_ gofakes3.MultipartBackend     = (*Store)(nil)
	_ gofakes3.ObjectTaggingBackend = (*Store)(nil)
)

// GetObject opens the version of an object that the request names, or a range
// of it.
func (s *Store) GetObject(ctx context.Context, bucket, key string, want *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	x := exchangeOf(ctx)
	o, err := s.open(x, bucket, key, want)
	return o, x.noted(err)
}

// HeadObject gives that version without its contents.
func (s *Store) HeadObject(ctx context.Context, bucket, key string) (*gofakes3.Object, error) {
	x := exchangeOf(ctx)
	r, err := s.load(x, bucket, key)
	if err != nil {
		return nil, x.noted(err)
	}
	o := r.object()
	if o.Range, err = cut(x.wanted, r.Size); err != nil {
		return nil, x.noted(err)
	}
	if o.Range != nil {
		x.piece = o
	}
	return o, nil
}

// load reads the version of an object that x names, and describes it in the
// headers if that was asked for.
func (s *Store) load(x *exchange, bucket, key string) (r *record, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		b, err := getBucket(tx, bucket)
		if err != nil {
			return err
		}
		if r, err = find(tx, bucket, key, x.version); err != nil {
			return err
		}
		if err := x.readable(r, key); err != nil {
			return err
		}
		if x.lists {
			x.bare, x.full = "<ETag>"+hex.EncodeToString(r.MD5)+"</ETag>", "<ETag>"+r.etag()+"</ETag>"
			x.set("X-Amz-Version-Id", r.Version)
		}
		if !x.shows {
			return nil
		}
		if b.Versioning != "" || x.version != "" {
			x.set("X-Amz-Version-Id", string(shown(r)))
		}
		return show(tx, x, bucket, r)
	})
	return r, err
}

// readable tells whether r, which may be nil, is a version with contents.
func (x *exchange) readable(r *record, key string) error {
	if r == nil && x.version != "" {
		return gofakes3.ErrNoSuchVersion
	}
	if r == nil {
		return gofakes3.KeyNotFound(key)
	}
	if !r.Deleted {
		return nil
	}
	if x.copies && x.version != "" {
		return refuse(http.StatusBadRequest, gofakes3.ErrInvalidRequest, "The source of a copy request may not specifically refer to a delete marker by version id.")
	}
	if x.shows {
		x.set("X-Amz-Delete-Marker", "true")
		x.set("X-Amz-Version-Id", string(shown(r)))
	}
	if x.version != "" {
		return errMarker()
	}
	return gofakes3.KeyNotFound(key)
}

// show describes r in the headers of the answer.
func show(tx *bolt.Tx, x *exchange, bucket string, r *record) error {
	x.parts = len(r.Parts)
	x.showEncryption(r.Encryption)
	x.showLock(r.Lock)
	x.set("Content-Type", "binary/octet-stream") // unless the object has one
	if x.version != "" {
		return nil
	}
	expires, err := expirationHeader(tx, bucket, r)
	x.set("X-Amz-Expiration", expires)
	return err
}

// PutObject makes an object or a new version of it, durably.
func (s *Store) PutObject(ctx context.Context, bucket, key string, meta map[string]string, in io.Reader, size int64) (gofakes3.PutObjectResult, error) {
	r, err := s.put(ctx, bucket, key, meta, in, size)
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	return gofakes3.PutObjectResult{VersionID: gofakes3.VersionID(r.Version)}, nil
}

func (s *Store) put(ctx context.Context, bucket, key string, meta map[string]string, in io.Reader, size int64) (*record, error) {
	if strings.Contains(key, "\x00") { // it ends the key in the index of versions
		return nil, gofakes3.ErrorInvalidArgument("key", key, "a key cannot contain the character NUL")
	}
	exists, err := s.BucketExists(ctx, bucket)
	if err != nil {
		return nil, err
	}
	if !exists { // before the body is stored for nothing
		return nil, gofakes3.BucketNotFound(bucket)
	}
	b, err := s.blobs.write(in, size, inlineMax)
	if err != nil {
		return nil, exchangeOf(ctx).noted(err)
	}
	x, r := exchangeOf(ctx), newRecord(key, meta, b)
	r.qualities = x.made
	x.trailer.keep(r.Meta)
	if err := s.commit(ctx, bucket, key, func(*bolt.Tx) (*record, []extent, error) { return r, nil, nil }); err != nil {
		s.blobs.discard(r.Extents)
		return nil, err
	}
	x.trailer.show(x)
	return r, nil
}

// commit makes the record that build gives, in the same transaction as the check
// of the request's If-Match and If-None-Match, the current one of key. Bodies
// that are then named no more, and the ones build gives, are removed.
func (s *Store) commit(ctx context.Context, bucket, key string, build func(*bolt.Tx) (*record, []extent, error)) error {
	var unused []extent
	x := exchangeOf(ctx)
	var made *record
	var expires string
	err := s.db.Batch(func(tx *bolt.Tx) error {
		b, err := getBucket(tx, bucket)
		if err != nil {
			return err
		}
		current, err := find(tx, bucket, key, "")
		if err != nil {
			return err
		}
		if err := checkConditions(ctx, current); err != nil {
			return err
		}
		r, rest, err := build(tx)
		if err != nil {
			return err
		}
		made = r
		if err := s.qualify(tx, bucket, r); err != nil {
			return err
		}
		replaced, err := place(tx, bucket, b.Versioning, current, r)
		unused = append(rest, replaced...)
		if err != nil {
			return err
		}
		if expires, err = expirationHeader(tx, bucket, r); err != nil {
			return err
		}
		return s.announce(tx, x, bucket, x.event, r)
	})
	if err != nil {
		return x.noted(err)
	}
	s.blobs.discard(unused)
	x.set("X-Amz-Version-Id", made.Version)
	x.set("X-Amz-Expiration", expires)
	x.showEncryption(made.Encryption)
	return nil
}

// qualify completes the qualities that a request asks for by the defaults of the
// bucket. It changes nothing on an error, for bolt runs a batch again then.
func (s *Store) qualify(tx *bolt.Tx, bucket string, r *record) error {
	encryption, err := s.encryptionOf(tx, bucket, r.Encryption)
	if err != nil {
		return err
	}
	lock, err := lockOf(tx, bucket, r.Lock, r.Modified)
	if err != nil {
		return err
	}
	r.qualities = qualities{encryption, lock}
	return nil
}

func checkConditions(ctx context.Context, current *record) error {
	if current == nil || current.Deleted {
		return gofakes3.CheckWriteConditions(ctx, false, "")
	}
	return gofakes3.CheckWriteConditions(ctx, true, hex.EncodeToString(current.MD5))
}

// CopyObject copies an object's contents under new metadata.
func (s *Store) CopyObject(ctx context.Context, fromBucket, fromKey, bucket, key string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	x := exchangeOf(ctx)
	from, err := s.open(x, fromBucket, fromKey, nil)
	if err != nil {
		return gofakes3.CopyObjectResult{}, x.noted(err)
	}
	r, err := s.put(ctx, bucket, key, meta, from.Contents, from.Size)
	if err := both(err, from.Contents.Close()); err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	return gofakes3.CopyObjectResult{ETag: quote(r.etag()), LastModified: gofakes3.NewContentTime(r.Modified)}, nil
}

// SetObjectTagging replaces the tags of the version that the request names.
func (s *Store) SetObjectTagging(ctx context.Context, bucket, key, tagging string) error {
	x := exchangeOf(ctx)
	return x.noted(s.db.Update(func(tx *bolt.Tx) error {
		if _, err := getBucket(tx, bucket); err != nil {
			return err
		}
		r, err := find(tx, bucket, key, x.version)
		if err != nil {
			return err
		}
		if err := x.readable(r, key); err != nil {
			return err
		}
		r.Meta[gofakes3.TaggingMetadataKey] = tagging
		if tagging == "" {
			delete(r.Meta, gofakes3.TaggingMetadataKey)
		}
		return rewrite(tx, bucket, r)
	}))
}
