package dataset

import "fmt"

// cell says where a value stands in the text of its block: offset, length and
// flags.
type cell uint64

const (
	missingCell cell = 1 << iota
	quotedCell       // a JSON string, which is never a number or bool; CSV does not know the difference
	nestedCell       // a JSON object or array, which its text describes

	cellFlags  = 3
	cellOffset = 32
)

func newCell(at, length int, flags cell) cell {
	return cell(at)<<cellOffset | cell(length)<<cellFlags | flags
}

func (c cell) of(text []byte) []byte {
	at := c >> cellOffset
	return text[at : at+c>>cellFlags&(1<<(cellOffset-cellFlags)-1)]
}

// block is some rows of a text format, column by column, not parsed yet.
type block struct {
	text  []byte
	names []string // of the columns
	cells [][]cell // of each column
	lines []int    // of each row in the source, from 1
}

func (b *block) rows() int { return len(b.lines) }

func (b *block) reset(text []byte, names []string) {
	b.text, b.names, b.lines = text, names, b.lines[:0]
	for len(b.cells) < len(names) {
		b.cells = append(b.cells, nil)
	}
	b.cells = b.cells[:len(names)]
	for i := range b.cells {
		b.cells[i] = b.cells[i][:0]
	}
}

// rowsOf reads the rows of a chunk into blocks.
type rowsOf interface {
	start(c chunk)
	// next fills the block with at most BatchRows rows, none at the end. Its
	// errors are *lineError.
	next(b *block) error
}

// lineError is an error at a line of a text.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("%d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// clip keeps a value short enough for an error message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
