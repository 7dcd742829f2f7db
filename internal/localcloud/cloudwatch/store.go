package cloudwatch

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	// flushEvery bounds what a crash can lose of values recorded in process.
	flushEvery = time.Second
	// maxPending is the most cells held in memory between two flushes.
	maxPending = 20_000
	sweepEvery = 10 * time.Minute
	lockWait   = time.Second
)

var seriesBucket = []byte("series")

// Store keeps metrics in one directory, which one process at a time may have
// open. Its methods may be called from many goroutines.
type Store struct {
	db  *bolt.DB
	log *slog.Logger

	mu      sync.Mutex
	ids     map[string]uint64 // by series key
	series  map[uint64]series
	last    uint64
	fresh   map[uint64]series // not in the database yet
	pending map[cell]*summary // not in the database yet

	// writing keeps readers out while pending moves into the database.
	writing sync.RWMutex
	full    chan struct{}
	stop    chan struct{}
	stopped sync.WaitGroup
}

// Open opens the metrics in dir and makes the directory if it is not there. It
// fails if another process has it open. What fails in the background goes to log.
func Open(dir string, log *slog.Logger) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("metrics %s: %w", dir, err)
	}
	db, err := bolt.Open(filepath.Join(dir, "metrics.db"), 0o600, &bolt.Options{Timeout: lockWait})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("metrics %s: another process has them open; stop that process or use another directory: %w", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("metrics %s: %w", dir, err)
	}
	s := &Store{
		db: db, log: log, ids: map[string]uint64{}, series: map[uint64]series{}, fresh: map[uint64]series{},
		pending: map[cell]*summary{}, full: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	if err := s.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("metrics %s: %w", dir, err), db.Close())
	}
	s.stopped.Go(s.keep)
	return s, nil
}

func (s *Store) load() error {
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, l := range levels {
			if _, err := tx.CreateBucketIfNotExists([]byte(l.bucket)); err != nil {
				return err
			}
		}
		b, err := tx.CreateBucketIfNotExists(seriesBucket)
		if err != nil {
			return err
		}
		return b.ForEach(func(k, v []byte) error {
			var x series
			if err := json.Unmarshal(v, &x); err != nil {
				return fmt.Errorf("the record of series %x is damaged: %w", k, err)
			}
			id := binary.BigEndian.Uint64(k)
			s.ids[x.key()], s.series[id], s.last = id, x, max(s.last, id)
			return nil
		})
	})
}

// Close writes what is pending and closes the database.
func (s *Store) Close() error {
	close(s.stop)
	s.stopped.Wait()
	return errors.Join(s.flush(), s.db.Close())
}

// keep writes pending values and forgets old ones until Close.
func (s *Store) keep() {
	flush, sweep := time.NewTicker(flushEvery), time.NewTicker(sweepEvery)
	defer flush.Stop()
	defer sweep.Stop()
	for {
		var err error
		select {
		case <-s.stop:
			return
		case <-flush.C:
			err = s.flush()
		case <-s.full:
			err = s.flush()
		case <-sweep.C:
			err = s.sweep(time.Now())
		}
		if err != nil {
			s.log.Error("keeping metrics", "error", err)
		}
	}
}

// Record adds one value, as PutMetricData would at a resolution of one second.
// It returns at once; the value is on disk a second later.
func (s *Store) Record(namespace, name string, dimensions map[string]string, value float64, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.idLocked(series{namespace, name, dimensions, unitOf(namespace, name)})
	for _, l := range levels {
		s.pendingLocked(l.cell(id, at)).add(value, 1)
	}
}

// unitOf is the unit in which SageMaker reports a metric, by "SageMaker endpoint
// invocation metrics" and "Monitoring asynchronous endpoint" of its developer
// guide; counts have none.
func unitOf(namespace, name string) types.StandardUnit {
	switch {
	case namespace != "AWS/SageMaker":
	case strings.HasSuffix(name, "Latency"), name == "TimeInBacklog":
		return types.StandardUnitMicroseconds
	case name == "TotalProcessingTime":
		return types.StandardUnitMilliseconds
	case name == "ApproximateAgeOfOldestRequest":
		return types.StandardUnitSeconds
	}
	return types.StandardUnitNone
}

// addLocked needs mu.
func (s *Store) addLocked(to series, values summary, at time.Time, into []*level) {
	id := s.idLocked(to)
	for _, l := range into {
		s.pendingLocked(l.cell(id, at)).merge(values)
	}
}

// idLocked is the number of a series, which is kept if it is new; it needs mu.
func (s *Store) idLocked(of series) uint64 {
	key := of.key()
	id, known := s.ids[key]
	if !known {
		of.Dimensions = maps.Clone(of.Dimensions) // the caller's may change
		s.last++
		id = s.last
		s.ids[key], s.series[id], s.fresh[id] = id, of, of
	}
	return id
}

// pendingLocked is what a cell has got since the last flush; it needs mu.
func (s *Store) pendingLocked(c cell) *summary {
	values := s.pending[c]
	if values == nil {
		values = &summary{}
		s.pending[c] = values
	}
	if len(s.pending) > maxPending {
		select {
		case s.full <- struct{}{}:
		default: // the writer knows already
		}
	}
	return values
}
