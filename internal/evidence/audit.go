package evidence

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sync/errgroup"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// readers is how many objects are read at once.
const readers = 16

// Read returns every entry of a model's ledger that is there, in order of
// sequence numbers. It does not verify the chain: see Verify.
func (l *Ledger) Read(ctx context.Context, model string) ([]lifecycle.Entry, error) {
	entries, err := readAll(ctx, l.objects, l.dir(model)+"ledger/", func(ctx context.Context, uri string) (lifecycle.Entry, error) {
		var seq int64
		if _, err := fmt.Sscanf(path.Base(uri), "%d.json", &seq); err != nil || l.entryURI(model, seq) != uri {
			return lifecycle.Entry{}, lifecycle.Fail(lifecycle.Invalid, "ledger of %s: %s is not the name of an entry", model, uri)
		}
		return l.entry(ctx, model, seq)
	})
	if err == nil && len(entries) > 0 {
		l.remember(entries[len(entries)-1])
	}
	return entries, err
}

// span reads the entries with the numbers from and to, and those between.
func (l *Ledger) span(ctx context.Context, model string, from, to int64) ([]lifecycle.Entry, error) {
	entries := make([]lifecycle.Entry, to-from+1)
	group, ctx := errgroup.WithContext(ctx)
	for i := range entries {
		group.Go(func() (err error) {
			entries[i], err = l.entry(ctx, model, from+int64(i))
			return err
		})
	}
	return entries, group.Wait()
}

// Audit reads a model's ledger and verifies it, against the index too, so that
// entries cut off the end are missed.
func (l *Ledger) Audit(ctx context.Context, model string) ([]lifecycle.Entry, error) {
	// The index is read first: what is appended meanwhile is in the ledger only.
	marks, err := readAll(ctx, l.objects, l.dir(model)+"ledger-ids/", l.mark)
	if err != nil {
		return nil, err
	}
	entries, err := l.Read(ctx, model)
	if err != nil {
		return nil, err
	}
	if err := Verify(entries); err != nil {
		return entries, err
	}
	for _, m := range marks {
		if m.Seq < 1 || m.Seq > int64(len(entries)) {
			return entries, fmt.Errorf("ledger of %s: entry %d is missing: the ledger was cut off behind entry %d", model, m.Seq, len(entries))
		}
		if got := entries[m.Seq-1].Digest; got != m.Digest {
			return entries, fmt.Errorf("ledger of %s: entry %d was replaced: its index has digest %s, the entry %s", model, m.Seq, m.Digest, got)
		}
	}
	return entries, nil
}

func (l *Ledger) mark(ctx context.Context, uri string) (mark, error) {
	raw, err := l.objects.Get(ctx, uri)
	if err != nil {
		return mark{}, err
	}
	var m mark
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, lifecycle.Fail(lifecycle.Invalid, "ledger index %s was changed: %v", uri, err)
	}
	return m, nil
}

// readAll reads every object under a prefix, several at once, and returns the
// results in order of their keys.
func readAll[T any](ctx context.Context, objects *cloud.Objects, prefix string,
	read func(context.Context, string) (T, error),
) ([]T, error) {
	var uris []string
	for object, err := range objects.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(object.URI, "/") { // consoles make empty folders
			uris = append(uris, object.URI)
		}
	}
	out := make([]T, len(uris))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, uri := range uris {
		group.Go(func() (err error) {
			out[i], err = read(ctx, uri)
			return err
		})
	}
	return out, group.Wait()
}
