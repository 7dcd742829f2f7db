package sns

import (
	"encoding/json"
	"slices"
	"strconv"
)

// filter is a FilterPolicy of exact values: a message must have one of the values of
// every attribute that it names.
type filter map[string][]any

// parseFilter refuses what is more than exact values.
func parseFilter(policy string) (filter, error) {
	var f filter
	if err := json.Unmarshal([]byte(policy), &f); err != nil {
		return nil, invalid("Attributes Reason: FilterPolicy: %v: the local cloud takes an object of lists of values, such as {\"level\": [\"high\"]}", err)
	}
	for name, values := range f {
		if len(values) == 0 {
			return nil, invalid("Attributes Reason: FilterPolicy: Empty arrays are not allowed: %s", name)
		}
		for _, v := range values {
			switch v.(type) {
			case string, float64, bool:
			default:
				return nil, invalid("Attributes Reason: FilterPolicy: %s: operators such as prefix, numeric and exists are not supported by the local cloud: name exact values", name)
			}
		}
	}
	return f, nil
}

// takes tells whether a message with these attributes passes.
func (f filter) takes(attributes map[string]attribute) bool {
	for name, wanted := range f {
		if !slices.ContainsFunc(attributes[name].values(), func(v any) bool { return slices.Contains(wanted, v) }) {
			return false
		}
	}
	return true
}

// values are what a filter compares: texts, numbers, and the elements of arrays.
func (a attribute) values() []any {
	switch a.Type {
	case "String":
		return []any{a.Value}
	case "Number":
		if f, err := strconv.ParseFloat(a.Value, 64); err == nil {
			return []any{f}
		}
	case "String.Array":
		var list []any
		if json.Unmarshal([]byte(a.Value), &list) == nil {
			return slices.DeleteFunc(list, func(v any) bool {
				switch v.(type) {
				case string, float64, bool:
					return false
				}
				return true // null and what is nested equals nothing
			})
		}
	}
	return nil
}
