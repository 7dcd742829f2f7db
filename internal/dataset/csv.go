package dataset

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// csvRows reads CSV (RFC 4180): comma, a header line, an empty field is missing.
type csvRows struct {
	in     *csv.Reader
	limit  *recordLimit
	header []string
	cells  []cell
	at     int
}

func newCSVRows(in *bufio.Reader) (*csvRows, error) {
	c := &csvRows{limit: &recordLimit{in: in, left: maxRecord}, at: 1}
	c.in = csv.NewReader(c.limit)
	c.in.FieldsPerRecord = -1 // counted here, to say more than the package does
	c.in.ReuseRecord = true
	header, err := c.read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("not even a header: %w", ErrEmpty)
	}
	if err != nil {
		return nil, err
	}
	c.header = append([]string(nil), header...)
	c.cells = make([]cell, len(header))
	if len(header) == 1 && strings.ContainsAny(header[0], ";\t|") {
		return nil, fmt.Errorf("header %q is one column: fields must be separated by commas", clip(header[0]))
	}
	return c, checkHeader(c.header)
}

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

func (c *csvRows) names() []string { return c.header }
func (c *csvRows) fix(bool)        {}
func (c *csvRows) line() int       { return c.at }

func (c *csvRows) next() ([]cell, error) {
	record, err := c.read()
	if err != nil {
		return nil, err
	}
	if len(record) != len(c.header) {
		return nil, fmt.Errorf("%d fields, expected %d as in the header", len(record), len(c.header))
	}
	for i, v := range record {
		c.cells[i] = cell{text: v, missing: v == ""}
	}
	return c.cells, nil
}

func (c *csvRows) read() ([]string, error) {
	c.limit.left = maxRecord
	record, err := c.in.Read()
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		c.at = parse.Line
		return nil, parse.Err
	case err != nil:
		if err != io.EOF {
			c.at++
		}
		return nil, err
	}
	c.at, _ = c.in.FieldPos(0)
	for i, v := range record {
		if !utf8.ValidString(v) {
			return nil, fmt.Errorf("field %d is not valid UTF-8: %q", i+1, clip(v))
		}
	}
	return record, nil
}

// recordLimit fails once a single record has taken more than maxRecord bytes.
type recordLimit struct {
	in   io.Reader
	left int
}

func (r *recordLimit) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, fmt.Errorf("a row is longer than %d MiB: is a quote never closed?", maxRecord>>20)
	}
	n, err := r.in.Read(p)
	r.left -= n
	return n, err
}
