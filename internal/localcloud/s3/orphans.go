package s3

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// collecting removes files that a process before this one wrote and no record
// names: bodies that were never acknowledged, or whose removal was cut short.
func (s *Store) collecting(ctx context.Context) {
	if err := s.collect(ctx); err != nil && ctx.Err() == nil {
		slog.Error("object store: files left behind until the next start", "error", err)
	}
}

func (s *Store) collect(ctx context.Context) error {
	orphans, err := s.blobs.formerFiles()
	if err != nil || len(orphans) == 0 {
		return err
	}
	if err := s.eachNamed(ctx, func(e extent) { delete(orphans, e.Blob) }); err != nil {
		return err
	}
	for id := range orphans {
		s.blobs.discard([]extent{{Blob: id}})
	}
	return nil
}

// formerFiles gives the files of former processes: names of files end with a
// text that is the process's own.
func (b *blobs) formerFiles() (map[string]bool, error) {
	former := map[string]bool{}
	err := filepath.WalkDir(b.dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(d.Name(), b.session) {
			former[d.Name()] = true
		}
		if os.IsNotExist(err) { // removed while we look
			return nil
		}
		return err
	})
	return former, err
}

// eachNamed calls f for every extent that is named. It looks at a few records at
// a time, for a long look would keep writers waiting. None can slip through:
// while it looks, extents move from parts to objects and from objects to
// versions only, and that is the order in which it looks.
func (s *Store) eachNamed(ctx context.Context, f func(extent)) error {
	var buckets [][]byte
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketsBucket).ForEach(func(name, _ []byte) error {
			buckets = append(buckets, objectsBucket(string(name)), versionsBucket(string(name)))
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, bucket := range append([][]byte{partsBucket}, buckets...) {
		if err := s.eachExtent(ctx, bucket, f); err != nil {
			return err
		}
	}
	return nil
}

// recordsAtOnce is how many records are looked at in one transaction.
const recordsAtOnce = 1000

func (s *Store) eachExtent(ctx context.Context, bucket []byte, f func(extent)) error {
	var next []byte
	for more := true; more; {
		err := s.db.View(func(tx *bolt.Tx) error {
			b := tx.Bucket(bucket)
			if b == nil {
				more = false
				return ctx.Err()
			}
			c := b.Cursor()
			k, v := c.Seek(next)
			for n := 0; k != nil && n < recordsAtOnce; n++ {
				if err := extentsIn(v, f); err != nil {
					return err
				}
				k, v = c.Next()
			}
			next, more = bytes.Clone(k), k != nil
			return ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// extentsIn reads the extents of a record or a part.
func extentsIn(value []byte, f func(extent)) error {
	head, _, _ := bytes.Cut(value, []byte{'\n'})
	var named struct{ Extents []extent }
	if err := json.Unmarshal(head, &named); err != nil {
		return err
	}
	for _, e := range named.Extents {
		f(e)
	}
	return nil
}
