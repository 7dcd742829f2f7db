package s3

import (
	"bytes"
	"fmt"
	"math"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// nullVersion is the name S3 gives to what was written while its bucket was not
// versioned. A key has at most one.
const nullVersion = "null"

func versionKey(r *record) []byte { return []byte(r.Key + "\x00" + r.Order) }

// shown is a version's name in answers.
func shown(r *record) gofakes3.VersionID {
	if r.Version == "" {
		return nullVersion
	}
	return gofakes3.VersionID(r.Version)
}

// find gives a version of a key, the current one if version is empty, nil if
// there is none.
func find(tx *bolt.Tx, bucket, key, version string) (*record, error) {
	current, err := getRecord(tx.Bucket(objectsBucket(bucket)), []byte(key))
	if err != nil || version == "" || current == nil {
		return current, err
	}
	if version == nullVersion {
		version = ""
	}
	if current.Version == version {
		return current, nil
	}
	return findOlder(tx, bucket, key, version)
}

func findOlder(tx *bolt.Tx, bucket, key, version string) (*record, error) {
	prefix := []byte(key + "\x00")
	c := tx.Bucket(versionsBucket(bucket)).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		r, err := decodeRecord(v)
		if err != nil || r.Version == version {
			return r, err
		}
	}
	return nil, nil
}

// place makes r the current version of its key and gives the extents that no
// record names any more.
func place(tx *bolt.Tx, bucket string, versioning gofakes3.VersioningStatus, current, r *record) (unused []extent, err error) {
	objects, versions := tx.Bucket(objectsBucket(bucket)), tx.Bucket(versionsBucket(bucket))
	seq, err := objects.NextSequence()
	if err != nil {
		return nil, err
	}
	r.Order = fmt.Sprintf("%016x", math.MaxUint64-seq)
	switch versioning {
	case gofakes3.VersioningEnabled:
		r.Version = r.Order + newID()[:8]
		if current != nil && current.Version == "" { // written before versioning began
			err = putRecord(versions, versionKey(current), current)
		}
	default:
		unused, err = removeNull(tx, bucket, r.Key)
	}
	if err == nil && versioning != "" {
		err = putRecord(versions, versionKey(r), r)
	}
	if err != nil {
		return nil, err
	}
	return unused, putRecord(objects, []byte(r.Key), r)
}

// removeNull removes a key's null version from the index of versions and gives
// its extents.
func removeNull(tx *bolt.Tx, bucket, key string) ([]extent, error) {
	r, err := find(tx, bucket, key, nullVersion)
	if err != nil || r == nil {
		return nil, err
	}
	return r.Extents, tx.Bucket(versionsBucket(bucket)).Delete(versionKey(r))
}

// rewrite stores r, which is in the index, again wherever it stands.
func rewrite(tx *bolt.Tx, bucket string, r *record) error {
	objects, versions := tx.Bucket(objectsBucket(bucket)), tx.Bucket(versionsBucket(bucket))
	if versions.Get(versionKey(r)) != nil {
		if err := putRecord(versions, versionKey(r), r); err != nil {
			return err
		}
	}
	current, err := getRecord(objects, []byte(r.Key))
	if err != nil || current == nil || current.Order != r.Order {
		return err
	}
	return putRecord(objects, []byte(r.Key), r)
}

// The three that follow are for callers without a context; over HTTP, the version
// is in the exchange.

// GetObjectVersion opens one version of an object or a range of it.
func (s *Store) GetObjectVersion(bucket, key string, version gofakes3.VersionID, want *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	return s.open(&exchange{version: string(version)}, bucket, key, want)
}

// HeadObjectVersion gives one version of an object without its contents.
func (s *Store) HeadObjectVersion(bucket, key string, version gofakes3.VersionID) (*gofakes3.Object, error) {
	r, err := s.load(&exchange{version: string(version)}, bucket, key)
	if err != nil {
		return nil, err
	}
	return r.object(), nil
}

// DeleteObjectVersion deletes one version for good; the newest that is left
// becomes current. One that is not there is no error.
func (s *Store) DeleteObjectVersion(bucket, key string, version gofakes3.VersionID) (gofakes3.ObjectDeleteResult, error) {
	results, err := s.deleteAll(&exchange{}, bucket, []deletion{{Key: key, VersionID: string(version)}})
	if err != nil {
		return gofakes3.ObjectDeleteResult{}, err
	}
	return results[0].ObjectDeleteResult, results[0].err
}

// promote puts the newest version left in the place of gone, if that was current.
func promote(tx *bolt.Tx, bucket string, gone *record) error {
	objects := tx.Bucket(objectsBucket(bucket))
	current, err := getRecord(objects, []byte(gone.Key))
	if err != nil || current == nil || current.Order != gone.Order {
		return err
	}
	prefix := []byte(gone.Key + "\x00")
	if k, v := tx.Bucket(versionsBucket(bucket)).Cursor().Seek(prefix); bytes.HasPrefix(k, prefix) {
		return objects.Put([]byte(gone.Key), bytes.Clone(v))
	}
	return objects.Delete([]byte(gone.Key))
}
