package s3

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// CreateBucket makes a bucket. As in AWS's region us-east-1, making one that its
// owner already has succeeds and changes nothing.
func (s *Store) CreateBucket(ctx context.Context, name string) error {
	x := exchangeOf(ctx)
	return x.noted(s.db.Update(func(tx *bolt.Tx) error {
		if tx.Bucket(objectsBucket(name)) != nil {
			return nil
		}
		_, err := tx.CreateBucket(objectsBucket(name))
		_, err2 := tx.CreateBucket(versionsBucket(name))
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		record := bucketRecord{Created: time.Now().UTC()}
		if x.locks {
			record.Versioning = gofakes3.VersioningEnabled
			if err := putDocument(tx, name, lockDocument, lockConfiguration{Enabled: "Enabled"}); err != nil {
				return err
			}
		}
		return putBucket(tx, name, record)
	}))
}

// DeleteBucket deletes a bucket in which no object or version is left; uploads
// under way end with it.
func (s *Store) DeleteBucket(_ context.Context, name string) error {
	var unused []extent
	err := s.db.Update(func(tx *bolt.Tx) (err error) {
		if _, err := getBucket(tx, name); err != nil {
			return err
		}
		for _, b := range [][]byte{objectsBucket(name), versionsBucket(name)} {
			if first, _ := tx.Bucket(b).Cursor().First(); first != nil {
				return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, name)
			}
			if err := tx.DeleteBucket(b); err != nil {
				return err
			}
		}
		if unused, err = forgetAll(tx, name); err != nil {
			return err
		}
		if err := deleteDocuments(tx, name); err != nil {
			return err
		}
		return tx.Bucket(bucketsBucket).Delete([]byte(name))
	})
	if err != nil {
		return err
	}
	s.blobs.discard(unused)
	return nil
}

// BucketExists tells whether there is such a bucket.
func (s *Store) BucketExists(_ context.Context, name string) (exists bool, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		exists = tx.Bucket(objectsBucket(name)) != nil
		return nil
	})
	return exists, err
}

// ListBuckets gives all buckets in order of name.
func (s *Store) ListBuckets(context.Context) (out []gofakes3.BucketInfo, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketsBucket).ForEach(func(name, _ []byte) error {
			b, err := getBucket(tx, string(name))
			if err != nil {
				return err
			}
			out = append(out, gofakes3.BucketInfo{Name: string(name), CreationDate: gofakes3.NewContentTime(b.Created)})
			return nil
		})
	})
	return out, err
}

func getBucket(tx *bolt.Tx, name string) (b bucketRecord, err error) {
	value := tx.Bucket(bucketsBucket).Get([]byte(name))
	if value == nil {
		return b, gofakes3.BucketNotFound(name)
	}
	if err := json.Unmarshal(value, &b); err != nil {
		return b, fmt.Errorf("index record of bucket %s is damaged: %w", name, err)
	}
	return b, nil
}

func putBucket(tx *bolt.Tx, name string, b bucketRecord) error {
	value, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return tx.Bucket(bucketsBucket).Put([]byte(name), value)
}
