package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"steward/internal/localcloud/s3"
)

// orphanAge is how long captured data waits for a bucket that does not exist:
// long enough to make the bucket again, not so long as to fill the disk.
const orphanAge = 24 * time.Hour

// outage is a bucket that takes nothing at present.
type outage struct {
	wait  time.Duration
	until time.Time // no attempt before
}

// run delivers at every interval until ctx ends.
func (s *spool) run(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.deliver(ctx, false)
		case <-ctx.Done():
			return
		}
	}
}

// deliver stores what was appended so far, but for buckets in an outage, unless
// all. What cannot be stored is kept for another time; after the first failure
// of a bucket its other files are not tried.
func (s *spool) deliver(ctx context.Context, all bool) {
	s.turn.Lock()
	defer s.turn.Unlock()
	now := time.Now()
	failures := map[string]error{}
	for _, path := range s.rotate(func(bucket string) bool { return all || s.due(bucket, now) }) {
		bucket, key := s.address(path)
		err := failures[bucket]
		if err == nil {
			err = s.store(ctx, path, bucket, key)
			s.note(ctx, bucket, now, err)
			failures[bucket] = err
		}
		if err != nil && (!s3.IsNoSuchBucket(err) || !s.orphaned(path, now)) {
			s.keep(path)
		}
	}
}

func (s *spool) due(bucket string, now time.Time) bool {
	o := s.outages[bucket]
	return o == nil || !now.Before(o.until)
}

// note tells the log when an outage begins and ends, and when to try again.
func (s *spool) note(ctx context.Context, bucket string, now time.Time, err error) {
	o := s.outages[bucket]
	switch {
	case err == nil && o != nil:
		delete(s.outages, bucket)
		s.log.Info("captured data is delivered again", "bucket", bucket)
	case err == nil || ctx.Err() != nil: // nothing is known of the bucket
	case o == nil:
		s.outages[bucket] = &outage{wait: firstBackoff, until: now.Add(firstBackoff)}
		s.log.Error("captured data cannot be delivered; trying again", "bucket", bucket, "error", err)
	default:
		o.wait = min(2*o.wait, lastBackoff)
		o.until = now.Add(o.wait)
	}
}

// orphaned drops a file whose bucket has been missing for too long.
func (s *spool) orphaned(path string, now time.Time) bool {
	info, err := os.Stat(path)
	if err != nil || now.Sub(info.ModTime()) < orphanAge {
		return false
	}
	if err := s.discard(path); err != nil {
		s.log.Error("capture spool", "file", path, "error", err)
		return false
	}
	s.log.Warn("captured data dropped: its bucket does not exist", "file", path, "after", orphanAge)
	return true
}

// address is the bucket and key that a file goes to.
func (s *spool) address(path string) (bucket, key string) {
	name := strings.TrimPrefix(strings.TrimPrefix(path, s.dir), string(filepath.Separator))
	bucket, key, _ = strings.Cut(filepath.ToSlash(name), "/")
	return bucket, key
}

// store delivers one file. One that is gone was delivered.
func (s *spool) store(ctx context.Context, path, bucket, key string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > 0 {
		if err := s.objects.Put(ctx, bucket, key, f, info.Size()); err != nil {
			return fmt.Errorf("put captured data s3://%s/%s: %w", bucket, key, err)
		}
	}
	return s.discard(path)
}
