package logs

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	// copyEvery is how often followed files are looked at.
	copyEvery  = 200 * time.Millisecond
	sweepEvery = time.Minute
	lockWait   = time.Second
)

// The database: groups by name; in streams a bucket a group, by stream name; in
// events a bucket a stream, by position; sources by file name.
var (
	groupsBucket  = []byte("groups")
	streamsBucket = []byte("streams")
	eventsBucket  = []byte("events")
	sourcesBucket = []byte("sources")
)

// Config says where a Store keeps its state and what its names begin with.
type Config struct {
	Dir, Region, Account string
	Skip                 string           // lines of followed files that begin with it are not the program's; "" for none
	Logger               *slog.Logger     // takes what fails in the background
	Now                  func() time.Time // the clock; time.Now if nil
}

// Store keeps log events in one directory, which one process at a time may have
// open. Its methods may be called from many goroutines.
type Store struct {
	cfg Config
	db  *bolt.DB

	copying sync.Mutex // one copier at a time
	mu      sync.Mutex
	sources map[string]source // followed files

	stop    chan struct{}
	stopped sync.WaitGroup
}

// Open opens the logs in a directory, which it makes if it is not there, and
// goes on following the files that were followed. It fails if another process
// has it open.
func Open(cfg Config) (*Store, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("logs %s: %w", cfg.Dir, err)
	}
	db, err := bolt.Open(filepath.Join(cfg.Dir, "logs.db"), 0o600, &bolt.Options{Timeout: lockWait})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("logs %s: another process has them open; stop that process or use another directory: %w", cfg.Dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("logs %s: %w", cfg.Dir, err)
	}
	s := &Store{cfg: cfg, db: db, sources: map[string]source{}, stop: make(chan struct{})}
	if err := db.Update(s.load); err != nil {
		return nil, errors.Join(fmt.Errorf("logs %s: %w", cfg.Dir, err), db.Close())
	}
	s.stopped.Go(s.keep)
	return s, nil
}

func (s *Store) load(tx *bolt.Tx) error {
	for _, name := range [][]byte{groupsBucket, streamsBucket, eventsBucket, sourcesBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return tx.Bucket(sourcesBucket).ForEach(func(file, data []byte) error {
		var src source
		if err := json.Unmarshal(data, &src); err != nil {
			return fmt.Errorf("the record of file %s is damaged: %w", file, err)
		}
		s.sources[string(file)] = src
		return nil
	})
}

// Close takes in what followed files have gained and closes the database. The
// files are followed again by the next Store on the directory.
func (s *Store) Close() error {
	close(s.stop)
	s.stopped.Wait()
	return errors.Join(s.copyAll(), s.db.Close())
}

// keep copies files and forgets what is too old until Close.
func (s *Store) keep() {
	gain, sweep := time.NewTicker(copyEvery), time.NewTicker(sweepEvery)
	defer gain.Stop()
	defer sweep.Stop()
	for {
		var err error
		select {
		case <-s.stop:
			return
		case <-gain.C:
			err = s.copyAll()
		case <-sweep.C:
			err = s.Sweep()
		}
		if err != nil {
			s.cfg.Logger.Error("keeping logs", "error", err)
		}
	}
}

// now is the time in milliseconds since 1970, the unit of all times here.
func (s *Store) now() int64 { return s.cfg.Now().UnixMilli() }

// get reads a record; nil if there is none.
func get[T any](b *bolt.Bucket, key string) (*T, error) {
	if b == nil {
		return nil, nil
	}
	data := b.Get([]byte(key))
	if data == nil {
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal(data, v); err != nil {
		return nil, fmt.Errorf("the record of %s is damaged: %w", key, err)
	}
	return v, nil
}

func put(b *bolt.Bucket, key string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put([]byte(key), data)
}
