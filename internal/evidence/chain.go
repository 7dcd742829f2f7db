package evidence

import (
	"encoding/json"
	"fmt"

	"steward/internal/lifecycle"
)

// seal completes an entry that follows previous: sequence number, digest of the
// entry before, and the digest of all of it.
func seal(e lifecycle.Entry, previous lifecycle.Entry) (lifecycle.Entry, error) {
	e.Seq, e.Previous, e.At = previous.Seq+1, previous.Digest, e.At.UTC()
	e, err := normal(e)
	if err != nil {
		return e, err
	}
	e.Digest, err = digest(e)
	return e, err
}

// normal brings an entry into the form in which it will be read again, so that
// the digest does not depend on the Go types somebody put into Data.
func normal(e lifecycle.Entry) (lifecycle.Entry, error) {
	raw, err := json.Marshal(e)
	if err != nil {
		return e, fmt.Errorf("entry %q: %w", e.ID, err)
	}
	var out lifecycle.Entry
	if err := json.Unmarshal(raw, &out); err != nil {
		return e, fmt.Errorf("entry %q: %w", e.ID, err)
	}
	return out, nil
}

// digest covers every field but Digest itself.
func digest(e lifecycle.Entry) (string, error) {
	e.Digest = ""
	return lifecycle.Digest(e)
}

// Verify checks a whole ledger, oldest entry first, and names the first entry
// that is not as it was written: edited, out of order, of another model, or
// following one that is gone. Cutting entries off the end leaves a sound chain;
// Ledger.Audit finds that too.
func Verify(entries []lifecycle.Entry) error {
	var previous lifecycle.Entry
	for i, e := range entries {
		if err := follows(previous, e, i); err != nil {
			return err
		}
		previous = e
	}
	return nil
}

func follows(previous, e lifecycle.Entry, i int) error {
	want := int64(i) + 1
	switch {
	case e.Seq > want:
		return fmt.Errorf("ledger of %s: entry %d is missing: entry %d stands in its place", e.Model, want, e.Seq)
	case e.Seq < want:
		return fmt.Errorf("ledger of %s: entry %d stands where entry %d belongs", e.Model, e.Seq, want)
	case i > 0 && e.Model != previous.Model:
		return fmt.Errorf("ledger of %s: entry %d belongs to model %q", previous.Model, e.Seq, e.Model)
	}
	got, err := digest(e)
	if err != nil {
		return err
	}
	if got != e.Digest {
		return fmt.Errorf("ledger of %s: entry %d (%s) was changed: its digest says %s, its content has %s",
			e.Model, e.Seq, e.Kind, e.Digest, got)
	}
	if e.Previous != previous.Digest {
		return fmt.Errorf("ledger of %s: entry %d follows an entry with digest %q, but the one before it has %q",
			e.Model, e.Seq, e.Previous, previous.Digest)
	}
	return nil
}
