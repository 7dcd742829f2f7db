package frame

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Rows reads CSV records (RFC 4180) one at a time. Unlike encoding/csv alone
// it refuses blank lines between records: dropping one would shift every later
// prediction to the wrong row.
type Rows struct {
	csv  *csv.Reader
	line int // where the current record begins
	end  int // where it ends
}

// NewRows reads from r. width is the number of fields of every record; 0 takes
// the first record's.
func NewRows(r io.Reader, width int) *Rows {
	c := csv.NewReader(r)
	c.ReuseRecord = true
	c.FieldsPerRecord = width
	return &Rows{csv: c}
}

// Next is the next record, valid until the following call, or io.EOF. Errors
// name the line and the remedy.
func (r *Rows) Next() ([]string, error) {
	record, err := r.csv.Read()
	if err == io.EOF {
		return nil, err
	}
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		if errors.Is(err, csv.ErrFieldCount) {
			return nil, fmt.Errorf("line %d has %d fields, expected %d; quote fields that contain a comma",
				parse.StartLine, len(record), r.csv.FieldsPerRecord)
		}
		return nil, fmt.Errorf("line %d, column %d: %w; quote the field and double the quotes in it", parse.Line, parse.Column, parse.Err)
	}
	if err != nil {
		return nil, err
	}
	r.line, _ = r.csv.FieldPos(0)
	if r.line != r.end+1 {
		return nil, fmt.Errorf(`line %d is blank; remove it, or write "" for a row whose only field is missing`, r.end+1)
	}
	last := len(record) - 1
	r.end, _ = r.csv.FieldPos(last)
	r.end += strings.Count(record[last], "\n")
	return record, nil
}

// Line is the line on which the current record begins, from 1.
func (r *Rows) Line() int { return r.line }
