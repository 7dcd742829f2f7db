package lifecycle

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/invopop/jsonschema"
)

// Bound is the limit of a service measurement: a share (0.01) or, written as
// a duration (200ms), seconds.
type Bound struct {
	Value   float64 // a share, or seconds
	Seconds bool
}

// UnmarshalJSON reads 0.01 or "200ms".
func (b *Bound) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		d, err := ParseDuration(text)
		*b = Bound{Value: d.Std().Seconds(), Seconds: true}
		return err
	}
	if err := json.Unmarshal(raw, &b.Value); err != nil {
		return fmt.Errorf("%s is neither a share such as 0.01 nor a duration such as 200ms", raw)
	}
	b.Seconds = false
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (b Bound) MarshalJSON() ([]byte, error) {
	if b.Seconds {
		return json.Marshal(Duration(b.Value * 1e9))
	}
	return json.Marshal(b.Value)
}

// String is the form of the model file.
func (b Bound) String() string {
	if b.Seconds {
		return Duration(b.Value * 1e9).String()
	}
	return strconv.FormatFloat(b.Value, 'g', -1, 64)
}

// JSONSchema describes both forms to editors.
func (Bound) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "number", Minimum: json.Number("0")}, Duration(0).JSONSchema(),
	}}
}
