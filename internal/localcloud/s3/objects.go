package s3

import (
	"context"
	"encoding/hex"
	"io"
	"strings"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

var (
	_ gofakes3.VersionedBackend     = (*Store)(nil)
	_ gofakes3.MultipartBackend     = (*Store)(nil)
	_ gofakes3.ObjectTaggingBackend = (*Store)(nil)
)

// GetObject opens the current version of an object or a range of it.
func (s *Store) GetObject(_ context.Context, bucket, key string, want *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	return s.open(bucket, key, "", want)
}

// HeadObject gives an object without its contents: the version that the request
// names, else the current one.
func (s *Store) HeadObject(ctx context.Context, bucket, key string) (*gofakes3.Object, error) {
	r, err := s.load(bucket, key, headVersion(ctx))
	if err != nil {
		return nil, err
	}
	return r.object(), nil
}

// load reads a version of an object, the current one if version is empty.
func (s *Store) load(bucket, key, version string) (r *record, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		if _, err := getBucket(tx, bucket); err != nil {
			return err
		}
		r, err = find(tx, bucket, key, version)
		switch {
		case err != nil:
			return err
		case r == nil && version != "":
			return gofakes3.ErrNoSuchVersion
		case r == nil, r.Deleted && version == "":
			return gofakes3.KeyNotFound(key)
		}
		return nil
	})
	return r, err
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
		return nil, err
	}
	r := newRecord(key, meta, b)
	if err := s.commit(ctx, bucket, key, func(*bolt.Tx) (*record, []extent, error) { return r, nil, nil }); err != nil {
		s.blobs.discard(r.Extents)
		return nil, err
	}
	return r, nil
}

// commit makes the record that build gives, in the same transaction as the check
// of the request's If-Match and If-None-Match, the current one of key. Bodies
// that are then named no more, and the ones build gives, are removed.
func (s *Store) commit(ctx context.Context, bucket, key string, build func(*bolt.Tx) (*record, []extent, error)) error {
	var unused []extent
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
		replaced, err := place(tx, bucket, b.Versioning, current, r)
		unused = append(rest, replaced...)
		return err
	})
	if err != nil {
		return err
	}
	s.blobs.discard(unused)
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
	from, err := s.open(fromBucket, fromKey, "", nil)
	if err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	r, err := s.put(ctx, bucket, key, meta, from.Contents, from.Size)
	if err := both(err, from.Contents.Close()); err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	return gofakes3.CopyObjectResult{ETag: quote(r.etag()), LastModified: gofakes3.NewContentTime(r.Modified)}, nil
}

// DeleteObject deletes an object, or marks it deleted in a versioned bucket. One
// that is not there is no error.
func (s *Store) DeleteObject(_ context.Context, bucket, key string) (gofakes3.ObjectDeleteResult, error) {
	results, err := s.deleteAll(bucket, []string{key})
	if err != nil {
		return gofakes3.ObjectDeleteResult{}, err
	}
	return results[0], nil
}

// DeleteMulti deletes all of the keys or, on an error, none.
func (s *Store) DeleteMulti(_ context.Context, bucket string, keys ...string) (out gofakes3.MultiDeleteResult, err error) {
	if _, err := s.deleteAll(bucket, keys); err != nil {
		return out, err
	}
	for _, key := range keys {
		out.Deleted = append(out.Deleted, gofakes3.ObjectID{Key: key})
	}
	return out, nil
}

func (s *Store) deleteAll(bucket string, keys []string) (results []gofakes3.ObjectDeleteResult, err error) {
	var unused []extent
	err = s.db.Update(func(tx *bolt.Tx) error {
		b, err := getBucket(tx, bucket)
		if err != nil {
			return err
		}
		for _, key := range keys {
			result, dropped, err := remove(tx, bucket, b.Versioning, key)
			if err != nil {
				return err
			}
			results, unused = append(results, result), append(unused, dropped...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.blobs.discard(unused)
	return results, nil
}

// SetObjectTagging replaces the tags of an object's current version.
func (s *Store) SetObjectTagging(_ context.Context, bucket, key, tagging string) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		if _, err := getBucket(tx, bucket); err != nil {
			return err
		}
		r, err := find(tx, bucket, key, "")
		if err != nil {
			return err
		}
		if r == nil || r.Deleted {
			return gofakes3.KeyNotFound(key)
		}
		r.Meta[gofakes3.TaggingMetadataKey] = tagging
		if tagging == "" {
			delete(r.Meta, gofakes3.TaggingMetadataKey)
		}
		return rewrite(tx, bucket, r)
	})
}
