package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

const (
	delimiters = ",\t;|" // that are recognised without being declared
	sniffed    = 100     // records that have to agree with the header
)

var errNoHeader = errors.New("not even a header")

// readHeader takes the header off the first chunk of a CSV file.
func readHeader(first *chunk, delimiter byte) ([]string, error) {
	fields, _ := fieldsOf(*first, delimiter)
	rows := newCSVRows(delimiter, make([]string, fields), upTo(fields))
	rows.start(*first)
	rows.skipEmpty()
	if rows.at == len(first.text) {
		return nil, fmt.Errorf("%w: %w", errNoHeader, ErrEmpty)
	}
	var b block
	b.reset(first.text, rows.wanted)
	line := rows.line
	if _, err := rows.record(&b); err != nil {
		return nil, &lineError{rows.line, err}
	}
	var header []string
	for i := range fields {
		name := b.cells[i][0].of(first.text)
		if !utf8.Valid(name) {
			return nil, &lineError{line, fmt.Errorf("field %d of the header is not valid UTF-8: %q", i+1, clip(string(name)))}
		}
		header = append(header, string(name))
	}
	if err := checkHeader(header); err != nil {
		return nil, &lineError{line, err}
	}
	first.text, first.line = first.text[rows.at:], rows.line
	return header, nil
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// sniff tells the delimiter of a CSV file: the one by which the first records
// have as many fields as the header, at least two, and of those the one with
// most; else the one with most in the header.
func sniff(first chunk) byte {
	best, most := byte(','), 1
	for _, agreed := range []bool{true, false} {
		for i := range len(delimiters) {
			fields, agrees := fieldsOf(first, delimiters[i])
			if fields > most && agrees == agreed {
				best, most = delimiters[i], fields
			}
		}
		if most > 1 {
			break
		}
	}
	return best
}

// fieldsOf counts the fields of the header, and tells whether the first records
// have as many.
func fieldsOf(first chunk, delimiter byte) (fields int, agrees bool) {
	first.text = bytes.Clone(first.text) // parsing quotes writes to it
	rows := newCSVRows(delimiter, nil, nil)
	rows.start(first)
	for range sniffed {
		rows.skipEmpty()
		if rows.at == len(first.text) {
			break
		}
		n, err := rows.record(&block{})
		switch {
		case err != nil:
			return fields, false
		case fields == 0:
			fields = n
		case n != fields:
			return fields, false
		}
	}
	return fields, fields > 0
}
