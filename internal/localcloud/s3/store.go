package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"steward/internal/localcloud/outbox"
)

// Store is an object store in one directory, which one process at a time may
// have open. Its methods may be called from many goroutines.
type Store struct {
	db              *bolt.DB
	blobs           *blobs
	region, account string
	topics          Topics
	notices         *outbox.Queue
	fake            atomic.Pointer[gofakes3.GoFakeS3] // nil until there is a handler

	sweeps     signal
	live       context.Context // until Close
	stop       context.CancelFunc
	background sync.WaitGroup
}

// An Option sets what Open leaves at its default.
type Option func(*Store)

// Location says where the store seems to be: in ARNs and notifications. Without
// it, that is us-east-1 and account 000000000000.
func Location(region, account string) Option {
	return func(s *Store) { s.region, s.account = region, account }
}

// Object is an entry of a listing. ETag is without quotes.
type Object struct {
	Key      string
	Size     int64
	ETag     string
	Modified time.Time
}

// lockWait is how long Open waits for another process to let the directory go.
const lockWait = time.Second

// Open opens the store in dir and makes it if it is not there. It fails if
// another process has it open. Until Close, the store also applies lifecycle
// rules.
func Open(dir string, options ...Option) (*Store, error) {
	if err := makeDir(filepath.Join(dir, "blobs")); err != nil {
		return nil, fmt.Errorf("object store %s: %w", dir, err)
	}
	db, err := bolt.Open(filepath.Join(dir, "index.db"), 0o600, &bolt.Options{Timeout: lockWait})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("object store %s: another process has it open; stop that process or use another directory: %w", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("object store %s: %w", dir, err)
	}
	// Writers that come together share one sync; alone, a writer waits this long.
	db.MaxBatchDelay = time.Millisecond
	s := &Store{
		db: db, blobs: newBlobs(filepath.Join(dir, "blobs")), region: "us-east-1", account: "000000000000",
		sweeps: make(signal, 1),
	}
	for _, option := range options {
		option(s)
	}
	if err := errors.Join(s.blobs.makeDirs(), s.makeIndex(), s.openOutbox()); err != nil {
		return nil, errors.Join(fmt.Errorf("object store %s: %w", dir, err), db.Close())
	}
	s.begin()
	return s, nil
}

// begin starts what goes on beside requests.
func (s *Store) begin() {
	s.live, s.stop = context.WithCancel(context.Background())
	s.background.Go(func() { s.collecting(s.live) })
	s.background.Go(func() { s.sweeping(s.live) })
}

// Close ends what goes on and closes the index. Readers of objects that are still
// open may go on.
func (s *Store) Close() error {
	s.stop()
	s.background.Wait()
	return s.db.Close()
}

func (s *Store) makeIndex() error {
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{bucketsBucket, uploadsBucket, partsBucket, documentsBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
}

// List gives the objects whose keys begin with prefix, in order of key. The
// error is NoSuchBucket if the bucket is missing.
func (s *Store) List(ctx context.Context, bucket, prefix string) ([]Object, error) {
	var out []Object
	err := s.list(bucket, listing{prefix: prefix}, func(e entry) {
		out = append(out, Object{Key: e.record.Key, Size: e.record.Size, ETag: e.record.etag(), Modified: e.record.Modified})
	})
	return out, about(err, bucket, prefix)
}

// Get opens an object. The error is NoSuchBucket or NoSuchKey if it is missing.
func (s *Store) Get(ctx context.Context, bucket, key string) (io.ReadCloser, error) {
	o, err := s.open(exchangeOf(ctx), bucket, key, nil)
	if err != nil {
		return nil, about(err, bucket, key)
	}
	return o.Contents, nil
}

// Put makes or replaces an object; it is durable when Put returns. A size of -1
// means that body is read to its end, otherwise body must hold exactly size
// bytes. The error is NoSuchBucket if the bucket is missing.
func (s *Store) Put(ctx context.Context, bucket, key string, body io.Reader, size int64) error {
	meta := map[string]string{"Last-Modified": time.Now().UTC().Format(lastModifiedLayout)}
	_, err := s.PutObject(ctx, bucket, key, meta, body, size)
	return about(err, bucket, key)
}

// IsNoSuchBucket tells whether a method failed because its bucket is missing.
func IsNoSuchBucket(err error) bool {
	var refusal gofakes3.Error
	return errors.As(err, &refusal) && refusal.ErrorCode() == gofakes3.ErrNoSuchBucket
}

// IsNotFound tells whether a method failed because there is no such bucket or object.
func IsNotFound(err error) bool {
	var refusal gofakes3.Error
	return errors.As(err, &refusal) && (refusal.ErrorCode() == gofakes3.ErrNoSuchBucket || refusal.ErrorCode() == gofakes3.ErrNoSuchKey)
}

// lastModifiedLayout is how HTTP writes times.
const lastModifiedLayout = "Mon, 02 Jan 2006 15:04:05 GMT"

func about(err error, bucket, key string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("s3://%s/%s: %w", bucket, key, err)
}

// logger passes what gofakes3 could not tell its client on to slog.
type logger struct{ to *slog.Logger }

func (l logger) Print(level gofakes3.LogLevel, v ...any) {
	if level == gofakes3.LogErr {
		l.to.Error("s3", "error", fmt.Sprint(v...))
	}
}
