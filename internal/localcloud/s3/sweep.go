package s3

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// signal wakes a goroutine; several wakes before it looks are one.
type signal chan struct{}

func (s signal) wake() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// sweeping applies the lifecycle rules at start, at every full hour and when a
// bucket gets rules. What rules do falls due at midnights (UTC).
func (s *Store) sweeping(ctx context.Context) {
	for {
		if err := s.sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
			slog.Error("object store: lifecycle rules", "error", err)
		}
		hour := time.NewTimer(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour)))
		select {
		case <-ctx.Done():
		case <-hour.C:
		case <-s.sweeps:
		}
		hour.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// ending is a version or an upload that is due.
type ending struct {
	version *record
	current bool // it expires as its key's current version
	upload  gofakes3.UploadID
	key     string
}

// endingsAtOnce is how many due ones share a transaction, so that writers wait
// for few.
const endingsAtOnce = 100

func (s *Store) sweep(ctx context.Context, now time.Time) error {
	buckets, err := s.ListBuckets(ctx)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		due, err := s.due(b.Name, now)
		if err != nil {
			return err
		}
		for len(due) > 0 && ctx.Err() == nil {
			n := min(len(due), endingsAtOnce)
			if err := s.end(b.Name, due[:n]); err != nil {
				return fmt.Errorf("bucket %s: %w", b.Name, err)
			}
			due = due[n:]
		}
	}
	return ctx.Err()
}

// due finds what the rules of a bucket end now.
func (s *Store) due(bucket string, now time.Time) (due []ending, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		var rules lifecycle
		if found, err := getDocument(tx, bucket, lifecycleDocument, &rules); err != nil || !found {
			return err
		}
		j := &judge{rules: &rules, now: now}
		if err := eachVersion(tx, bucket, "", "", j.see); err != nil {
			return err
		}
		j.close()
		due = j.due
		return eachUpload(tx, func(id gofakes3.UploadID, u upload) error {
			if u.Bucket == bucket && rules.endsUpload(u, now) {
				due = append(due, ending{upload: id, key: u.Key})
			}
			return nil
		})
	})
	return due, err
}

// judge sees the versions of one key after the other, the newest first.
type judge struct {
	rules   *lifecycle
	now     time.Time
	due     []ending
	current *record
	since   time.Time // when the version that is seen next ceased to be current
	older   int       // versions of the key that are not current
}

func (j *judge) see(r *record, latest bool) bool {
	if latest {
		j.close()
		j.current, j.older, j.since = r, 0, r.Modified
		if at, _ := j.rules.expires(r); !r.Deleted && !at.IsZero() && !j.now.Before(at) {
			j.due = append(j.due, ending{version: r, current: true})
		}
		return true
	}
	if j.rules.endsNoncurrent(r, j.since, j.older, j.now) && r.Lock.mayDelete(j.now, false) == nil {
		j.due = append(j.due, ending{version: r})
	}
	j.older, j.since = j.older+1, r.Modified
	return true
}

// close judges a key's delete marker, when it is known to be alone.
func (j *judge) close() {
	if r := j.current; r != nil && r.Deleted && j.older == 0 && j.rules.endsMarker(r, j.now) {
		j.due = append(j.due, ending{version: r})
	}
	j.current = nil
}

// end ends what is due, unless it changed since.
func (s *Store) end(bucket string, due []ending) error {
	var unused []extent
	x := &exchange{expires: true}
	err := s.db.Update(func(tx *bolt.Tx) error {
		b, err := getBucket(tx, bucket)
		if err != nil {
			return err
		}
		for _, e := range due {
			dropped, err := s.endOne(tx, x, bucket, b.Versioning, e)
			if err != nil {
				return err
			}
			unused = append(unused, dropped...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.blobs.discard(unused)
	s.forgetUploads(bucket, due)
	return nil
}

func (s *Store) endOne(tx *bolt.Tx, x *exchange, bucket string, versioning gofakes3.VersioningStatus, e ending) (unused []extent, err error) {
	if e.upload != "" {
		return forget(tx, e.upload, nil)
	}
	current, err := find(tx, bucket, e.version.Key, "")
	if err != nil || current == nil {
		return nil, err
	}
	if e.current {
		if current.Order == e.version.Order {
			_, unused, err = s.remove(tx, x, bucket, versioning, current.Key, current)
		}
		return unused, err
	}
	r, err := find(tx, bucket, e.version.Key, string(shown(e.version)))
	if err != nil || r == nil || r.Order != e.version.Order || r.Lock.mayDelete(time.Now(), false) != nil {
		return nil, err
	}
	_, unused, err = s.removeVersion(tx, x, bucket, r)
	return unused, err
}

// forgetUploads makes gofakes3 forget uploads that ended.
func (s *Store) forgetUploads(bucket string, due []ending) {
	fake := s.fake.Load()
	for _, e := range due {
		if e.upload != "" && fake != nil {
			_ = fake.ForgetMultipartUpload(context.Background(), bucket, e.key, e.upload) // it may never have heard of it
		}
	}
}

// expirationHeader tells when the rules end an object, "" if they do not.
func expirationHeader(tx *bolt.Tx, bucket string, r *record) (string, error) {
	var rules lifecycle
	found, err := getDocument(tx, bucket, lifecycleDocument, &rules)
	if err != nil || !found || r.Deleted {
		return "", err
	}
	at, rule := rules.expires(r)
	if at.IsZero() {
		return "", nil
	}
	return fmt.Sprintf(`expiry-date="%s", rule-id="%s"`, at.UTC().Format(http.TimeFormat), strings.ReplaceAll(url.QueryEscape(rule), "+", "%20")), nil
}
