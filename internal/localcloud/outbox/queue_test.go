package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/outbox"
)

const patience = 10 * time.Second

// post is a queue on a database that outlives it.
type post struct {
	*testing.T
	db *bolt.DB
	*outbox.Queue
	stop func()
}

func opened(t *testing.T) *bolt.DB {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func start(t *testing.T, db *bolt.DB, attempts int, send func(ctx context.Context, lane string, body []byte) error) *post {
	q, err := outbox.Open(outbox.Config{DB: db, Bucket: "mail", Send: send, First: time.Millisecond, Last: 4 * time.Millisecond,
		Attempts: attempts, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); q.Run(ctx) }()
	p := &post{t, db, q, sync.OnceFunc(func() { cancel(); <-done })}
	t.Cleanup(p.stop)
	return p
}

func (p *post) put(lane, body string) {
	require.NoError(p, p.db.Update(func(tx *bolt.Tx) error { return p.Put(tx, lane, []byte(body)) }))
}

func (p *post) left() (n int) {
	require.NoError(p, p.db.View(func(tx *bolt.Tx) error {
		n = tx.Bucket([]byte("mail")).Stats().KeyN
		return nil
	}))
	return n
}

func TestMessagesAreSentUntilTheyArrive(t *testing.T) {
	got := make(chan string, 10)
	var tries atomic.Int32
	p := start(t, opened(t), 10, func(_ context.Context, lane string, body []byte) error {
		if tries.Add(1) < 4 {
			return errors.New("not now")
		}
		got <- lane + ": " + string(body)
		return nil
	})
	p.put("a", "hello")
	require.Equal(t, "a: hello", <-got)
	require.Eventually(t, func() bool { return p.left() == 0 }, patience, time.Millisecond)
	require.Equal(t, int32(4), tries.Load())
}

func TestMessagesAreGivenUp(t *testing.T) {
	var tries atomic.Int32
	p := start(t, opened(t), 3, func(_ context.Context, lane string, _ []byte) error {
		tries.Add(1)
		if lane == "dead" {
			return outbox.Permanent(errors.New("no such receiver"))
		}
		return errors.New("not now")
	})
	p.put("dead", "x")
	require.Eventually(t, func() bool { return p.left() == 0 }, patience, time.Millisecond)
	require.Equal(t, int32(1), tries.Load())
	p.put("ill", "x")
	require.Eventually(t, func() bool { return p.left() == 0 }, patience, time.Millisecond)
	require.Equal(t, int32(4), tries.Load())
}

// What one queue did not deliver, the next does; attempts that a stop cut short do
// not count.
func TestMessagesOutliveTheQueue(t *testing.T) {
	db := opened(t)
	trying := make(chan struct{}, 1)
	p := start(t, db, 1, func(ctx context.Context, _ string, _ []byte) error {
		trying <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	p.put("a", "kept")
	<-trying
	p.stop()
	require.Equal(t, 1, p.left())

	got := make(chan string, 1)
	p = start(t, db, 1, func(_ context.Context, _ string, body []byte) error { got <- string(body); return nil })
	require.Equal(t, "kept", <-got)
	require.Eventually(t, func() bool { return p.left() == 0 }, patience, time.Millisecond)
}

// A receiver that hangs holds up nobody else, and gets a few messages at once.
func TestLanesDoNotHoldEachOtherUp(t *testing.T) {
	got, free := make(chan string, 40), make(chan struct{})
	var hanging, most atomic.Int32
	p := start(t, opened(t), 3, func(_ context.Context, lane string, _ []byte) error {
		if lane == "slow" {
			most.Store(max(most.Load(), hanging.Add(1)))
			<-free
			hanging.Add(-1)
		}
		got <- lane
		return nil
	})
	for range 10 {
		p.put("slow", "x")
	}
	p.put("quick", "x")
	require.Equal(t, "quick", <-got)
	close(free)
	for range 10 {
		require.Equal(t, "slow", <-got)
	}
	require.LessOrEqual(t, most.Load(), int32(4))
	require.Eventually(t, func() bool { return p.left() == 0 }, patience, time.Millisecond)
}

func TestAMessageOfATransactionThatFailsIsNotSent(t *testing.T) {
	got := make(chan string, 2)
	p := start(t, opened(t), 3, func(_ context.Context, _ string, body []byte) error { got <- string(body); return nil })
	require.Error(t, p.db.Update(func(tx *bolt.Tx) error {
		return errors.Join(p.Put(tx, "a", []byte("never")), errors.New("no"))
	}))
	p.put("a", "ever")
	require.Equal(t, "ever", <-got)
	require.Empty(t, got)
}
