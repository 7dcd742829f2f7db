package s3

import (
	"context"
	"strings"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// listing is what to list: keys after a marker that begin with prefix, those
// with the delimiter behind the prefix folded into one entry.
type listing struct {
	prefix, delimiter, after string
	max                      int64 // 0 is no limit
}

// entry is an object or, if folder is set, all keys that begin with it.
type entry struct {
	record *record
	folder string
}

// fold gives the folder a key falls into, "" if it stands for itself.
func (l listing) fold(key string) string {
	if l.delimiter == "" {
		return ""
	}
	if i := strings.Index(key[len(l.prefix):], l.delimiter); i >= 0 {
		return key[:len(l.prefix)+i+len(l.delimiter)]
	}
	return ""
}

// start is the first key to look at.
func (l listing) start() string {
	if l.after == "" || l.after < l.prefix {
		return l.prefix
	}
	if strings.HasPrefix(l.after, l.prefix) && l.fold(l.after) == l.after {
		return past(l.after) // the page before ended with this folder
	}
	return l.after + "\x00"
}

// past is the first string after all that begin with s.
func past(s string) string {
	b := []byte(s)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return s + "\xff"
}

// list calls add for each entry in order of key.
func (s *Store) list(bucket string, l listing, add func(entry)) error {
	_, err := s.listPage(bucket, l, add)
	return err
}

// listPage is list that tells where the next page starts, "" if there is none.
func (s *Store) listPage(bucket string, l listing, add func(entry)) (next string, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		if _, err := getBucket(tx, bucket); err != nil {
			return err
		}
		c := tx.Bucket(objectsBucket(bucket)).Cursor()
		last, count := "", int64(0)
		for k, v := c.Seek([]byte(l.start())); k != nil && strings.HasPrefix(string(k), l.prefix); {
			r, err := decodeRecord(v)
			if err != nil {
				return err
			}
			if r.Deleted {
				k, v = c.Next()
				continue
			}
			if l.max > 0 && count == l.max {
				next = last
				return nil
			}
			count++
			folder := l.fold(r.Key)
			add(entry{r, folder})
			if last = r.Key; folder != "" {
				last = folder
				k, v = c.Seek([]byte(past(folder)))
			} else {
				k, v = c.Next()
			}
		}
		return nil
	})
	return next, err
}

// ListBucket gives one page of a bucket's objects and folders.
func (s *Store) ListBucket(_ context.Context, bucket string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	l := listing{after: page.Marker, max: page.MaxKeys}
	if prefix != nil {
		l.prefix, l.delimiter = prefix.Prefix, prefix.Delimiter
	}
	out := gofakes3.NewObjectList()
	next, err := s.listPage(bucket, l, func(e entry) {
		if e.folder != "" {
			out.AddPrefix(e.folder)
			return
		}
		r := e.record
		out.Add(&gofakes3.Content{
			Key: r.Key, Size: r.Size, ETag: quote(r.etag()), LastModified: gofakes3.NewContentTime(r.Modified), StorageClass: gofakes3.StorageStandard,
		})
	})
	out.NextMarker, out.IsTruncated = next, next != ""
	return out, err
}

func quote(etag string) string { return `"` + etag + `"` }
