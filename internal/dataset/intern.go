package dataset

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/xxh3"
)

const (
	maxDictionary = 4096 // different values of a batch that get a number
	maxKept       = 64   // bytes of a value that is kept for later batches
	tableSize     = 4 * maxDictionary
)

var errNotUTF8 = errors.New("is not valid UTF-8")

// interner makes strings of texts, each value of a batch once, and each value
// that is met often once for all batches.
type interner struct {
	kept  map[string]string
	table []int32 // open addressing by hash: 1 + the number of a value
	dict  []string
}

// start begins a batch.
func (n *interner) start() {
	if n.kept == nil {
		n.kept, n.table = map[string]string{}, make([]int32, tableSize)
	}
	clear(n.table)
	n.dict = nil
}

// add returns a value and its number in the batch's dictionary, −1 if that is
// full.
func (n *interner) add(v []byte) (string, int32, error) {
	at := xxh3.Hash(v) % tableSize
	for ; n.table[at] != 0; at = (at + 1) % tableSize {
		if code := n.table[at] - 1; n.dict[code] == string(v) {
			return n.dict[code], code, nil
		}
	}
	if !utf8.Valid(v) {
		return "", -1, errNotUTF8
	}
	s := n.keep(v)
	if len(n.dict) == maxDictionary {
		return s, -1, nil
	}
	n.dict = append(n.dict, s)
	n.table[at] = int32(len(n.dict))
	return s, int32(len(n.dict)) - 1, nil
}

// keep returns a copy of v that does not hold on to the text it is part of.
func (n *interner) keep(v []byte) string {
	if s, ok := n.kept[string(v)]; ok {
		return s
	}
	s := strings.Clone(text(v))
	if len(v) <= maxKept && len(n.kept) < maxDictionary {
		n.kept[s] = s
	}
	return s
}
