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
		c.sourceKind(field, s)
		if s.SHA256 != "" && !s.Remote() {
			c.add(field+".sha256", "", "only a file that is downloaded by http or https has a digest here: take it out")
		}
		if s.Partitions == "" {
			continue
		}
		if !strings.HasPrefix(s.URI, "s3://") {
			c.add(field+".partitions", s.Partitions, "only files in S3 lie in folders: take it out")
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

// sourceKind holds that a source is one thing.
func (c *checker) sourceKind(field string, s lifecycle.Source) {
	kinds := 0
	for _, given := range []bool{s.URI != "", s.Postgres != nil, s.Traffic != nil} {
		if given {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		c.add(field, s.Name, "a source is files, a query or traffic: give one of uri, postgres and traffic")
	case s.URI != "" && s.Format == "":
		c.add(field+".format", "", "this field is missing: add it")
	case s.URI == "" && s.Format != "":
		c.add(field+".format", s.Format, "only files have a format: take it out")
	}
}
