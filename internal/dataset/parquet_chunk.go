package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// columnChunk reads the values of one column of one row group, page after page.
type columnChunk struct {
	field parquetField
	pages parquet.Pages
	page  openPage

	dict   *column
	intern *interner
	codes  []int32 // 2 + the number in the batch's dictionary (−1: none) of each text of dict; 0: not met yet
}

// openPage is the page that is being read.
type openPage struct {
	page   parquet.Page // nil: none
	rows   int          // that are left
	levels []byte       // of them: 0 for a missing value; empty if none can be missing
	data   encoding.Values
	next   int                 // value of data
	values parquet.ValueReader // of types that are not read from data
}

// read returns the next rows.
func (c *columnChunk) read(rows int) (column, error) {
	out := newColumn(c.field.kind, rows)
	if c.field.kind == String {
		c.intern.start()
		clear(c.codes)
	}
	for done := 0; done < rows; {
		if c.page.rows == 0 {
			if err := c.open(); errors.Is(err, io.EOF) {
				return out, fmt.Errorf("damaged Parquet: %d values are missing", rows-done)
			} else if err != nil {
				return out, fmt.Errorf("damaged Parquet: %w", err)
			}
		}
		n := min(rows-done, c.page.rows)
		if err := c.take(&out, n); err != nil {
			return out, err
		}
		done += n
		c.page.rows -= n
		c.page.levels = c.page.levels[min(n, len(c.page.levels)):]
	}
	if len(out.codes) != rows {
		out.codes = nil
	} else {
		out.dict = c.intern.dict
	}
	return out, nil
}

// open begins the next page.
func (c *columnChunk) open() error {
	c.release()
	page, err := c.pages.ReadPage()
	if err != nil {
		return err
	}
	c.page = openPage{page: page, rows: int(page.NumRows()), levels: page.DefinitionLevels(), data: page.Data()}
	if n := len(c.page.levels); n > 0 && n != c.page.rows {
		return fmt.Errorf("%d rows with %d definition levels", c.page.rows, n)
	}
	return nil
}

// take appends rows of the page.
func (c *columnChunk) take(out *column, rows int) error {
	p := &c.page
	if dictionary := p.page.Dictionary(); dictionary != nil {
		return c.takeIndexed(out, dictionary, rows)
	}
	switch kind := p.data.Kind(); {
	case kind == encoding.Double && c.field.kind == Number:
		return spread(p, p.data.Double(), rows, out.appendMissing, func(v float64) error { out.appendNumber(v); return nil })
	case kind == encoding.Int64 && c.field.unit > 0:
		return spread(p, p.data.Int64(), rows, out.appendMissing, c.appendWhole(out))
	case kind == encoding.Int32 && c.field.unit > 0:
		whole := c.appendWhole(out)
		return spread(p, p.data.Int32(), rows, out.appendMissing, func(v int32) error { return whole(int64(v)) })
	case kind == encoding.ByteArray && c.field.isText:
		return c.takeTexts(out, rows)
	}
	if p.values == nil {
		p.values = p.page.Values()
	}
	return c.takeValues(out, p.values, rows)
}

// spread hands values of a page to value, in their rows.
func spread[T any](p *openPage, values []T, rows int, absent func(), value func(T) error) error {
	for row := range rows {
		if len(p.levels) > 0 && p.levels[row] == 0 {
			absent()
			continue
		}
		if p.next >= len(values) {
			return fmt.Errorf("damaged Parquet: a page of %d values for more rows", len(values))
		}
		if err := value(values[p.next]); err != nil {
			return err
		}
		p.next++
	}
	return nil
}

// appendWhole appends whole numbers of the file.
func (c *columnChunk) appendWhole(out *column) func(int64) error {
	unit := c.field.unit
	if unit == 1 {
		return func(v int64) error { out.appendInt(v); return nil }
	}
	return func(v int64) error { return appendTime(out, v, unit) }
}

func (c *columnChunk) takeTexts(out *column, rows int) error {
	bytes, offsets := c.page.data.ByteArray()
	begins := offsets[:max(0, len(offsets)-1)]
	return spread(&c.page, begins, rows, out.appendNoCode, func(from uint32) error {
		to := offsets[c.page.next+1]
		if from > to || int(to) > len(bytes) {
			return errors.New("damaged Parquet: a text lies outside its page")
		}
		v := bytes[from:to]
		s, code, err := c.intern.add(v)
		if err != nil {
			return fmt.Errorf("%q %w: write the file in UTF-8", clip(string(v)), err)
		}
		out.appendCode(s, code)
		return nil
	})
}

func (c *column) appendCode(text string, code int32) {
	c.appendText(text)
	c.codes = append(c.codes, code)
}

func (c *column) appendNoCode() {
	c.appendMissing()
	c.codes = append(c.codes, -1)
}

// takeIndexed looks values up in the dictionary of the chunk, which is converted
// once.
func (c *columnChunk) takeIndexed(out *column, dictionary parquet.Dictionary, rows int) error {
	if c.dict == nil {
		dict := newColumn(c.field.kind, dictionary.Len())
		if err := c.takeValues(&dict, dictionary.Page().Values(), dictionary.Len()); err != nil {
			return err
		}
		c.dict, c.codes = &dict, make([]int32, dict.rows())
	}
	absent, known := out.appendMissing, c.appendKnown(out)
	if c.field.kind == String {
		absent = out.appendNoCode
	}
	size := int32(c.dict.rows())
	return spread(&c.page, c.page.data.Int32(), rows, absent, func(i int32) error {
		if i < 0 || i >= size {
			return fmt.Errorf("damaged Parquet: value %d of a dictionary of %d", i, size)
		}
		return known(i)
	})
}

// appendKnown returns what appends a value of the dictionary.
func (c *columnChunk) appendKnown(out *column) func(i int32) error {
	switch c.field.kind {
	case String:
		return func(i int32) error { return c.appendKnownText(out, i) }
	case Number:
		return func(i int32) error { out.appendNumber(c.dict.numbers[i]); return nil }
	}
	return func(i int32) error { out.appendInt(c.dict.ints[i]); return nil }
}

func (c *columnChunk) appendKnownText(out *column, i int32) error {
	if c.codes[i] == 0 {
		_, code, err := c.intern.add([]byte(c.dict.texts[i]))
		if err != nil {
			return err
		}
		c.codes[i] = code + 2
	}
	out.appendCode(c.dict.texts[i], c.codes[i]-2)
	return nil
}

// takeValues appends values of any type, one by one.
func (c *columnChunk) takeValues(out *column, values parquet.ValueReader, rows int) error {
	var buffer [256]parquet.Value
	for rows > 0 {
		n, err := values.ReadValues(buffer[:min(rows, len(buffer))])
		for _, v := range buffer[:n] {
			if err := c.field.append(out, v); err != nil {
				return err
			}
		}
		if rows -= n; rows > 0 && (err != nil || n == 0) {
			return fmt.Errorf("damaged Parquet: %d values are missing of a page: %w", rows, cmp.Or(err, io.ErrNoProgress))
		}
	}
	return nil
}

func (c *columnChunk) release() {
	if c.page.page != nil {
		parquet.Release(c.page.page)
	}
	c.page = openPage{}
}

func (c *columnChunk) close() {
	c.release()
	_ = c.pages.Close() // it only gives buffers back
}
