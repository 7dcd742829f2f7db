package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"steward/internal/spec"
	"steward/internal/stats"
)

// node is a JSON Schema, as far as it is used here.
type node struct {
	Ref        string           `json:"$ref"`
	Properties map[string]*node `json:"properties"`
	Required   []string         `json:"required"`
	Items      *node            `json:"items"`
	Enum       []string         `json:"enum"`
	Defs       map[string]*node `json:"$defs"`
}

// field is a field of the model file by its path, such as spec.gates[].metric.
type field struct {
	node
	required bool
}

// fields lists the fields that have no fields of their own.
func fields(t *testing.T) map[string]field {
	t.Helper()
	var root node
	require.NoError(t, json.Unmarshal(spec.Schema(), &root))
	out := map[string]field{}
	var walk func(path string, n *node, required bool)
	walk = func(path string, n *node, required bool) {
		if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
			n = root.Defs[name]
		}
		if n.Items != nil && (n.Items.Ref != "" || n.Items.Properties != nil) {
			walk(path+"[]", n.Items, required)
			return
		}
		if len(n.Properties) == 0 {
			leaf := *n
			if n.Items != nil {
				leaf.Enum = n.Items.Enum
			}
			out[path] = field{leaf, required}
			return
		}
		for name, child := range n.Properties {
			walk(strings.TrimPrefix(path+"."+name, "."), child, slices.Contains(n.Required, name))
		}
	}
	walk("", &root, true)
	return out
}

// explained are the rows of model-file.md that begin with a field's path.
func explained(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, row := range rows(read(t, "model-file.md"), "") {
		name := strings.Trim(row[0], "`")
		if name == row[0] || (!strings.Contains(name, ".") && name != "apiVersion" && name != "kind") {
			continue
		}
		require.NotContains(t, out, name, "it is explained twice")
		out[name] = row
	}
	return out
}

func TestEveryFieldIsExplained(t *testing.T) {
	known, page := fields(t), explained(t)
	require.Equal(t, slices.Sorted(maps.Keys(known)), slices.Sorted(maps.Keys(page)))
	for name, f := range known {
		row := page[name]
		require.Len(t, row, 5, "%s: field, meaning, form, default, example", name)
		for _, value := range f.Enum {
			require.Contains(t, row[1]+row[2], "`"+value+"`", name)
		}
		if f.required && !strings.Contains(name, "steps[]") {
			require.Contains(t, row[3], "required", name)
		} else if !f.required {
			require.NotEqual(t, "required", row[3], name)
		}
	}
}

// The defaults that the page names are those that loading fills in.
func TestDefaults(t *testing.T) {
	var text string
	for _, b := range blocks(read(t, "model-file.md")) {
		if b.info == "yaml model" {
			text = b.text
		}
	}
	var written map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &written))
	file, err := spec.Load("model-file.md", []byte(text))
	require.NoError(t, err)
	raw, err := json.Marshal(file)
	require.NoError(t, err)
	var loaded map[string]any
	require.NoError(t, json.Unmarshal(raw, &loaded))
	had, page, filled := values("", written), explained(t), 0
	for name, value := range values("", loaded) {
		if _, ok := had[name]; ok || value == "" || value == "0" || value == "0s" {
			continue
		}
		require.Contains(t, page, name)
		require.Contains(t, page[name][3], "`"+value+"`", name)
		filled++
	}
	require.Greater(t, filled, 10)
}

// values are the single values of a document by their path.
func values(path string, v any) map[string]string {
	out := map[string]string{}
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			maps.Copy(out, values(strings.TrimPrefix(path+"."+name, "."), child))
		}
	case []any:
		for _, child := range v {
			if _, deep := child.(map[string]any); !deep {
				return map[string]string{path: ""}
			}
			maps.Copy(out, values(path+"[]", child))
		}
	default:
		out[path] = fmt.Sprint(v)
	}
	return out
}

func TestMetrics(t *testing.T) {
	for _, row := range rows(read(t, "model-file.md"), "## Metrics")[1:] {
		task := strings.Trim(row[0], "`")
		higher, lower := all("`([a-z0-9_]+)`", row[1]), all("`([a-z0-9_]+)`", row[2])
		require.ElementsMatch(t, stats.KnownMetrics(task), slices.Concat(higher, lower), task)
		for _, name := range higher {
			better, err := stats.HigherIsBetter(name)
			require.NoError(t, err)
			require.True(t, better, name)
		}
	}
}
