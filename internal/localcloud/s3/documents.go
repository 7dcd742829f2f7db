package s3

import (
	"bytes"
	"net/http"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// The configurations of a bucket are documents in the index, <bucket>/<name>.

func documentKey(bucket, name string) []byte { return []byte(bucket + "/" + name) }

func getDocument(tx *bolt.Tx, bucket, name string, into any) (found bool, err error) {
	return getJSON(tx.Bucket(documentsBucket), documentKey(bucket, name), into)
}

func putDocument(tx *bolt.Tx, bucket, name string, v any) error {
	return putJSON(tx.Bucket(documentsBucket), documentKey(bucket, name), v)
}

func deleteDocuments(tx *bolt.Tx, bucket string) error {
	c, prefix := tx.Bucket(documentsBucket).Cursor(), documentKey(bucket, "")
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}

// document reads a document of a bucket; the error is NoSuchBucket if that is
// missing.
func (s *Store) document(bucket, name string, into any) (found bool, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		if _, err := getBucket(tx, bucket); err != nil {
			return err
		}
		found, err = getDocument(tx, bucket, name, into)
		return err
	})
	return found, err
}

func (s *Store) setDocument(bucket, name string, v any) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		if _, err := getBucket(tx, bucket); err != nil {
			return err
		}
		return putDocument(tx, bucket, name, v)
	})
}

// checked is a document that knows its rules.
type checked[T any] interface {
	*T
	check() error
}

// putDocumentOf takes the document T with that root in XML.
func putDocumentOf[T any, P checked[T]](name, root string, status int) operation {
	return func(s *Store, x *exchange, r *http.Request, at location) error {
		in := P(new(T))
		if err := readXML(r, root, in); err != nil {
			return err
		}
		if err := in.check(); err != nil {
			return err
		}
		if err := s.setDocument(at.bucket, name, in); err != nil {
			return err
		}
		x.WriteHeader(status)
		return nil
	}
}

// getDocumentOf gives the document back, or the error of a bucket without one.
func getDocumentOf[T any](name, root string, missing gofakes3.ErrorCode, message string) operation {
	return func(s *Store, x *exchange, _ *http.Request, at location) error {
		var out T
		found, err := s.document(at.bucket, name, &out)
		if err != nil {
			return err
		}
		if !found {
			return refuse(http.StatusNotFound, missing, "%s", message)
		}
		return writeXML(x, root, out)
	}
}

// deleteDocumentOf forgets a document; one that is not there is no error.
func deleteDocumentOf(name string) operation {
	return func(s *Store, x *exchange, _ *http.Request, at location) error {
		err := s.db.Update(func(tx *bolt.Tx) error {
			if _, err := getBucket(tx, at.bucket); err != nil {
				return err
			}
			return tx.Bucket(documentsBucket).Delete(documentKey(at.bucket, name))
		})
		if err == nil {
			x.WriteHeader(http.StatusNoContent)
		}
		return err
	}
}
