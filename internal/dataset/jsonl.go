package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonRows reads JSON lines: one flat object a line, its keys the columns. Null
// and an absent key are missing.
type jsonRows struct {
	wanted   []string
	discover bool // keys that are not wanted yet become wanted; else they are skipped
	index    map[string]int

	decoder *jsontext.Decoder
	chunk   chunk
	at      int
	line    int
	arena   []byte // the values of a block, without escapes
}

// newJSONRows reads the wanted columns; nil: whatever each chunk holds.
func newJSONRows(wanted []string) *jsonRows {
	j := &jsonRows{wanted: wanted, discover: wanted == nil, index: map[string]int{}, decoder: jsontext.NewDecoder(bytes.NewReader(nil))}
	for i, name := range wanted {
		j.index[name] = i
	}
	return j
}

func (j *jsonRows) start(c chunk) {
	j.chunk, j.at, j.line = c, 0, c.line
	if j.discover {
		j.wanted = nil
		clear(j.index)
	}
}

func (j *jsonRows) next(b *block) error {
	b.reset(nil, j.wanted)
	j.arena = j.arena[:0]
	for b.rows() < BatchRows && j.at < len(j.chunk.text) {
		rest := j.chunk.text[j.at:]
		n := bytes.IndexByte(rest, '\n') + 1
		if n == 0 {
			n = len(rest)
		}
		if j.chunk.torn {
			return &lineError{j.line, fmt.Errorf("%w: write one object a line", errTooLong)}
		}
		if len(bytes.TrimSpace(rest[:n])) > 0 {
			if err := j.row(b, rest[:n]); err != nil {
				return &lineError{j.line, err}
			}
		}
		j.at += n
		j.line++
	}
	b.text, b.names = j.arena, j.wanted
	return nil
}

func (j *jsonRows) row(b *block, line []byte) error {
	j.decoder.Reset(bytes.NewBuffer(line))
	if err := j.object(b); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("each line must be one flat JSON object: %w", err)
	}
	if _, err := j.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value on the line")
	}
	b.lines = append(b.lines, j.line)
	for i := range b.cells {
		if len(b.cells[i]) < b.rows() {
			b.cells[i] = append(b.cells[i], newCell(0, 0, missingCell))
		}
	}
	return nil
}

func (j *jsonRows) object(b *block) error {
	open, err := j.decoder.ReadToken()
	if err != nil {
		return err
	}
	if open.Kind() != '{' {
		return fmt.Errorf("found %s", describe(open.Kind()))
	}
	for {
		key, err := j.decoder.ReadToken()
		if err != nil {
			return err
		}
		if key.Kind() == '}' {
			return nil
		}
		if err := j.member(b, key.String()); err != nil {
			return err
		}
	}
}

func (j *jsonRows) member(b *block, name string) error {
	at, ok := j.index[name]
	switch {
	case ok:
	case !j.discover:
		return j.decoder.SkipValue()
	case name == "":
		return errors.New("a column has no name")
	default:
		at = len(j.wanted)
		j.index[name] = at
		j.wanted = append(j.wanted, name)
		b.cells = append(b.cells, missingCells(b.rows()))
	}
	kind := j.decoder.PeekKind()
	if kind == '{' || kind == '[' {
		b.cells[at] = append(b.cells[at], j.keep([]byte(describe(kind)), nestedCell))
		return j.decoder.SkipValue()
	}
	value, err := j.decoder.ReadValue()
	if err != nil {
		return err
	}
	b.cells[at] = append(b.cells[at], j.scalar(kind, value))
	return nil
}

func missingCells(n int) []cell {
	out := make([]cell, n)
	for i := range out {
		out[i] = newCell(0, 0, missingCell)
	}
	return out
}

func (j *jsonRows) scalar(kind jsontext.Kind, value jsontext.Value) cell {
	switch kind {
	case 'n':
		return newCell(0, 0, missingCell)
	case '"':
		at := len(j.arena)
		j.arena, _ = jsontext.AppendUnquote(j.arena, value) // the decoder has checked it
		return newCell(at, len(j.arena)-at, quotedCell)
	}
	return j.keep(value, 0)
}

func (j *jsonRows) keep(text []byte, flags cell) cell {
	at := len(j.arena)
	j.arena = append(j.arena, text...)
	return newCell(at, len(text), flags)
}

func describe(kind jsontext.Kind) string {
	switch kind {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	}
	return "a bool"
}
