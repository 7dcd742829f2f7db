package gateway

import (
	"context"
	"slices"
	"sync"
	"time"

	"steward/internal/lifecycle"
)

const (
	// tailFor is how long the console shows the same end of a ledger: reading
	// one takes a request to S3 for every entry, and pages refresh every few
	// seconds.
	tailFor = 10 * time.Second
	// tailEntries is how many entries the console shows.
	tailEntries = 15
)

// ledgerCache holds the ends of the ledgers that the console showed lately.
type ledgerCache struct {
	mu sync.Mutex
	of map[string]ledgerTail
}

type ledgerTail struct {
	entries []lifecycle.Entry // newest first
	until   time.Time
}

// tail returns the end of a model's ledger, newest entry first.
func (s *Server) tail(ctx context.Context, model string) ([]lifecycle.Entry, error) {
	if found, ok := s.ledgers.get(model, time.Now()); ok {
		return found, nil
	}
	entries, err := s.cfg.Ledger.Read(ctx, model)
	if err != nil {
		return nil, err
	}
	last := slices.Clone(entries[max(0, len(entries)-tailEntries):])
	slices.Reverse(last)
	s.ledgers.put(model, ledgerTail{last, time.Now().Add(tailFor)})
	return last, nil
}

func (l *ledgerCache) get(model string, now time.Time) ([]lifecycle.Entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.of[model]
	return t.entries, ok && now.Before(t.until)
}

func (l *ledgerCache) put(model string, t ledgerTail) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of[model] = t
}

func (l *ledgerCache) forget(model string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.of, model)
}
