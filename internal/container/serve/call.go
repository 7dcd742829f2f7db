package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const (
	typeCSV   = "text/csv"
	typeJSON  = "application/json"
	typeLines = "application/jsonlines"
)

// call is the memory of one invocation, kept for the next.
type call struct {
	model  Model
	accept string
	row    []float64
	known  []bool // features the current JSON object has named
	out    []byte
	rows   int
}

var calls = sync.Pool{New: func() any { return new(call) }}

// keepBytes is the largest answer whose memory is kept.
const keepBytes = 1 << 20

func (c *call) release() {
	if cap(c.out) > keepBytes {
		c.out = nil
	}
	c.model = nil
	calls.Put(c)
}

// answer scores a body into c.out. Either all rows have a score or it fails.
func (c *call) answer(m Model, contentType, accept string, body io.Reader) error {
	read, kind, err := reader(contentType)
	if err != nil {
		return err
	}
	if c.accept, err = acceptable(accept, kind); err != nil {
		return err
	}
	n := len(m.Schema().Features)
	c.model, c.out, c.rows = m, c.out[:0], 0
	if cap(c.row) < n {
		c.row, c.known = make([]float64, n), make([]bool, n)
	}
	c.row, c.known = c.row[:n], c.known[:n]
	if c.accept == typeJSON {
		c.out = append(c.out, `{"predictions":[`...)
	}
	if err := read(c, body); err != nil {
		return err
	}
	if c.rows == 0 {
		return errors.New("the body holds no rows; send one at least")
	}
	if c.accept == typeJSON {
		c.out = append(c.out, "]}\n"...)
	}
	return nil
}

func reader(contentType string) (func(*call, io.Reader) error, string, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err == nil {
		switch kind {
		case typeCSV:
			return (*call).csv, kind, nil
		case typeJSON:
			return (*call).instances, kind, nil
		case typeLines, "application/x-jsonlines", "application/x-ndjson":
			return (*call).lines, typeLines, nil
		}
	}
	return nil, "", &problem{http.StatusUnsupportedMediaType,
		fmt.Sprintf("content type %q is not supported; send %s, %s or %s", contentType, typeCSV, typeJSON, typeLines)}
}

// acceptable picks the answer's type: the first supported one the client
// lists, or that of the request if it does not care.
func acceptable(accept, kind string) (string, error) {
	if strings.TrimSpace(accept) == "" {
		return kind, nil
	}
	for item := range strings.SplitSeq(accept, ",") {
		name, _, err := mime.ParseMediaType(item)
		if err != nil {
			continue
		}
		switch name {
		case "*/*", "application/*", "text/*":
			return kind, nil
		case typeCSV, typeJSON, typeLines:
			return name, nil
		}
	}
	return "", &problem{http.StatusNotAcceptable,
		fmt.Sprintf("accept %q cannot be met; ask for %s, %s or %s", accept, typeCSV, typeJSON, typeLines)}
}

// score adds the score of c.row to the answer.
func (c *call) score() error {
	c.rows++
	v := c.model.Score(c.row)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return &problem{http.StatusBadRequest, fmt.Sprintf("row %d: the score is not finite; check the row for extreme values", c.rows)}
	}
	switch c.accept {
	case typeCSV:
		c.out = append(strconv.AppendFloat(c.out, v, 'g', -1, 64), '\n')
		return nil
	case typeJSON:
		if c.rows > 1 {
			c.out = append(c.out, ',')
		}
	}
	c.out = append(c.out, `{"score":`...)
	c.out = strconv.AppendFloat(c.out, v, 'g', -1, 64)
	c.out = append(c.out, '}')
	if c.accept == typeLines {
		c.out = append(c.out, '\n')
	}
	return nil
}

// failed says which row, from 1, an error is about: the one after those scored.
// A body that cannot be read further is not the row's fault.
func (c *call) failed(err error) error {
	var syntax *json.SyntaxError
	var large *http.MaxBytesError
	if errors.As(err, &syntax) || errors.As(err, &large) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return &problem{http.StatusBadRequest, fmt.Sprintf("row %d: %v", c.rows+1, err)}
}
