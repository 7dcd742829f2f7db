package s3

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// DeleteObject deletes an object, or marks it deleted in a versioned bucket, or
// deletes the version that the request names for good. One that is not there is
// no error.
func (s *Store) DeleteObject(ctx context.Context, bucket, key string) (gofakes3.ObjectDeleteResult, error) {
	x := exchangeOf(ctx)
	results, err := s.deleteAll(x, bucket, []deletion{{Key: key, VersionID: x.version}})
	if err == nil {
		err = results[0].err
	}
	if err != nil {
		return gofakes3.ObjectDeleteResult{}, x.noted(err)
	}
	return results[0].ObjectDeleteResult, nil
}

// DeleteMulti deletes the current versions of all of the keys or, on an error,
// none.
func (s *Store) DeleteMulti(ctx context.Context, bucket string, keys ...string) (out gofakes3.MultiDeleteResult, err error) {
	var list []deletion
	for _, key := range keys {
		list = append(list, deletion{Key: key})
		out.Deleted = append(out.Deleted, gofakes3.ObjectID{Key: key})
	}
	_, err = s.deleteAll(exchangeOf(ctx), bucket, list)
	return out, err
}

// deletion is an entry of DeleteObjects, with its conditions.
type deletion struct {
	Key              string
	VersionID        string `xml:"VersionId"`
	ETag             string
	LastModifiedTime string
	Size             *int64
}

// deleted is what became of a deletion; err is the refusal of this one.
type deleted struct {
	gofakes3.ObjectDeleteResult
	err error
}

// maxDeletions is S3's limit.
const maxDeletions = 1000

type deleteRequest struct {
	Objects []deletion `xml:"Object"`
	Quiet   bool
}

type deleteResult struct {
	Deleted []deletedEntry
	Errors  []deleteError `xml:"Error"`
}

type deletedEntry struct {
	Key                   string
	VersionID             string `xml:"VersionId,omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
}

type deleteError struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
	Code      string
	Message   string
}

// deleteObjects answers DeleteObjects.
func (s *Store) deleteObjects(x *exchange, r *http.Request, at location) error {
	var in deleteRequest
	if err := readXML(r, "Delete", &in); err != nil {
		return err
	}
	if len(in.Objects) == 0 || len(in.Objects) > maxDeletions {
		return malformed("%d keys are given, not 1 to %d", len(in.Objects), maxDeletions)
	}
	if slices.ContainsFunc(in.Objects, func(d deletion) bool { return d.Key == "" }) {
		return malformed("an Object has no Key")
	}
	results, err := s.deleteAll(x, at.bucket, in.Objects)
	if err != nil {
		return err
	}
	var out deleteResult
	for i, result := range results {
		out.add(in.Objects[i], result, in.Quiet)
	}
	return writeXML(x, "DeleteResult", out)
}

func (out *deleteResult) add(asked deletion, result deleted, quiet bool) {
	switch known, refused := errors.AsType[gofakes3.Error](result.err); {
	case refused:
		code := string(known.ErrorCode())
		out.Errors = append(out.Errors, deleteError{asked.Key, asked.VersionID, code, strings.TrimPrefix(known.Error(), code+": ")})
	case !quiet:
		entry := deletedEntry{Key: asked.Key, VersionID: asked.VersionID, DeleteMarker: result.IsDeleteMarker}
		if result.IsDeleteMarker {
			entry.DeleteMarkerVersionID = string(result.VersionID)
		}
		out.Deleted = append(out.Deleted, entry)
	}
}

// deleteAll does the deletions in one transaction. Those that are refused do not
// hinder the others.
func (s *Store) deleteAll(x *exchange, bucket string, list []deletion) (results []deleted, err error) {
	var unused []extent
	err = s.db.Update(func(tx *bolt.Tx) error {
		b, err := getBucket(tx, bucket)
		if err != nil {
			return err
		}
		for _, d := range list {
			result, dropped, err := s.delete(tx, x, bucket, b.Versioning, d)
			if _, refused := errors.AsType[gofakes3.Error](err); err != nil && !refused {
				return err
			}
			results, unused = append(results, deleted{result, err}), append(unused, dropped...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.blobs.discard(unused)
	return results, nil
}

func (s *Store) delete(tx *bolt.Tx, x *exchange, bucket string, versioning gofakes3.VersioningStatus, d deletion) (result gofakes3.ObjectDeleteResult, unused []extent, err error) {
	if len(d.Key) > gofakes3.KeySizeLimit {
		return result, nil, gofakes3.ErrKeyTooLong
	}
	r, err := find(tx, bucket, d.Key, d.VersionID)
	if err != nil {
		return result, nil, err
	}
	if err := d.check(r); err != nil {
		return result, nil, err
	}
	if d.VersionID != "" {
		return s.removeVersion(tx, x, bucket, r)
	}
	return s.remove(tx, x, bucket, versioning, d.Key, r)
}

// check compares the conditions with what is there; nil meets all of them.
func (d deletion) check(r *record) error {
	if r == nil {
		return nil
	}
	if want := strings.Trim(d.ETag, `"`); want != "" && want != "*" && want != r.etag() && want != hex.EncodeToString(r.MD5) {
		return gofakes3.ErrPreconditionFailed
	}
	if d.Size != nil && *d.Size != r.Size {
		return gofakes3.ErrPreconditionFailed
	}
	if d.LastModifiedTime == "" {
		return nil
	}
	at, err := http.ParseTime(d.LastModifiedTime)
	if err != nil {
		at, err = time.Parse(time.RFC3339Nano, d.LastModifiedTime)
	}
	if err != nil {
		return gofakes3.ErrorInvalidArgument("LastModifiedTime", d.LastModifiedTime, "Invalid date")
	}
	if !at.Truncate(time.Second).Equal(r.Modified.Truncate(time.Second)) {
		return gofakes3.ErrPreconditionFailed
	}
	return nil
}

// The families of events that a deletion belongs to.
const (
	eventRemoved = "ObjectRemoved"
	eventExpired = "LifecycleExpiration"
)

func (x *exchange) removal() string {
	if x.expires {
		return eventExpired
	}
	return eventRemoved
}

// remove deletes a key, whose current version may be nil, or in a versioned
// bucket puts a delete marker on it.
func (s *Store) remove(tx *bolt.Tx, x *exchange, bucket string, versioning gofakes3.VersioningStatus, key string, current *record) (result gofakes3.ObjectDeleteResult, unused []extent, err error) {
	if versioning == "" && current == nil {
		return result, nil, nil
	}
	if versioning == "" {
		err := tx.Bucket(objectsBucket(bucket)).Delete([]byte(key))
		return result, current.Extents, both(err, s.announce(tx, x, bucket, x.removal()+":Delete", current))
	}
	marker := newRecord(key, nil, body{})
	marker.Deleted = true
	unused, err = place(tx, bucket, versioning, current, marker)
	if err != nil {
		return result, nil, err
	}
	result = gofakes3.ObjectDeleteResult{IsDeleteMarker: true, VersionID: shown(marker)}
	return result, unused, s.announce(tx, x, bucket, x.removal()+":DeleteMarkerCreated", marker)
}

// removeVersion deletes a version for good, unless it is locked; the newest that
// is left becomes current. One that is not there, nil, is no error.
func (s *Store) removeVersion(tx *bolt.Tx, x *exchange, bucket string, r *record) (result gofakes3.ObjectDeleteResult, unused []extent, err error) {
	if r == nil {
		return result, nil, nil
	}
	if err := r.Lock.mayDelete(time.Now(), x.bypass); err != nil {
		return result, nil, err
	}
	err = both(tx.Bucket(versionsBucket(bucket)).Delete(versionKey(r)), promote(tx, bucket, r))
	if err != nil {
		return result, nil, err
	}
	result = gofakes3.ObjectDeleteResult{IsDeleteMarker: r.Deleted, VersionID: shown(r)}
	return result, r.Extents, s.announce(tx, x, bucket, x.removal()+":Delete", r)
}
