// Package outbox delivers messages that are stored before they are sent: what was
// put is sent at least once, over restarts and crashes, again and again at growing
// intervals, and given up after so many attempts with a word in the log.
//
// What belongs here: the order and the times of attempts. What a message is and how
// it is sent belongs to the caller, and so does the database, so that a message can
// be put in the transaction that made it necessary.
package outbox

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// perLane is how many messages of one lane are sent at once, so that a slow
// receiver holds up its own messages only.
const perLane = 4

// Config says where messages are kept and how they are sent. Zero values of First,
// Last and Attempts take the defaults named here.
type Config struct {
	DB     *bolt.DB
	Bucket string // of the database; made if it is not there
	// Send sends one message. An error means another attempt later, unless it is
	// [Permanent].
	Send func(ctx context.Context, lane string, body []byte) error
	// First is the time from the first attempt to the second (1 s); it doubles from
	// attempt to attempt up to Last (5 min).
	First, Last time.Duration
	// Attempts is after how many a message is given up (50: within about 4 hours).
	Attempts int
	Log      *slog.Logger
}

// Queue holds the messages that were not delivered yet.
type Queue struct {
	cfg  Config
	wake chan struct{}

	mu      sync.Mutex
	due     entries            // those that wait for their time
	flying  map[string]int     // by lane
	crowded map[string]entries // those whose time has come while their lane was full
}

// message is the record of a message.
type message struct {
	Lane     string
	Body     []byte
	Attempts int
	Due      time.Time
}

// Open takes up the messages that an earlier queue left.
func Open(cfg Config) (*Queue, error) {
	cfg.First, cfg.Last = cmp.Or(cfg.First, time.Second), cmp.Or(cfg.Last, 5*time.Minute)
	cfg.Attempts = cmp.Or(cfg.Attempts, 50)
	q := &Queue{cfg: cfg, wake: make(chan struct{}, 1), flying: map[string]int{}, crowded: map[string]entries{}}
	err := cfg.DB.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(cfg.Bucket))
		if err != nil {
			return err
		}
		return b.ForEach(func(k, v []byte) error {
			var m message
			if err := json.Unmarshal(v, &m); err != nil {
				return fmt.Errorf("message %x of %s is damaged: %w", k, cfg.Bucket, err)
			}
			q.due = append(q.due, entry{binary.BigEndian.Uint64(k), m.Lane, m.Due})
			return nil
		})
	})
	heap.Init(&q.due)
	return q, err
}

// Put adds a message to a transaction: it will be sent if that commits. Messages
// of one lane go to one receiver.
func (q *Queue) Put(tx *bolt.Tx, lane string, body []byte) error {
	b := tx.Bucket([]byte(q.cfg.Bucket))
	id, err := b.NextSequence()
	if err != nil {
		return err
	}
	now := time.Now()
	if err := write(b, id, message{Lane: lane, Body: body, Due: now}); err != nil {
		return err
	}
	tx.OnCommit(func() { q.push(entry{id, lane, now}) })
	return nil
}

func write(b *bolt.Bucket, id uint64, m message) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return b.Put(key(id), data)
}

func key(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

func (q *Queue) push(e entry) {
	q.mu.Lock()
	heap.Push(&q.due, e)
	q.mu.Unlock()
	q.signal()
}

func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default: // it is awake
	}
}

// permanent is an error that another attempt will not mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error of Send that another attempt will not mend: its message
// is given up.
func Permanent(err error) error { return permanent{err} }

func isPermanent(err error) bool {
	_, ok := errors.AsType[permanent](err)
	return ok
}

// entry is a message as the queue holds it in memory.
type entry struct {
	id   uint64
	lane string
	due  time.Time
}

// entries are a heap, the first due on top.
type entries []entry

func (h entries) Len() int { return len(h) }
func (h entries) Less(i, j int) bool {
	return cmp.Or(h[i].due.Compare(h[j].due), cmp.Compare(h[i].id, h[j].id)) < 0
}
func (h entries) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *entries) Push(e any)   { *h = append(*h, e.(entry)) }
func (h *entries) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	*h = (*h)[:last]
	return e
}

// Schedule gives the queue's First, Last and Attempts.
func (q *Queue) Schedule() (first, last time.Duration, attempts int) {
	return q.cfg.First, q.cfg.Last, q.cfg.Attempts
}
