package s3

import (
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
		locked, err := getDocument(tx, bucket, lockDocument, &lockConfiguration{})
		if err != nil {
			return err
		}
		if locked && v.Status != gofakes3.VersioningEnabled {
			return gofakes3.ErrorMessage(gofakes3.ErrInvalidBucketState, "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
		}
		b.Versioning = v.Status
		return putBucket(tx, bucket, b)
	})
}
