package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// csvRows reads CSV (RFC 4180; other delimiters too). An empty field is
// missing, an empty line is no row.
type csvRows struct {
	delimiter byte
	header    []string
	wanted    []string
	slots     []int // of each field the wanted column, −1 if none

	chunk chunk
	at    int // in the chunk
	line  int
}

// newCSVRows reads the wanted columns, which are positions in the header.
func newCSVRows(delimiter byte, header []string, wanted []int) *csvRows {
	c := &csvRows{delimiter: delimiter, header: header, slots: make([]int, len(header)), wanted: make([]string, len(wanted))}
	for i := range c.slots {
		c.slots[i] = -1
	}
	for i, w := range wanted {
		c.slots[w], c.wanted[i] = i, header[w]
	}
	return c
}

func (c *csvRows) start(k chunk) { c.chunk, c.at, c.line = k, 0, k.line }

func (c *csvRows) next(b *block) error {
	b.reset(c.chunk.text, c.wanted)
	for b.rows() < BatchRows {
		c.skipEmpty()
		if c.at == len(c.chunk.text) {
			return nil
		}
		first := c.line
		n, err := c.record(b)
		if err != nil {
			return &lineError{c.line, err}
		}
		if n != len(c.header) {
			return &lineError{first, fmt.Errorf("%d fields, expected %d as in the header", n, len(c.header))}
		}
		b.lines = append(b.lines, first)
	}
	return nil
}

// skipEmpty moves past lines without anything.
func (c *csvRows) skipEmpty() {
	for text := c.chunk.text; ; c.line++ {
		switch {
		case c.at < len(text) && text[c.at] == '\n':
			c.at++
		case c.at+1 < len(text) && text[c.at] == '\r' && text[c.at+1] == '\n':
			c.at += 2
		default:
			return
		}
	}
}

// record appends the cells of one record and returns how many fields it has.
func (c *csvRows) record(b *block) (int, error) {
	text := c.chunk.text
	for field := 0; ; field++ {
		begin := c.at
		var v cell
		if begin < len(text) && text[begin] == '"' {
			var err error
			if v, err = c.quoted(field); err != nil {
				return 0, err
			}
		} else {
			c.at = stop(text, begin, c.delimiter)
			if c.at < len(text) && text[c.at] == '"' {
				return 0, fmt.Errorf("column %s: a quote within a field that does not begin with one: put the field in quotes and double the quote", c.name(field))
			}
			end := c.at
			if end > begin && text[end-1] == '\r' && (end == len(text) || text[end] == '\n') {
				end--
			}
			v = textCell(begin, end-begin)
		}
		if field < len(c.slots) && c.slots[field] >= 0 {
			b.cells[c.slots[field]] = append(b.cells[c.slots[field]], v)
		}
		if c.at == len(text) {
			return field + 1, nil
		}
		c.at++
		if text[c.at-1] == '\n' {
			c.line++
			return field + 1, nil
		}
	}
}

func textCell(at, length int) cell {
	if length == 0 {
		return newCell(at, 0, missingCell)
	}
	return newCell(at, length, 0)
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stop returns where the next delimiter, line end or quote stands, or the end.
// It looks at eight bytes at a time: a byte that is wanted becomes 0 by the
// exclusive or, and the subtraction sets the high bit of the first 0.
func stop(text []byte, at int, delimiter byte) int {
	for ; at+8 <= len(text); at += 8 {
		word := binary.LittleEndian.Uint64(text[at:])
		d, n, q := word^ones*uint64(delimiter), word^ones*'\n', word^ones*'"'
		if found := ((d-ones)&^d | (n-ones)&^n | (q-ones)&^q) & highs; found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for ; at < len(text); at++ {
		if b := text[at]; b == delimiter || b == '\n' || b == '"' {
			break
		}
	}
	return at
}

// quoted reads a field in quotes and leaves c.at behind it. A doubled quote is
// made one where it stands.
func (c *csvRows) quoted(field int) (cell, error) {
	text := c.chunk.text
	begin, end := c.at+1, c.at+1
	for from := begin; ; {
		n := bytes.IndexByte(text[from:], '"')
		if n < 0 {
			return 0, c.unclosed(field)
		}
		c.line += bytes.Count(text[from:from+n], newline)
		end += copy(text[end:], text[from:from+n])
		from += n + 1
		if from < len(text) && text[from] == '"' {
			text[end] = '"'
			end, from = end+1, from+1
			continue
		}
		c.at = from
		break
	}
	rest := text[c.at:]
	switch {
	case len(rest) == 0 || rest[0] == c.delimiter || rest[0] == '\n':
	case rest[0] == '\r' && (len(rest) == 1 || rest[1] == '\n'):
		c.at++
	default:
		_, size := utf8.DecodeRune(rest)
		return 0, fmt.Errorf("column %s: %q after the closing quote: double a quote that belongs to the value", c.name(field), rest[:size])
	}
	return textCell(begin, end-begin), nil
}

func (c *csvRows) unclosed(field int) error {
	if c.chunk.torn {
		return fmt.Errorf("column %s: %w: is a quote never closed?", c.name(field), errTooLong)
	}
	return fmt.Errorf("column %s: a quote is opened and never closed", c.name(field))
}

func (c *csvRows) name(field int) string {
	if field < len(c.header) {
		return c.header[field]
	}
	return fmt.Sprint(field + 1)
}

// checkHeader refuses columns that cannot be told apart.
func checkHeader(header []string) error {
	seen := map[string]int{}
	for i, name := range header {
		if name == "" {
			return fmt.Errorf("column %d of the header has no name", i+1)
		}
		if first, ok := seen[name]; ok {
			return fmt.Errorf("column name %q stands twice in the header (columns %d and %d)", name, first, i+1)
		}
		seen[name] = i + 1
	}
	return nil
}
