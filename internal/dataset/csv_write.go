package dataset

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// CSVWriter writes rows as a training or scoring container reads them: a header,
// the label first, then the features in their declared order; missing values are
// empty, numbers in their shortest form, bools 0 and 1, times RFC 3339.
type CSVWriter struct {
	raw    io.Writer
	out    *csv.Writer
	names  []string
	label  string
	record []string
	rows   int64
}

// NewCSVWriter writes the header. Without a label ("") only features are
// written, as for scoring. A column named twice, or none at all, is an error.
func NewCSVWriter(w io.Writer, label string, features []string) (*CSVWriter, error) {
	names := features
	if label != "" {
		names = append([]string{label}, features...)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no columns to write")
	}
	if err := checkHeader(names); err != nil {
		return nil, err
	}
	c := &CSVWriter{raw: w, out: csv.NewWriter(w), names: slices.Clone(names), label: label, record: make([]string, len(names))}
	if err := c.out.Write(c.names); err != nil {
		return nil, fmt.Errorf("write csv header: %w", err)
	}
	return c, nil
}

// Write adds the given rows of a batch (nil: all). A batch without one of the
// columns, or a row whose label is missing, is an error.
func (c *CSVWriter) Write(b *Batch, rows []int) error {
	columns, err := b.Schema.Select(c.names)
	if err != nil {
		return err
	}
	if rows == nil {
		rows = make([]int, b.Rows)
		for i := range rows {
			rows[i] = i
		}
	}
	for _, row := range rows {
		if c.label != "" && b.Missing(columns[0], row) {
			return fmt.Errorf("row %d: label %s is missing: leave rows without a label out", b.First+int64(row), c.label)
		}
		for i, col := range columns {
			c.record[i] = b.columns[col].csvText(row)
		}
		if err := c.writeRecord(); err != nil {
			return fmt.Errorf("write csv: %w", err)
		}
		c.rows++
	}
	return nil
}

// writeRecord quotes a lone missing value: an empty line is no row to a reader.
func (c *CSVWriter) writeRecord() error {
	if len(c.record) > 1 || c.record[0] != "" {
		return c.out.Write(c.record)
	}
	c.out.Flush()
	if err := c.out.Error(); err != nil {
		return err
	}
	_, err := io.WriteString(c.raw, "\"\"\n")
	return err
}

func (c *column) csvText(row int) string {
	if c.kind == Bool && c.valid[row] {
		return strconv.FormatInt(c.ints[row], 10)
	}
	text, _ := c.text(row)
	return text
}

// Rows is how many rows were written, without the header.
func (c *CSVWriter) Rows() int64 { return c.rows }

// Flush writes what is still buffered; call it once at the end.
func (c *CSVWriter) Flush() error {
	c.out.Flush()
	if err := c.out.Error(); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}
