package sagemaker

import (
	"encoding/binary"
	"iter"
	"math"
	"time"

	bolt "go.etcd.io/bbolt"
)

// head is what a list filters and sorts records by.
type head struct {
	name, status      string
	created, modified time.Time // modified is zero where a kind has no such time
	objective         float32   // of a trial; not in an index
}

// key and value are a head's entry in its table's index, in the order of
// creation and, for equal times, of names. Only the value may change.
func (h head) key() []byte   { return append(stamp(h.created), h.name...) }
func (h head) value() []byte { return append(stamp(h.modified), h.status...) }

func parseHead(key, value []byte) head {
	return head{name: string(key[stampSize:]), status: string(value[stampSize:]), created: readStamp(key), modified: readStamp(value)}
}

// stampSize is the length of a time in an index, in bytes.
const stampSize = 8

// stamp is a time of 1970 or later as bytes of the same order.
func stamp(t time.Time) []byte {
	if t.IsZero() {
		return make([]byte, stampSize)
	}
	return binary.BigEndian.AppendUint64(nil, uint64(t.UnixNano()))
}

func readStamp(b []byte) time.Time { return time.Unix(0, int64(binary.BigEndian.Uint64(b))).UTC() }

// number is a number as bytes of the same order: the sign bit of IEEE 754 is
// turned round, and all others of what is negative.
func number(f float32) []byte {
	bits := math.Float32bits(f)
	if bits>>31 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 31
	}
	return binary.BigEndian.AppendUint32(nil, bits)
}

// heads streams a table's index from the place after an entry's key, or from
// the beginning if that is empty; backwards, when descending.
func (t table[T]) heads(tx *bolt.Tx, after []byte, descending bool) iter.Seq[head] {
	c := tx.Bucket(t.index).Cursor()
	next := c.Next
	if descending {
		next = c.Prev
	}
	return func(yield func(head) bool) {
		for k, v := begin(c, after, descending); k != nil; k, v = next() {
			if !yield(parseHead(k, v)) {
				return
			}
		}
	}
}

// begin goes to the first entry after a key, or before it when descending. The
// key itself may have gone.
func begin(c *bolt.Cursor, after []byte, descending bool) (k, v []byte) {
	switch {
	case len(after) == 0 && descending:
		return c.Last()
	case len(after) == 0:
		return c.First()
	}
	k, v = c.Seek(after)
	switch {
	case descending && k == nil:
		return c.Last()
	case descending:
		return c.Prev()
	case string(k) == string(after):
		return c.Next()
	}
	return k, v
}
