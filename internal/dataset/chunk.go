package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	// chunkBytes is how much text is parsed at a time: enough to make the rest
	// cheap, and little enough to hold some for every core.
	chunkBytes = 512 << 10
	// maxRecord bounds the memory of one row; a longer one is nearly always a
	// quote that was never closed.
	maxRecord = 16 << 20
	// textRoom is how much text of a file is held at a time, parsed or not.
	textRoom = 32 << 20
)

// chunk is a piece of a text that holds whole records.
type chunk struct {
	text []byte
	line int  // of its first byte, from 1
	last bool // nothing follows
	torn bool // its last record goes on, for longer than is read
}

var chunkPool = sync.Pool{New: func() any { return new([chunkBytes]byte) }}

// release gives back the memory of a chunk that nothing refers to any more.
func (c chunk) release() {
	if cap(c.text) == chunkBytes {
		chunkPool.Put((*[chunkBytes]byte)(c.text[:chunkBytes]))
	}
}

func (c chunk) size() int64 { return min(int64(cap(c.text)), textRoom) }

// cutter cuts a text into chunks, always at the same places.
type cutter struct {
	in     io.Reader
	quotes bool   // a line end between quotes ends no record
	rest   []byte // read, and not handed out yet
	line   int    // of the rest
	ended  bool
}

func newCutter(in io.Reader, format string) *cutter {
	return &cutter{in: in, quotes: format == CSV, line: 1}
}

var (
	newline = []byte{'\n'}
	quote   = []byte{'"'}
)

// next returns the next chunk, io.EOF after the last. Its other errors are
// *lineError.
func (c *cutter) next() (chunk, error) {
	if c.ended {
		return chunk{}, io.EOF
	}
	text := chunkPool.Get().(*[chunkBytes]byte)[:0]
	if len(c.rest) > chunkBytes/2 {
		text = make([]byte, 0, len(c.rest)+chunkBytes)
	}
	text = append(text, c.rest...)
	for {
		var err error
		text, err = fill(c.in, text)
		if errors.Is(err, io.EOF) {
			return c.end(text)
		}
		if err != nil {
			return chunk{}, &lineError{c.line + bytes.Count(text, newline), fmt.Errorf("the file is damaged from here on: %w", err)}
		}
		if at := c.boundary(text); at > 0 {
			c.rest = append(c.rest[:0], text[at:]...)
			return c.cut(text[:at]), nil
		}
		if len(text) > maxRecord {
			c.ended = true
			out := c.cut(text)
			out.torn = true
			return out, nil
		}
		text = append(make([]byte, 0, min(2*cap(text), maxRecord+chunkBytes)), text...)
	}
}

// fill reads until text is full. Other than by io.ReadFull, a file that breaks
// off (io.ErrUnexpectedEOF) can be told from one that ends (io.EOF).
func fill(in io.Reader, text []byte) ([]byte, error) {
	idle := 0
	for len(text) < cap(text) {
		n, err := in.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if err != nil {
			return text, err
		}
		if idle++; n > 0 {
			idle = 0
		} else if idle > 100 {
			return text, io.ErrNoProgress
		}
	}
	return text, nil
}

// boundary is where the last whole record of a text ends, 0 if there is none. A
// chunk begins outside of quotes, so a line end ends a record if the quotes
// before it are even in number: a doubled quote leaves that as it is. Where a
// lone quote, which is an error, makes this wrong, the parser meets that quote
// before it meets what was cut wrongly.
func (c *cutter) boundary(text []byte) int {
	quotes := 0
	if c.quotes {
		quotes = bytes.Count(text, quote)
	}
	for end := len(text); ; {
		at := bytes.LastIndexByte(text[:end], '\n')
		if at < 0 {
			return 0
		}
		if quotes > 0 {
			quotes -= bytes.Count(text[at:end], quote)
		}
		if quotes%2 == 0 {
			return at + 1
		}
		end = at
	}
}

func (c *cutter) cut(text []byte) chunk {
	out := chunk{text: text, line: c.line}
	c.line += bytes.Count(text, newline)
	return out
}

func (c *cutter) end(text []byte) (chunk, error) {
	c.ended, c.rest = true, nil
	if len(text) == 0 {
		return chunk{}, io.EOF
	}
	out := c.cut(text)
	out.last = true
	return out, nil
}

var errTooLong = errors.New("a row is longer than 16 MiB")
