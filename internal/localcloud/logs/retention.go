package logs

import bolt "go.etcd.io/bbolt"

const dayMillis = 24 * 60 * 60 * 1000

// sweepBatch is how many events one transaction forgets, so that others get
// their turn.
const sweepBatch = 5000

// oldest is the time before which a group's events are gone, whether they were
// deleted already or not.
func (s *Store) oldest(g *group) int64 {
	if g.Retention == 0 {
		return 0
	}
	return s.now() - int64(g.Retention)*dayMillis
}

// Sweep deletes the events that are older than their groups keep them.
func (s *Store) Sweep() error {
	for more := true; more; {
		more = false
		err := s.db.Update(func(tx *bolt.Tx) error {
			left := sweepBatch
			for _, name := range groupNamesOf(tx) {
				if err := s.sweepGroup(tx, name, &left); err != nil {
					return err
				}
			}
			more = left == 0
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func groupNamesOf(tx *bolt.Tx) (names []string) {
	c := tx.Bucket(groupsBucket).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		names = append(names, string(k))
	}
	return names
}

func (s *Store) sweepGroup(tx *bolt.Tx, name string, left *int) error {
	g, err := findGroup(tx, name)
	if err != nil || g.Retention == 0 {
		return err
	}
	all, err := streamsOf(tx, name, "")
	if err != nil {
		return err
	}
	for _, st := range all {
		if err := st.forget(tx, name, s.oldest(g), left); err != nil {
			return err
		}
	}
	return nil
}

// forget deletes a stream's events before a time, at most left of them.
func (st *stream) forget(tx *bolt.Tx, group string, before int64, left *int) error {
	b, gone := tx.Bucket(eventsBucket).Bucket(st.key()), int64(0)
	c := b.Cursor()
	for k, v := c.First(); k != nil && *left > 0; k, v = c.First() {
		e := read(k, v)
		if e.time() >= before {
			st.First = e.time()
			break
		}
		if err := b.Delete(k); err != nil {
			return err
		}
		gone += e.cost()
		*left--
	}
	if gone == 0 {
		return nil
	}
	st.Bytes -= gone
	if err := put(tx.Bucket(streamsBucket).Bucket([]byte(group)), st.Name, st); err != nil {
		return err
	}
	return grow(tx, group, -gone)
}
