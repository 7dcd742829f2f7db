package spec

import (
	"fmt"
	"strconv"
	"strings"
)

// join adds a key to a field path.
func join(path, key string) string {
	key = strings.Trim(key, `"'`)
	if path == "" {
		return key
	}
	return path + "." + key
}

// fieldPath turns a JSON location into a field path: spec.gates[2].min.
func fieldPath(location []string) string {
	path := ""
	for _, part := range location {
		if _, err := strconv.Atoi(part); err == nil {
			path += "[" + part + "]"
			continue
		}
		path = join(path, part)
	}
	return path
}

// parent is the path of the field around a field.
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

// lookup finds the value at a JSON location.
func lookup(v any, location []string) (any, bool) {
	for _, part := range location {
		switch x := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = x[part]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// written is a value as a message shows it; large ones are left out.
func written(v any) string {
	switch v.(type) {
	case map[string]any, []any:
		return ""
	case string:
		return fmt.Sprintf("%q", v)
	case nil:
		return "empty"
	}
	return fmt.Sprint(v)
}
