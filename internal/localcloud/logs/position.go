package logs

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// position is an event's place in its stream and its id in the whole store: its
// time in milliseconds, then the number under which it was taken in. Positions
// sort as events do.
type position struct{ hi, lo uint64 }

func (st *stream) key() []byte { return binary.BigEndian.AppendUint64(nil, st.ID) }

func (p position) key() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.hi), p.lo)
}

func positionOf(key []byte) position {
	return position{binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(key[8:])}
}

func (p position) next() position {
	if p.lo++; p.lo == 0 {
		p.hi++
	}
	return p
}

// String is the position as AWS writes event ids: 56 decimal digits.
func (p position) String() string {
	return fmt.Sprintf("%056s", new(big.Int).SetBytes(p.key()).String())
}

func parsePosition(s string) (position, bool) {
	n, ok := new(big.Int), len(s) <= 64 // AWS has 56 digits; to read millions takes long
	if ok {
		_, ok = n.SetString(s, 10)
	}
	if !ok || n.Sign() < 0 || n.BitLen() > 128 {
		return position{}, false
	}
	return positionOf(n.FillBytes(make([]byte, 16))), true
}

// Tokens of GetLogEvents: forwards from the events after a position, backwards
// from those before it.
func forward(p position) *string  { return token("f/", p) }
func backward(p position) *string { return token("b/", p) }

func token(direction string, p position) *string {
	s := direction + p.String() + "/s"
	return &s
}

// parseToken reads such a token.
func parseToken(t string) (p position, forwards bool, err error) {
	direction, rest, _ := strings.Cut(t, "/")
	digits, end, _ := strings.Cut(rest, "/")
	p, ok := parsePosition(digits)
	if !ok || end != "s" || direction != "f" && direction != "b" {
		return p, false, invalid("The specified nextToken is invalid.")
	}
	return p, direction == "f", nil
}

// event is a log event as it is kept.
type event struct {
	at       position
	ingested int64
	message  string
}

func (e event) time() int64 { return int64(e.at.hi) }

func (e event) cost() int64 { return int64(len(e.message)) + eventCost }

// write adds events to a stream, which is there, and keeps count. Their numbers
// are given here.
func (s *Store) write(tx *bolt.Tx, group string, st *stream, events []event) error {
	all := tx.Bucket(eventsBucket)
	b, bytes := all.Bucket(st.key()), int64(0)
	for _, e := range events {
		number, err := all.NextSequence()
		if err != nil {
			return err
		}
		e.at.lo = number
		value := append(binary.BigEndian.AppendUint64(nil, uint64(e.ingested)), e.message...)
		if err := b.Put(e.at.key(), value); err != nil {
			return err
		}
		if st.Bytes == 0 || e.time() < st.First {
			st.First = e.time()
		}
		st.Last, st.Ingested = max(st.Last, e.time()), e.ingested
		st.Bytes += e.cost()
		bytes += e.cost()
	}
	if err := put(tx.Bucket(streamsBucket).Bucket([]byte(group)), st.Name, st); err != nil {
		return err
	}
	return grow(tx, group, bytes)
}

func read(key, value []byte) event {
	return event{positionOf(key), int64(binary.BigEndian.Uint64(value)), string(value[8:])}
}
