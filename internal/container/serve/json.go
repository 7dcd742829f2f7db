package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"

	"steward/internal/container/frame"
)

// instances scores {"instances": [row, …]}; a row is an object of features by
// name or an array of them in model order.
func (c *call) instances(body io.Reader) error {
	d := decoder(body)
	err := c.envelope(d)
	if err == nil {
		err = end(d)
	}
	return remedy(err, `send {"instances": [{"feature": value, …}, …]}`)
}

func (c *call) envelope(d *json.Decoder) error {
	if err := expect(d, '{'); err != nil {
		return err
	}
	found := false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		if name != "instances" || found {
			return fmt.Errorf(`field %q is unknown or repeated`, name)
		}
		found = true
		if err := expect(d, '['); err != nil {
			return err
		}
		for d.More() {
			if err := c.instance(d); err != nil {
				return err
			}
		}
		if err := expect(d, ']'); err != nil {
			return err
		}
	}
	return expect(d, '}')
}

// lines scores one row after another.
func (c *call) lines(body io.Reader) error {
	d := decoder(body)
	for d.More() {
		if err := c.instance(d); err != nil {
			return remedy(err, `send one {"feature": value, …} a line`)
		}
	}
	return remedy(end(d), `send one {"feature": value, …} a line`)
}

func decoder(body io.Reader) *json.Decoder {
	d := json.NewDecoder(body)
	d.UseNumber()
	return d
}

func (c *call) instance(d *json.Decoder) error {
	token, err := d.Token()
	switch {
	case err != nil:
	case token == json.Delim('{'):
		err = c.object(d)
	case token == json.Delim('['):
		err = c.array(d)
	default:
		err = fmt.Errorf("is %v; want an object or an array", token)
	}
	if err != nil {
		return c.failed(err)
	}
	return c.score()
}

func (c *call) object(d *json.Decoder) error {
	s := c.model.Schema()
	clear(c.known)
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		j := s.Index(name)
		if j < 0 {
			return fmt.Errorf("feature %q is unknown; the model knows %s", name, strings.Join(s.Names(), ", "))
		}
		if c.known[j] {
			return fmt.Errorf("feature %q is given twice; send it once", name)
		}
		c.known[j] = true
		if c.row[j], err = value(d, &s.Features[j]); err != nil {
			return err
		}
	}
	if err := expect(d, '}'); err != nil {
		return err
	}
	for j, known := range c.known {
		if !known {
			return fmt.Errorf("feature %q is not given; send null if it is missing", s.Features[j].Name)
		}
	}
	return nil
}

func (c *call) array(d *json.Decoder) error {
	s := c.model.Schema()
	n := 0
	for ; d.More(); n++ {
		if n == len(s.Features) {
			return fmt.Errorf("has more than %d columns; send %s", n, strings.Join(s.Names(), ", "))
		}
		var err error
		if c.row[n], err = value(d, &s.Features[n]); err != nil {
			return fmt.Errorf("column %d: %w", n+1, err)
		}
	}
	if err := expect(d, ']'); err != nil {
		return err
	}
	if n < len(s.Features) {
		return fmt.Errorf("has %d columns; send %d: %s", n, len(s.Features), strings.Join(s.Names(), ", "))
	}
	return nil
}

// value encodes one JSON value. A category may be sent as a string, a number or
// a boolean, since in CSV, where it was learnt, all look alike.
func value(d *json.Decoder, f *frame.Feature) (float64, error) {
	token, err := d.Token()
	if err != nil {
		return 0, err
	}
	switch v := token.(type) {
	case nil:
		return math.NaN(), nil
	case string:
		return f.Encode(v)
	case json.Number:
		return f.Encode(v.String())
	case bool:
		if f.Kind == frame.Categorical {
			return f.Code(fmt.Sprint(v)), nil
		}
	}
	return 0, fmt.Errorf("feature %q: %v is not a number; send a number or null", f.Name, token)
}

func expect(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("at byte %d: found %v, want %v", d.InputOffset(), token, want)
	}
	return nil
}

// end makes sure that nothing follows.
func end(d *json.Decoder) error {
	token, err := d.Token()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("at byte %d: %v follows the end of the document", d.InputOffset(), token)
	}
	return err
}

// remedy says what to send when the body is not the JSON expected or cut short.
func remedy(err error, say string) error {
	var known *problem
	var large *http.MaxBytesError
	switch {
	case err == nil || errors.As(err, &known) || errors.As(err, &large):
		return err
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the body ends too early")
	}
	return fmt.Errorf("%w; %s", err, say)
}
