package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"steward/internal/lifecycle"
)

// columnTypes are those that a model file may declare.
var columnTypes = []string{"number", "integer", "string", "time", "bool", "epochSeconds", "epochMillis"}

func (c *checker) sources() {
	seen := map[string]bool{}
	for i, s := range c.spec.Data.Sources {
		field := fmt.Sprintf("spec.data.sources[%d]", i)
		if seen[s.Name] {
			c.add(field+".name", s.Name, "two sources have this name: rename one")
		}
		seen[s.Name] = true
		if s.SHA256 != "" && !s.Remote() {
			c.add(field+".sha256", "", "only a file that is downloaded by http or https has a digest here: take it out")
		}
		if s.Partitions == "" {
			continue
		}
		if s.Remote() {
			c.add(field+".partitions", s.Partitions, "a file that is downloaded lies in no folders: take it out")
		}
		if _, err := lifecycle.ParsePartitions(s.Partitions); err != nil {
			c.add(field+".partitions", s.Partitions, "%s", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.spec.Data.Types)) {
		if kind := c.spec.Data.Types[name]; !slices.Contains(columnTypes, kind) {
			c.add("spec.data.types."+name, kind, "this type is not known: use one of %s", strings.Join(columnTypes, ", "))
		}
	}
}
