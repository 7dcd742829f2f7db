package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// Ledger is the append-only, hash-chained record of every model in a bucket.
// Any number of processes may append at once: entry n is an object of its own,
// which only one of them can create.
//
// Beside each entry lies an index object, named by the digest of the entry's
// ID and holding its sequence number and digest. Nobody appends entry n+1
// before the index of entry n exists, so an ID that is neither in the index nor
// in the newest entry was never appended: that is what makes a retry harmless
// at any time. The index also shows when entries were cut off the end.
type Ledger struct {
	objects *cloud.Objects
	bucket  string

	mu    sync.Mutex
	heads map[string]lifecycle.Entry // newest entry seen, by model; it can only lag
}

// NewLedger keeps ledgers in a bucket.
func NewLedger(objects *cloud.Objects, bucket string) *Ledger {
	return &Ledger{objects: objects, bucket: bucket, heads: map[string]lifecycle.Entry{}}
}

// Append writes an entry behind the newest one and returns it with Seq,
// Previous and Digest set. If an entry with the same ID is there already, that
// one is returned and nothing is written.
func (l *Ledger) Append(ctx context.Context, e lifecycle.Entry) (lifecycle.Entry, error) {
	if e.ID == "" || e.Model == "" || e.Kind == "" || e.At.IsZero() {
		return e, lifecycle.Fail(lifecycle.Invalid, "ledger of %q: entry %q of kind %q: model, id, kind and time must be set", e.Model, e.ID, e.Kind)
	}
	head := l.seen(e.Model)
	for {
		written, err := l.appendTo(ctx, head, e)
		taken := errors.Is(err, cloud.ErrExists) || errors.Is(err, cloud.ErrInProgress)
		if !taken {
			return written, cloud.Wrap(err, "ledger of %s: append %s", e.Model, e.ID)
		}
		// Somebody else wrote this number: go on behind them.
		if head, err = l.findHead(ctx, e.Model); err != nil {
			return e, err
		}
	}
}

// appendTo appends e behind head, which must be the newest entry; if it is not,
// the answer is cloud.ErrExists. The order of the steps is what the index's
// promise rests on.
func (l *Ledger) appendTo(ctx context.Context, head, e lifecycle.Entry) (lifecycle.Entry, error) {
	if head.Seq > 0 {
		if err := l.index(ctx, head); err != nil {
			return e, err
		}
	}
	if head.ID == e.ID {
		return head, nil
	}
	earlier, err := l.byID(ctx, e.Model, e.ID)
	if err != nil || earlier.Seq > 0 {
		return earlier, err
	}
	if e, err = seal(e, head); err != nil {
		return e, err
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return e, err
	}
	if err := l.objects.PutNew(ctx, l.entryURI(e.Model, e.Seq), raw); err != nil {
		return e, err
	}
	l.remember(e)
	return e, l.index(ctx, e)
}

// Head describes the newest entry of a model's ledger and the highest release
// that any entry is about. It reads back from the end to where the newest
// release was opened: numbers only grow, so nothing before is about a later one.
// What lies behind may be about an earlier one, such as that which still served.
func (l *Ledger) Head(ctx context.Context, model string) (lifecycle.Head, error) {
	last, err := l.findHead(ctx, model)
	head := lifecycle.Head{Seq: last.Seq, Digest: last.Digest}
	for to := last.Seq; err == nil && to > 0; to -= readers {
		var entries []lifecycle.Entry
		if entries, err = l.span(ctx, model, max(1, to-readers+1), to); err != nil {
			break
		}
		opened := false
		for _, e := range entries {
			head.LastRelease = max(head.LastRelease, e.Release)
			opened = opened || e.Kind == lifecycle.EntryOpened
		}
		if opened {
			return head, nil
		}
	}
	return head, cloud.Wrap(err, "ledger of %s: find its head", model)
}

// findHead returns the newest entry: it looks forward from the newest one seen,
// in steps that double, then halves the gap. A ledger unknown so far takes
// twice the logarithm of its length.
func (l *Ledger) findHead(ctx context.Context, model string) (lifecycle.Entry, error) {
	head := l.seen(model)
	for step := int64(1); ; step *= 2 {
		next, err := l.entry(ctx, model, head.Seq+step)
		if errors.Is(err, cloud.ErrNotFound) {
			return l.between(ctx, head, model, head.Seq+step)
		}
		if err != nil {
			return head, err
		}
		head = next
		l.remember(head)
	}
}

// between returns the newest entry, which is head or lies before absent.
func (l *Ledger) between(ctx context.Context, head lifecycle.Entry, model string, absent int64) (lifecycle.Entry, error) {
	for absent-head.Seq > 1 {
		middle := head.Seq + (absent-head.Seq)/2
		next, err := l.entry(ctx, model, middle)
		switch {
		case errors.Is(err, cloud.ErrNotFound):
			absent = middle
		case err != nil:
			return head, err
		default:
			head = next
			l.remember(head)
		}
	}
	return head, nil
}

func (l *Ledger) seen(model string) lifecycle.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heads[model]
}

func (l *Ledger) remember(e lifecycle.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Seq > l.heads[e.Model].Seq {
		l.heads[e.Model] = e
	}
}

// entry reads one entry and refuses it if its bytes are not those written.
func (l *Ledger) entry(ctx context.Context, model string, seq int64) (lifecycle.Entry, error) {
	uri := l.entryURI(model, seq)
	raw, err := l.objects.Get(ctx, uri)
	if err != nil {
		return lifecycle.Entry{}, err
	}
	var e lifecycle.Entry
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, lifecycle.Fail(lifecycle.Invalid, "ledger of %s: entry %d (%s) was changed: %v", model, seq, uri, err)
	}
	// A field that Entry does not know would escape the digest.
	if again, err := json.Marshal(e); err != nil || !bytes.Equal(again, raw) {
		return e, lifecycle.Fail(lifecycle.Invalid, "ledger of %s: entry %d (%s) was changed: it is not in the form that it was written in", model, seq, uri)
	}
	return e, nil
}

func (l *Ledger) dir(model string) string {
	return fmt.Sprintf("s3://%s/models/%s/", l.bucket, model)
}

func (l *Ledger) entryURI(model string, seq int64) string {
	return fmt.Sprintf("%sledger/%012d.json", l.dir(model), seq)
}

// mark is what an index object holds.
type mark struct {
	Seq    int64  `json:"seq"`
	Digest string `json:"digest"`
}

func (l *Ledger) markURI(model, id string) string {
	sum := sha256.Sum256([]byte(id))
	return l.dir(model) + "ledger-ids/" + hex.EncodeToString(sum[:]) + ".json"
}

// index makes sure that an entry can be found by its ID.
func (l *Ledger) index(ctx context.Context, e lifecycle.Entry) error {
	raw, err := json.Marshal(mark{e.Seq, e.Digest})
	if err != nil {
		return err
	}
	err = l.objects.PutNew(ctx, l.markURI(e.Model, e.ID), raw)
	if errors.Is(err, cloud.ErrExists) {
		return nil
	}
	return err
}

// byID returns the entry with an ID, or one with Seq 0 if the index has none.
func (l *Ledger) byID(ctx context.Context, model, id string) (lifecycle.Entry, error) {
	raw, err := l.objects.Get(ctx, l.markURI(model, id))
	if errors.Is(err, cloud.ErrNotFound) {
		return lifecycle.Entry{}, nil
	}
	if err != nil {
		return lifecycle.Entry{}, err
	}
	var m mark
	if err := json.Unmarshal(raw, &m); err != nil {
		return lifecycle.Entry{}, lifecycle.Fail(lifecycle.Invalid, "ledger of %s: index of entry %q: %v", model, id, err)
	}
	return l.entry(ctx, model, m.Seq)
}
