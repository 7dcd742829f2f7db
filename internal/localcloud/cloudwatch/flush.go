package cloudwatch

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"

	bolt "go.etcd.io/bbolt"
)

// flush moves pending values into the database, durably. If that fails they stay
// pending.
func (s *Store) flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	pending, fresh := s.pending, s.fresh
	s.pending, s.fresh = map[cell]*summary{}, map[uint64]series{}
	s.mu.Unlock()
	if len(pending) == 0 {
		return nil
	}
	err := s.db.Update(func(tx *bolt.Tx) error {
		if err := putSeries(tx, fresh); err != nil {
			return err
		}
		for c, add := range pending {
			if err := mergeCell(tx, c, *add); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.restore(pending, fresh)
	}
	return err
}

func (s *Store) restore(pending map[cell]*summary, fresh map[uint64]series) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, v := range pending {
		if later := s.pending[c]; later != nil {
			v.merge(*later)
		}
		s.pending[c] = v
	}
	for id, x := range fresh {
		s.fresh[id] = x
	}
}

func putSeries(tx *bolt.Tx, fresh map[uint64]series) error {
	for id, x := range fresh {
		value, err := json.Marshal(x)
		if err != nil {
			return err
		}
		if err := tx.Bucket(seriesBucket).Put(binary.BigEndian.AppendUint64(nil, id), value); err != nil {
			return err
		}
	}
	return nil
}

func mergeCell(tx *bolt.Tx, c cell, add summary) error {
	b := tx.Bucket([]byte(c.level.bucket))
	var total summary
	if old := b.Get(c.dbKey()); old != nil {
		var err error
		if total, err = decodeSummary(old); err != nil {
			return err
		}
	}
	total.merge(add)
	return b.Put(c.dbKey(), total.encode())
}

// sweep deletes what is older than its level is kept, and series of which
// nothing is left.
func (s *Store) sweep(now time.Time) error {
	if err := s.flush(); err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	var gone []uint64
	err := s.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(seriesBucket)
		var ids [][]byte
		if err := b.ForEach(func(k, _ []byte) error { ids = append(ids, bytes.Clone(k)); return nil }); err != nil {
			return err
		}
		for _, k := range ids {
			left, err := deleteOld(tx, k, now)
			if err != nil {
				return err
			}
			if left {
				continue
			}
			gone = append(gone, binary.BigEndian.Uint64(k))
			if err := b.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.forget(gone)
	return nil
}

// forget drops series that the database no longer has; those that got a value
// meanwhile are to be stored again.
func (s *Store) forget(gone []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	alive := map[uint64]bool{}
	for c := range s.pending {
		alive[c.series] = true
	}
	for _, id := range gone {
		if alive[id] {
			s.fresh[id] = s.series[id]
			continue
		}
		delete(s.ids, s.series[id].key())
		delete(s.series, id)
	}
}

// deleteOld deletes a series' expired cells and tells whether any is left.
func deleteOld(tx *bolt.Tx, prefix []byte, now time.Time) (left bool, err error) {
	for _, l := range levels {
		b := tx.Bucket([]byte(l.bucket))
		oldest := now.Add(-l.keep).Unix()
		for {
			// A cursor does not outlive a deletion, so each starts anew.
			k, _ := b.Cursor().Seek(prefix)
			if !bytes.HasPrefix(k, prefix) {
				break
			}
			if startOf(k) >= oldest {
				left = true
				break
			}
			if err := b.Delete(bytes.Clone(k)); err != nil {
				return false, err
			}
		}
	}
	return left, nil
}
