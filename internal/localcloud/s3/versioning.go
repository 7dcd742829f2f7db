package s3

import (
	"bytes"
	"strings"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// VersioningConfiguration tells whether a bucket is versioned.
func (s *Store) VersioningConfiguration(bucket string) (v gofakes3.VersioningConfiguration, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		b, err := getBucket(tx, bucket)
		v.Status = b.Versioning
		return err
	})
	return v, err
}

// SetVersioningConfiguration enables or suspends versioning.
func (s *Store) SetVersioningConfiguration(bucket string, v gofakes3.VersioningConfiguration) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		b, err := getBucket(tx, bucket)
		if err != nil {
			return err
		}
		b.Versioning = v.Status
		return putBucket(tx, bucket, b)
	})
}

// versionPage is one page of a listing of versions, being filled.
type versionPage struct {
	*gofakes3.ListBucketVersionsResult
	// after is the place of the marker's version among those of its key.
	after string
}

// ListBucketVersions gives one page of a bucket's versions, by key and the
// newest first.
func (s *Store) ListBucketVersions(bucket string, prefix *gofakes3.Prefix, page *gofakes3.ListBucketVersionsPage) (*gofakes3.ListBucketVersionsResult, error) {
	out := &versionPage{ListBucketVersionsResult: gofakes3.NewListBucketVersionsResult(bucket, prefix, page)}
	if out.MaxKeys <= 0 {
		out.MaxKeys = gofakes3.DefaultBucketVersionKeys
	}
	if out.Delimiter != "" {
		return nil, gofakes3.ErrorMessage(gofakes3.ErrNotImplemented, "listing versions by a delimiter is not offered")
	}
	err := s.db.View(func(tx *bolt.Tx) error {
		if _, err := getBucket(tx, bucket); err != nil {
			return err
		}
		if out.VersionIDMarker != "" {
			r, err := find(tx, bucket, out.KeyMarker, string(out.VersionIDMarker))
			if err != nil {
				return err
			}
			if r == nil {
				return gofakes3.ErrorInvalidArgument("version-id-marker", string(out.VersionIDMarker), "there is no such version")
			}
			out.after = r.Order
		}
		return eachVersion(tx, bucket, out.Prefix, out.KeyMarker, out.add)
	})
	return out.ListBucketVersionsResult, err
}

// eachVersion walks the versions of the keys with a prefix, from a key on, until
// visit says no.
func eachVersion(tx *bolt.Tx, bucket, prefix, from string, visit func(r *record, latest bool) bool) error {
	keys := tx.Bucket(objectsBucket(bucket)).Cursor()
	older := tx.Bucket(versionsBucket(bucket)).Cursor()
	for k, v := keys.Seek([]byte(max(prefix, from))); k != nil && strings.HasPrefix(string(k), prefix); k, v = keys.Next() {
		current, err := decodeRecord(v)
		if err != nil {
			return err
		}
		if !visit(current, true) {
			return nil
		}
		versions := []byte(current.Key + "\x00")
		for k, v := older.Seek(versions); bytes.HasPrefix(k, versions); k, v = older.Next() {
			r, err := decodeRecord(v)
			if err != nil {
				return err
			}
			if r.Order != current.Order && !visit(r, false) {
				return nil
			}
		}
	}
	return nil
}

// add puts r on the page unless an earlier page had it. It gives false when the
// page is full.
func (p *versionPage) add(r *record, latest bool) bool {
	if p.KeyMarker != "" && r.Key == p.KeyMarker && (p.after == "" || r.Order <= p.after) {
		return true
	}
	if int64(len(p.Versions)) == p.MaxKeys {
		p.IsTruncated = true
		return false
	}
	version := shown(r)
	p.NextKeyMarker, p.NextVersionIDMarker = r.Key, version
	modified := gofakes3.NewContentTime(r.Modified)
	if r.Deleted {
		p.Versions = append(p.Versions, &gofakes3.DeleteMarker{Key: r.Key, VersionID: version, IsLatest: latest, LastModified: modified})
		return true
	}
	p.Versions = append(p.Versions, &gofakes3.Version{
		Key: r.Key, VersionID: version, IsLatest: latest, LastModified: modified,
		Size: r.Size, ETag: quote(r.etag()), StorageClass: gofakes3.StorageStandard,
	})
	return true
}
