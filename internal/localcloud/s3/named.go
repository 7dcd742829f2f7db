package s3

import (
	"strings"

	bolt "go.etcd.io/bbolt"
)

// namedBlobs gives the files that some object, version or part of an upload
// still needs.
func (s *Store) namedBlobs() (map[string]bool, error) {
	named := map[string]bool{}
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			if kind, _, _ := strings.Cut(string(name), "/"); kind != "objects" && kind != "versions" {
				return nil
			}
			return b.ForEach(func(_, v []byte) error {
				r, err := decodeRecord(v)
				if err != nil {
					return err
				}
				addExtents(named, r.Extents)
				return nil
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return named, s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(partsBucket).ForEach(func(k, _ []byte) error {
			var p part
			_, err := getJSON(tx.Bucket(partsBucket), k, &p)
			addExtents(named, p.Extents)
			return err
		})
	})
}

func addExtents(named map[string]bool, extents []extent) {
	for _, e := range extents {
		named[e.Blob] = true
	}
}
