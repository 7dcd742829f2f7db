package cloudwatch

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// window is the time asked about: whole periods from start, up to but not
// including end.
type window struct {
	start, end time.Time
	period     time.Duration
}

// newWindow rounds the start down to the minute, for periods below a minute to
// the period, as CloudWatch does.
func newWindow(start, end *time.Time, period *int32) (window, error) {
	if start == nil || end == nil || period == nil {
		return window{}, missing("StartTime, EndTime and Period")
	}
	if !start.Before(*end) {
		return window{}, invalid("StartTime %s must be before EndTime %s", start.Format(time.RFC3339Nano), end.Format(time.RFC3339Nano))
	}
	p := *period
	if !slices.Contains([]int32{1, 5, 10, 20, 30}, p) && (p <= 0 || p%60 != 0) {
		return window{}, invalid("Period %d is not 1, 5, 10, 20, 30 or a multiple of 60", p)
	}
	w := window{start: *start, end: *end, period: time.Duration(p) * time.Second}
	w.start = w.start.Truncate(min(w.period, time.Minute))
	return w, nil
}

// level is the coarser of the two that still resolves the period.
func (w window) level() *level {
	if w.period < time.Minute {
		return seconds
	}
	return minutes
}

// point is the summary of one period that has data.
type point struct {
	at time.Time
	summary
}

// query gives the periods of a window in which a series has data, in order of
// time, and the series' unit. A metric without data gives no points.
func (s *Store) query(namespace, name string, dims map[string]string, unit types.StandardUnit, w window) ([]point, types.StandardUnit, error) {
	s.writing.RLock()
	defer s.writing.RUnlock()
	id, unit, err := s.pick(namespace, name, dims, unit)
	if err != nil || id == 0 {
		return nil, unit, err
	}
	periods := map[int64]*summary{}
	add := func(start int64, v summary) {
		n := (start - w.start.Unix()) / int64(w.period/time.Second)
		if periods[n] == nil {
			periods[n] = &summary{}
		}
		periods[n].merge(v)
	}
	if err := s.stored(id, w, add); err != nil {
		return nil, unit, err
	}
	s.unstored(id, w, add)
	var out []point
	for _, n := range slices.Sorted(maps.Keys(periods)) {
		out = append(out, point{w.start.Add(time.Duration(n) * w.period), *periods[n]})
	}
	return out, unit, nil
}

// pick finds the series; 0 if there is none. A metric that came in several units
// is several series, of which the caller must name one.
func (s *Store) pick(namespace, name string, dims map[string]string, unit types.StandardUnit) (uint64, types.StandardUnit, error) {
	units := types.StandardUnit("").Values()
	if unit != "" {
		units = []types.StandardUnit{unit}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var id uint64
	for _, u := range units {
		found, ok := s.ids[series{namespace, name, dims, u}.key()]
		if ok && id != 0 {
			return 0, "", wire.Errorf("InvalidParameterCombinationException", "metric %s of %s has data in %s and %s: name one Unit", name, namespace, unit, u)
		}
		if ok {
			id, unit = found, u
		}
	}
	return id, unit, nil
}

// cells are the keys of the first cell of a window and the first after it.
func (w window) cells(id uint64) (first, after cell) {
	l := w.level()
	last := w.end.Truncate(l.step)
	if last.Before(w.end) {
		last = last.Add(l.step)
	}
	return cell{l, id, w.start.Unix()}, cell{l, id, last.Unix()}
}

func (s *Store) stored(id uint64, w window, add func(start int64, v summary)) error {
	first, after := w.cells(id)
	return s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(first.level.bucket)).Cursor()
		for k, v := c.Seek(first.dbKey()); k != nil && bytes.Compare(k, after.dbKey()) < 0; k, v = c.Next() {
			x, err := decodeSummary(v)
			if err != nil {
				return err
			}
			add(startOf(k), x)
		}
		return nil
	})
}

func (s *Store) unstored(id uint64, w window, add func(start int64, v summary)) {
	first, after := w.cells(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, v := range s.pending {
		if c.level == first.level && c.series == id && c.start >= first.start && c.start < after.start {
			add(c.start, *v)
		}
	}
}
