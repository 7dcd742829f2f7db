package s3

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
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

// ending names a version or an upload that is due.
type ending struct {
	key, order string
	upload     gofakes3.UploadID
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
		if err := s.sweepBucket(ctx, b.Name, now); err != nil {
			return fmt.Errorf("bucket %s: %w", b.Name, err)
		}
	}
	return ctx.Err()
}

// sweepBucket ends what is due in one page of versions after the other, and then
// the uploads.
func (s *Store) sweepBucket(ctx context.Context, bucket string, now time.Time) error {
	w := &walk{j: judge{now: now}}
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = s.page(bucket, w); err != nil {
			return err
		}
		if err := s.endAll(ctx, bucket, now, w.due); err != nil {
			return err
		}
	}
	uploads, err := s.dueUploads(bucket, now)
	if err != nil {
		return err
	}
	return s.endAll(ctx, bucket, now, uploads)
}

func (s *Store) endAll(ctx context.Context, bucket string, now time.Time, due []ending) error {
	for some := range slices.Chunk(due, endingsAtOnce) {
		if ctx.Err() != nil {
			return nil // sweep tells it
		}
		if err := s.end(bucket, now, some); err != nil {
			return err
		}
	}
	return nil
}

// walk is a look at all versions of a bucket, in pages.
type walk struct {
	j          judge
	key, order string   // of the version that was seen last
	due        []ending // found on the last page
}

// page looks at the next few versions, for a long look would hold on to what
// writers replace, and tells whether there may be more.
func (s *Store) page(bucket string, w *walk) (more bool, err error) {
	w.due = nil
	w.j.due = func(r *record) { w.due = append(w.due, ending{key: r.Key, order: r.Order}) }
	err = s.db.View(func(tx *bolt.Tx) error {
		w.j.rules = &lifecycle{}
		if found, err := getDocument(tx, bucket, lifecycleDocument, w.j.rules); err != nil || !found {
			return err
		}
		seen := 0
		err := eachVersion(tx, bucket, "", w.key, w.order, func(r *record, latest bool) bool {
			w.j.see(r, latest)
			w.key, w.order = r.Key, r.Order
			seen++
			return seen < recordsAtOnce
		})
		if more = seen == recordsAtOnce; !more {
			w.j.close()
		}
		return err
	})
	return more, err
}

// dueUploads finds the uploads to a bucket that its rules end now.
func (s *Store) dueUploads(bucket string, now time.Time) (due []ending, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		var rules lifecycle
		if found, err := getDocument(tx, bucket, lifecycleDocument, &rules); err != nil || !found {
			return err
		}
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
	due     func(r *record) // is told what is due
	current *record
	since   time.Time // when the version that is seen next ceased to be current
	older   int       // versions of the key that are not current
}

func (j *judge) see(r *record, latest bool) {
	if latest {
		j.close()
		j.current, j.older, j.since = r, 0, r.Modified
		if at, _ := j.rules.expires(r); !r.Deleted && !at.IsZero() && !j.now.Before(at) {
			j.due(r)
		}
		return
	}
	if j.rules.endsNoncurrent(r, j.since, j.older, j.now) && r.Lock.mayDelete(j.now, false) == nil {
		j.due(r)
	}
	j.older, j.since = j.older+1, r.Modified
}

// close judges a key's delete marker, when it is known to be alone.
func (j *judge) close() {
	if r := j.current; r != nil && r.Deleted && j.older == 0 && j.rules.endsMarker(r, j.now) {
		j.due(r)
	}
	j.current = nil
}

// end ends what was found due and still is: since then a version may have become
// current or locked, and the rules may have changed or gone.
func (s *Store) end(bucket string, now time.Time, due []ending) error {
	var unused []extent
	var aborted []ending
	err := s.db.Update(func(tx *bolt.Tx) error {
		var rules lifecycle
		if found, err := getDocument(tx, bucket, lifecycleDocument, &rules); err != nil || !found {
			return err
		}
		b, err := getBucket(tx, bucket)
		if err != nil {
			return err
		}
		versions, uploads := byKey(due)
		for _, ofKey := range versions {
			dropped, err := s.endVersions(tx, bucket, b.Versioning, &judge{rules: &rules, now: now}, ofKey)
			if err != nil {
				return err
			}
			unused = append(unused, dropped...)
		}
		var dropped []extent
		aborted, dropped, err = endUploads(tx, &rules, now, uploads)
		unused = append(unused, dropped...)
		return err
	})
	if err != nil {
		return err
	}
	s.blobs.discard(unused)
	s.forgetUploads(bucket, aborted)
	return nil
}

// byKey parts versions, which come key after key, from uploads.
func byKey(due []ending) (versions [][]ending, uploads []ending) {
	for _, e := range due {
		switch n := len(versions); {
		case e.upload != "":
			uploads = append(uploads, e)
		case n > 0 && versions[n-1][0].key == e.key:
			versions[n-1] = append(versions[n-1], e)
		default:
			versions = append(versions, []ending{e})
		}
	}
	return versions, uploads
}

// endVersions ends those of the versions of one key, the newest first, that j
// finds due as well.
func (s *Store) endVersions(tx *bolt.Tx, bucket string, versioning gofakes3.VersioningStatus, j *judge, ofKey []ending) (unused []extent, err error) {
	key, last := ofKey[0].key, ofKey[len(ofKey)-1].order
	var due []*record
	j.due = func(r *record) {
		if slices.ContainsFunc(ofKey, func(e ending) bool { return e.order == r.Order }) {
			due = append(due, r)
		}
	}
	var current *record
	err = eachVersion(tx, bucket, key, key, "", func(r *record, latest bool) bool {
		if r.Key != key {
			return false
		}
		if latest {
			current = r
		}
		j.see(r, latest)
		return r.Order <= last
	})
	if err != nil {
		return nil, err
	}
	j.close()
	x := &exchange{expires: true}
	// The oldest first: a marker on the current version may replace an older one.
	for _, r := range slices.Backward(due) {
		var dropped []extent
		if r == current && !r.Deleted {
			_, dropped, err = s.remove(tx, x, bucket, versioning, key, r)
		} else {
			_, dropped, err = s.removeVersion(tx, x, bucket, r)
		}
		if err != nil {
			return nil, err
		}
		unused = append(unused, dropped...)
	}
	return unused, nil
}

// endUploads ends those uploads that are still there and due, and gives them.
func endUploads(tx *bolt.Tx, rules *lifecycle, now time.Time, uploads []ending) (aborted []ending, unused []extent, err error) {
	for _, e := range uploads {
		var u upload
		found, err := getJSON(tx.Bucket(uploadsBucket), []byte(e.upload), &u)
		if err != nil {
			return nil, nil, err
		}
		if !found || !rules.endsUpload(u, now) {
			continue
		}
		dropped, err := forget(tx, e.upload, nil)
		if err != nil {
			return nil, nil, err
		}
		unused, aborted = append(unused, dropped...), append(aborted, e)
	}
	return aborted, unused, nil
}

// forgetUploads makes gofakes3 forget uploads that ended.
func (s *Store) forgetUploads(bucket string, uploads []ending) {
	fake := s.fake.Load()
	for _, e := range uploads {
		if fake != nil {
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
