package s3

import (
	"bytes"
	"strings"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// versionPage is one page of a listing of versions, being filled.
type versionPage struct {
	*gofakes3.ListBucketVersionsResult
	listing
	// after is the place of the marker's version among those of its key.
	after string
}

// ListBucketVersions gives one page of a bucket's versions and folders, by key
// and the newest first.
func (s *Store) ListBucketVersions(bucket string, prefix *gofakes3.Prefix, page *gofakes3.ListBucketVersionsPage) (*gofakes3.ListBucketVersionsResult, error) {
	out := &versionPage{ListBucketVersionsResult: gofakes3.NewListBucketVersionsResult(bucket, prefix, page)}
	if out.MaxKeys <= 0 {
		out.MaxKeys = gofakes3.DefaultBucketVersionKeys
	}
	out.listing = listing{prefix: out.Prefix, delimiter: out.Delimiter}
	err := s.db.View(func(tx *bolt.Tx) error {
		if _, err := getBucket(tx, bucket); err != nil {
			return err
		}
		if out.VersionIDMarker != "" && out.folder(out.KeyMarker) == "" {
			r, err := find(tx, bucket, out.KeyMarker, string(out.VersionIDMarker))
			if err != nil {
				return err
			}
			if r == nil {
				return gofakes3.ErrorInvalidArgument("version-id-marker", string(out.VersionIDMarker), "Invalid version id specified")
			}
			out.after = r.Order
		}
		return eachVersion(tx, bucket, out.Prefix, out.KeyMarker, "", out.add)
	})
	if !out.IsTruncated {
		out.NextKeyMarker, out.NextVersionIDMarker = "", ""
	}
	return out.ListBucketVersionsResult, err
}

// folder is fold for any text.
func (p *versionPage) folder(key string) string {
	if !strings.HasPrefix(key, p.prefix) {
		return ""
	}
	return p.fold(key)
}

// eachVersion walks the versions of the keys with a prefix, from a key on and of
// that key after the version with an order unless it is empty, until visit says no.
func eachVersion(tx *bolt.Tx, bucket, prefix, from, after string, visit func(r *record, latest bool) bool) error {
	keys := tx.Bucket(objectsBucket(bucket)).Cursor()
	older := tx.Bucket(versionsBucket(bucket)).Cursor()
	for k, v := keys.Seek([]byte(max(prefix, from))); k != nil && strings.HasPrefix(string(k), prefix); k, v = keys.Next() {
		current, err := decodeRecord(v)
		if err != nil {
			return err
		}
		versions := []byte(current.Key + "\x00")
		begin := versions
		if after != "" && current.Key == from {
			begin = []byte(current.Key + "\x00" + after + "\x00")
		} else if !visit(current, true) {
			return nil
		}
		for k, v := older.Seek(begin); bytes.HasPrefix(k, versions); k, v = older.Next() {
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

// add puts r, or the folder it is in, on the page unless an earlier page had it.
// It gives false when the page is full.
func (p *versionPage) add(r *record, latest bool) bool {
	folder := p.fold(r.Key)
	if p.listed(r, folder) {
		return true
	}
	if int64(len(p.Versions)+len(p.CommonPrefixes)) == p.MaxKeys {
		p.IsTruncated = true
		return false
	}
	if folder != "" {
		p.AddPrefix(folder)
		p.NextKeyMarker, p.NextVersionIDMarker = folder, ""
		return true
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

// listed tells whether r was on an earlier page, or is in a folder that is listed
// already.
func (p *versionPage) listed(r *record, folder string) bool {
	if folder != "" {
		n := len(p.CommonPrefixes)
		return folder == p.KeyMarker || n > 0 && p.CommonPrefixes[n-1].Prefix == folder
	}
	return p.KeyMarker != "" && r.Key == p.KeyMarker && (p.after == "" || r.Order <= p.after)
}
