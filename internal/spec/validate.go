package spec

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// validate holds the document against the schema and returns every departure.
func (d *document) validate() ([]Problem, error) {
	schema, err := compiled()
	if err != nil {
		return nil, fmt.Errorf("model file schema: %w", err)
	}
	err = schema.Validate(d.value)
	var invalid *jsonschema.ValidationError
	if err == nil || !errors.As(err, &invalid) {
		return nil, err
	}
	return d.flatten(schema, invalid), nil
}

// flatten turns the tree of departures into problems.
func (d *document) flatten(root *jsonschema.Schema, e *jsonschema.ValidationError) []Problem {
	if _, either := e.ErrorKind.(*kind.OneOf); either || len(e.Causes) == 0 {
		return d.problems(root, e)
	}
	var out []Problem
	for _, c := range e.Causes {
		out = append(out, d.flatten(root, c)...)
	}
	return out
}

var english = message.NewPrinter(language.English)

// problems words one departure; unknown and missing fields are one problem each.
func (d *document) problems(root *jsonschema.Schema, e *jsonschema.ValidationError) []Problem {
	at := fieldPath(e.InstanceLocation)
	var out []Problem
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			field := join(at, name)
			out = append(out, Problem{Line: d.line(field), Field: field,
				Message: "this field is not known here; known are " + strings.Join(knownFields(root, e.InstanceLocation), ", ")})
		}
	case *kind.Required:
		for _, name := range k.Missing {
			out = append(out, Problem{Line: d.line(at), Field: join(at, name), Message: "this field is missing: add it"})
		}
	default:
		v, _ := lookup(d.value, e.InstanceLocation)
		out = append(out, Problem{Line: d.line(at), Field: at, Value: written(v), Message: wording(e)})
	}
	return out
}

// wording says what is expected of a value.
func wording(e *jsonschema.ValidationError) string {
	switch k := e.ErrorKind.(type) {
	case *kind.Enum:
		var want []string
		for _, w := range k.Want {
			want = append(want, fmt.Sprint(w))
		}
		return "it must be one of " + strings.Join(want, ", ")
	case *kind.Type:
		return "it must be of type " + strings.Join(k.Want, " or ")
	case *kind.Pattern:
		if strings.HasPrefix(k.Want, `^(\d+d|`) {
			return "it must be a duration such as 90s, 1h30m or 14d"
		}
		return "it must match " + k.Want
	case *kind.OneOf:
		return "it must be a share such as 0.01 or a duration such as 200ms"
	}
	return e.ErrorKind.LocalizedString(english)
}

// knownFields lists the fields that the schema knows at a location.
func knownFields(s *jsonschema.Schema, location []string) []string {
	for _, part := range location {
		if s = resolve(s); s == nil {
			return nil
		}
		if sub, ok := s.Properties[part]; ok {
			s = sub
			continue
		}
		if s.Items2020 != nil {
			s = s.Items2020
			continue
		}
		return nil
	}
	if s = resolve(s); s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.Properties))
}

func resolve(s *jsonschema.Schema) *jsonschema.Schema {
	for s != nil && s.Ref != nil {
		s = s.Ref
	}
	return s
}
