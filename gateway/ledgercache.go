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
	// tailWithin is how long a page waits for a ledger: the rest of it matters more.
	tailWithin = 5 * time.Second
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
	unread  bool              // it could not be read; the log says why
	until   time.Time
}

// tail returns the end of a model's ledger. One that cannot be read is logged
// and left alone for as long as one that can.
func (s *Server) tail(ctx context.Context, model string) ledgerTail {
	if found, ok := s.ledgers.get(model, time.Now()); ok {
		return found
	}
	limited, cancel := context.WithTimeout(ctx, tailWithin)
	defer cancel()
	entries, err := s.cfg.Ledger.Read(limited, model)
	if ctx.Err() != nil {
		return ledgerTail{unread: true} // nobody waits for it any more
	}
	if err != nil {
		s.cfg.Logger.WarnContext(ctx, "ledger cannot be read for the console", "model", model, "error", err)
	}
	t := ledgerTail{unread: err != nil, until: time.Now().Add(tailFor)}
	if err == nil {
		t.entries = slices.Clone(entries[max(0, len(entries)-tailEntries):])
		slices.Reverse(t.entries)
	}
	s.ledgers.put(model, t)
	return t
}

func (l *ledgerCache) get(model string, now time.Time) (ledgerTail, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.of[model]
	return t, ok && now.Before(t.until)
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
