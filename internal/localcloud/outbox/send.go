package outbox

import (
	"container/heap"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Run sends messages until ctx ends, and then waits for the attempts under way.
func (q *Queue) Run(ctx context.Context) {
	var flights sync.WaitGroup
	defer flights.Wait()
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	for {
		ready, next := q.take(time.Now())
		for _, e := range ready {
			flights.Go(func() { q.attempt(ctx, e) })
		}
		alarm.Reset(next)
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		case <-alarm.C:
		}
	}
}

// take gives the messages to send now, and the time until the next is due.
func (q *Queue) take(now time.Time) (ready []entry, next time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.due) > 0 && !q.due[0].due.After(now) {
		e := heap.Pop(&q.due).(entry)
		if q.flying[e.lane] == perLane {
			q.crowded[e.lane] = append(q.crowded[e.lane], e)
			continue
		}
		q.flying[e.lane]++
		ready = append(ready, e)
	}
	if len(q.due) == 0 {
		return ready, q.cfg.Last
	}
	return ready, q.due[0].due.Sub(now)
}

// attempt sends a message once and settles what becomes of it.
func (q *Queue) attempt(ctx context.Context, e entry) {
	defer q.land(e.lane)
	m, err := q.read(e.id)
	if err == nil {
		failure := q.cfg.Send(ctx, m.Lane, m.Body)
		if failure != nil && ctx.Err() != nil {
			return // an attempt that the end of the queue cut short does not count
		}
		err = q.settle(e, m, failure)
	}
	if err != nil {
		q.cfg.Log.Error("a message is left until the next start", "queue", q.cfg.Bucket, "to", e.lane, "error", err)
	}
}

// settle removes a message or notes when to try again.
func (q *Queue) settle(e entry, m message, failure error) error {
	m.Attempts++
	switch {
	case failure == nil:
		return q.remove(e.id)
	case isPermanent(failure) || m.Attempts >= q.cfg.Attempts:
		q.cfg.Log.Error("a message is given up", "queue", q.cfg.Bucket, "to", m.Lane, "attempts", m.Attempts, "error", failure)
		return q.remove(e.id)
	}
	if m.Attempts == 1 {
		q.cfg.Log.Warn("a message could not be delivered; trying again", "queue", q.cfg.Bucket, "to", m.Lane, "error", failure)
	}
	wait := q.backoff(m.Attempts)
	m.Due = time.Now().Add(wait)
	e.due = m.Due
	err := q.cfg.DB.Update(func(tx *bolt.Tx) error { return write(tx.Bucket([]byte(q.cfg.Bucket)), e.id, m) })
	if err == nil {
		q.push(e)
	}
	return err
}

// backoff is the time between the n-th attempt and the next.
func (q *Queue) backoff(n int) time.Duration {
	wait := q.cfg.First
	for i := 1; i < n && wait < q.cfg.Last; i++ {
		wait *= 2
	}
	return min(wait, q.cfg.Last)
}

// land frees a place in a lane for one that waits for it.
func (q *Queue) land(lane string) {
	q.mu.Lock()
	if q.flying[lane]--; q.flying[lane] == 0 {
		delete(q.flying, lane)
	}
	if waiting := q.crowded[lane]; len(waiting) > 0 {
		heap.Push(&q.due, waiting[0])
		q.crowded[lane] = waiting[1:]
		if len(waiting) == 1 {
			delete(q.crowded, lane)
		}
	}
	q.mu.Unlock()
	q.signal()
}

func (q *Queue) read(id uint64) (m message, err error) {
	err = q.cfg.DB.View(func(tx *bolt.Tx) error {
		data := tx.Bucket([]byte(q.cfg.Bucket)).Get(key(id))
		if data == nil {
			return fmt.Errorf("message %d is gone", id)
		}
		return json.Unmarshal(data, &m)
	})
	return m, err
}

func (q *Queue) remove(id uint64) error {
	return q.cfg.DB.Update(func(tx *bolt.Tx) error { return tx.Bucket([]byte(q.cfg.Bucket)).Delete(key(id)) })
}
