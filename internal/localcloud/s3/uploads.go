package s3

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// forget removes an upload and gives the extents of its parts but those to keep.
func forget(tx *bolt.Tx, id gofakes3.UploadID, keep []extent) (unused []extent, err error) {
	kept := map[extent]bool{}
	for _, e := range keep {
		kept[e] = true
	}
	parts := tx.Bucket(partsBucket)
	err = eachPart(tx, id, func(number int, p part) error {
		for _, e := range p.Extents {
			if !kept[e] {
				unused = append(unused, e)
			}
		}
		return parts.Delete(partKey(id, number))
	})
	if err != nil {
		return nil, err
	}
	return unused, tx.Bucket(uploadsBucket).Delete([]byte(id))
}

// forgetAll removes a bucket's uploads and gives the extents of their parts.
func forgetAll(tx *bolt.Tx, bucket string) (unused []extent, err error) {
	var ids []gofakes3.UploadID
	err = eachUpload(tx, func(id gofakes3.UploadID, u upload) error {
		if u.Bucket == bucket {
			ids = append(ids, id)
		}
		return nil
	})
	for _, id := range ids {
		dropped, forgetErr := forget(tx, id, nil)
		unused, err = append(unused, dropped...), errors.Join(err, forgetErr)
	}
	return unused, err
}

func eachUpload(tx *bolt.Tx, f func(id gofakes3.UploadID, u upload) error) error {
	return tx.Bucket(uploadsBucket).ForEach(func(k, v []byte) error {
		var u upload
		if err := json.Unmarshal(v, &u); err != nil {
			return fmt.Errorf("index record of upload %s is damaged: %w", k, err)
		}
		return f(gofakes3.UploadID(k), u)
	})
}

// eachPart calls f for an upload's parts in order; f may delete them.
func eachPart(tx *bolt.Tx, id gofakes3.UploadID, f func(number int, p part) error) error {
	b := tx.Bucket(partsBucket)
	var keys [][]byte
	prefix := string(id) + "/"
	c := b.Cursor()
	for k, _ := c.Seek([]byte(prefix)); strings.HasPrefix(string(k), prefix); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k)) // f may move what bolt lends
	}
	for _, k := range keys {
		var number int
		if _, err := fmt.Sscanf(string(k[len(prefix):]), "%d", &number); err != nil {
			return fmt.Errorf("index key %q is damaged: %w", k, err)
		}
		var p part
		if _, err := getJSON(b, k, &p); err != nil {
			return err
		}
		if err := f(number, p); err != nil {
			return err
		}
	}
	return nil
}
