package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonRows reads JSON lines: one flat object a line, its keys the columns. Null
// and an absent key are missing. A nested value is an error if it is read. Keys may differ between the lines of the
// sample; a key that first appears after it is an error, unless only named
// columns are read.
type jsonRows struct {
	in      *bufio.Reader
	decoder *jsontext.Decoder
	long    []byte
	at      int

	known  []string
	index  map[string]int
	fixed  bool
	ignore bool
	cells  []cell
}

func newJSONRows(in *bufio.Reader) *jsonRows {
	return &jsonRows{in: in, index: map[string]int{}, decoder: jsontext.NewDecoder(bytes.NewReader(nil))}
}

func (j *jsonRows) names() []string { return j.known }
func (j *jsonRows) line() int       { return j.at }
func (j *jsonRows) fix(extra bool)  { j.fixed, j.ignore = true, extra }

func (j *jsonRows) next() ([]cell, error) {
	for {
		line, err := j.readLine()
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return j.parse(line)
		}
	}
}

// readLine returns the next line, valid until the next call.
func (j *jsonRows) readLine() ([]byte, error) {
	j.long = j.long[:0]
	j.at++
	for {
		part, err := j.in.ReadSlice('\n')
		if err == nil && len(j.long) == 0 {
			return part, nil
		}
		j.long = append(j.long, part...)
		switch {
		case len(j.long) > maxRecord:
			return nil, fmt.Errorf("a line is longer than %d MiB", maxRecord>>20)
		case err == nil, err == io.EOF && len(j.long) > 0:
			return j.long, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

func (j *jsonRows) parse(line []byte) ([]cell, error) {
	j.decoder.Reset(bytes.NewBuffer(line))
	for i := range j.cells {
		j.cells[i] = cell{missing: true}
	}
	if err := j.object(); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("each line must be one flat JSON object: %w", err)
	}
	if _, err := j.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value on the line")
	}
	return j.cells, nil
}

func (j *jsonRows) object() error {
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
		if err := j.member(key.String()); err != nil {
			return err
		}
	}
}

func (j *jsonRows) member(name string) error {
	at, ok := j.index[name]
	switch {
	case ok:
	case j.fixed && j.ignore:
		return j.decoder.SkipValue()
	case j.fixed:
		return fmt.Errorf("column %q is not in the first %d rows (columns: %s)", name, BatchRows, strings.Join(j.known, ", "))
	case name == "":
		return errors.New("a column has no name")
	default:
		at = len(j.known)
		j.index[name] = at
		j.known = append(j.known, name)
		j.cells = append(j.cells, cell{missing: true})
	}
	kind := j.decoder.PeekKind()
	if kind == '{' || kind == '[' {
		j.cells[at] = cell{text: describe(kind), nested: true}
		return j.decoder.SkipValue()
	}
	value, err := j.decoder.ReadToken()
	if err != nil {
		return err
	}
	j.cells[at] = cell{text: value.String(), quoted: kind == '"', missing: kind == 'n'}
	return nil
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
