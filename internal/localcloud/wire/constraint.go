package wire

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// maxViolations bounds what a refusal tells, and so what a request may cost.
const maxViolations = 100

// violations collects what of a request breaks a constraint, in AWS's words.
type violations []string

// violated gives the refusal of a request's tree, nil if it keeps to the shape.
// Values of a wrong type are left to decode.
func violated(s *shape, tree any, code string) error {
	var found violations
	found.walk(s, tree, "")
	switch n := len(found); n {
	case 0:
		return nil
	case 1:
		return Errorf(code, "1 validation error detected: %s", found[0])
	default:
		return Errorf(code, "%d validation errors detected: %s", n, strings.Join(found, "; "))
	}
}

func (f *violations) add(s *shape, v any, path, constraint string) {
	value := "Value"
	switch {
	case v == nil:
		value = "Value null"
	case !s.Sensitive:
		value = "Value '" + shown(v) + "'"
	}
	*f = append(*f, fmt.Sprintf("%s at '%s' failed to satisfy constraint: %s", value, path, constraint))
}

// walk checks v and what is in it. A path is in the lower camel case, with the
// items of lists counted from 1.
func (f *violations) walk(s *shape, v any, path string) {
	if s == nil || v == nil || len(*f) >= maxViolations {
		return
	}
	for _, constraint := range s.broken(v) {
		f.add(s, v, path, constraint)
	}
	switch v := v.(type) {
	case []any:
		f.list(s, v, path)
	case map[string]any:
		if s.key != nil || s.value != nil {
			f.entries(s, v, path)
			return
		}
		f.structure(s, v, path)
	}
}

func (f *violations) structure(s *shape, v map[string]any, path string) {
	for _, name := range s.names {
		at := join(path, strings.ToLower(name[:1])+name[1:])
		if v[name] == nil && slices.Contains(s.Required, name) {
			f.add(s, nil, at, "Member must not be null")
		}
		f.walk(s.members[name], v[name], at)
	}
}

// list tells of texts and numbers in a list as of the list.
func (f *violations) list(s *shape, v []any, path string) {
	for i, item := range v {
		if s.item != nil && !nested(item) && len(s.item.broken(item)) > 0 {
			f.add(s, v, path, "Member must satisfy constraint: "+s.item.all())
			return
		}
		if nested(item) {
			f.walk(s.item, item, fmt.Sprintf("%s.%d.member", path, i+1))
		}
	}
}

// entries tells of keys, and of values without parts, as of the map.
func (f *violations) entries(s *shape, v map[string]any, path string) {
	var key, value bool
	for k, e := range v {
		key = key || s.key != nil && len(s.key.broken(k)) > 0
		value = value || s.value != nil && !nested(e) && len(s.value.broken(e)) > 0
		if nested(e) {
			f.walk(s.value, e, path+"."+k+".member")
		}
	}
	if key {
		f.add(s, v, path, "Map keys must satisfy constraint: "+s.key.all())
	}
	if value {
		f.add(s, v, path, "Map value must satisfy constraint: "+s.value.all())
	}
}

func nested(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// broken gives the constraints of s that v itself breaks.
func (s *shape) broken(v any) (out []string) {
	size, ok := s.size(v)
	text, isText := v.(string)
	if isText && s.Pattern != "" && s.matches() != nil && !s.matches().MatchString(text) {
		out = append(out, s.pattern())
	}
	// NaN keeps to no bound.
	if ok && s.Max != nil && !(size <= *s.Max) {
		out = append(out, s.bound("less", *s.Max))
	}
	if ok && s.Min != nil && !(size >= *s.Min) {
		out = append(out, s.bound("greater", *s.Min))
	}
	if isText && len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		out = append(out, s.set())
	}
	return out
}

// all names every constraint of s. AWS gives a length a lower bound of 0.
func (s *shape) all() string {
	var out []string
	if s.Max != nil {
		out = append(out, s.bound("less", *s.Max))
	}
	if s.Min != nil {
		out = append(out, s.bound("greater", *s.Min))
	} else if s.Max != nil && !s.Number {
		out = append(out, s.bound("greater", 0))
	}
	if s.Pattern != "" {
		out = append(out, s.pattern())
	}
	if len(s.Enum) > 0 {
		out = append(out, s.set())
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func (s *shape) pattern() string {
	return "Member must satisfy regular expression pattern: " + s.Pattern
}

func (s *shape) set() string {
	return "Member must satisfy enum value set: [" + strings.Join(s.Enum, ", ") + "]"
}

func (s *shape) bound(than string, limit float64) string {
	of := "length"
	if s.Number {
		of = "value"
	}
	return "Member must have " + of + " " + than + " than or equal to " + strconv.FormatFloat(limit, 'f', -1, 64)
}

// size is what the bounds are about. The length of a text is in units of UTF-16, as
// in Java.
func (s *shape) size(v any) (float64, bool) {
	if s.Number {
		return float(v)
	}
	switch v := v.(type) {
	case string:
		if len(v) == 0 || s.Max != nil && float64(len(v)) <= *s.Max && (s.Min == nil || *s.Min <= 1) {
			return float64(len(v)), true // no text has more units than bytes
		}
		return float64(len(utf16.Encode([]rune(v)))), true
	case []any:
		return float64(len(v)), true
	case map[string]any:
		return float64(len(v)), true
	}
	return 0, false
}

// shown writes a value as Java does.
func shown(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = shown(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+"="+shown(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		return fmt.Sprint(v)
	}
}
