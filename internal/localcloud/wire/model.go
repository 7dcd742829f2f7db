package wire

import (
	"embed"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// models are what AWS's service models say of requests; models/generate.py writes
// them and says from what.
//
//go:embed models/*.json
var models embed.FS

// model is a service's part of them.
type model struct {
	Code       string            // of a refusal
	Operations map[string]string // the shape of each one's input
	Shapes     map[string]*shape
}

// shape is what a value may be. A bound is of the value of a number, of the length
// of anything else.
type shape struct {
	Min, Max          *float64
	Pattern           string
	Enum, Required    []string
	Members           map[string]string // by name; like the next three, names of shapes
	Item, Key, Value  string
	Number, Sensitive bool

	names            []string // of the members to look at, in order
	members          map[string]*shape
	item, key, value *shape
	// matches gives the whole of what the pattern allows, nil for a pattern of
	// Java's that Go does not have.
	matches func() *regexp.Regexp
}

// readModel reads models/<name>.json.
func readModel(name string) *model {
	data, err := models.ReadFile("models/" + name + ".json")
	if err != nil {
		panic("wire: " + err.Error())
	}
	m := &model{}
	if err := json.Unmarshal(data, m); err != nil {
		panic("wire: models/" + name + ".json: " + err.Error())
	}
	for _, s := range m.Shapes {
		s.link(m.Shapes)
	}
	return m
}

// link follows the names of shapes.
func (s *shape) link(shapes map[string]*shape) {
	s.item, s.key, s.value = shapes[s.Item], shapes[s.Key], shapes[s.Value]
	s.members = make(map[string]*shape, len(s.Members))
	for name, of := range s.Members {
		s.members[name] = shapes[of]
	}
	for _, name := range s.Required {
		if s.members[name] == nil {
			s.members[name] = &shape{} // may be anything but absent
		}
	}
	s.names = slices.Sorted(maps.Keys(s.members))
	s.matches = sync.OnceValue(func() *regexp.Regexp { // most are never needed
		whole, err := regexp.Compile(`\A(?:` + fromJava.Replace(s.Pattern) + `)\z`)
		if err != nil {
			return nil
		}
		return whole
	})
}

// fromJava writes what the models use of Java's patterns in Go's way: repetitions
// beyond Go's 1,000, which bounds of the length hold too, classes, and what looks
// ahead or back.
var fromJava = strings.NewReplacer(
	`{1,2048}`, `+`, `{0,1023}`, `*`, `{0,1024}`, `*`,
	`\p{Alnum}`, `[:alnum:]`, `\p{Print}`, `[[:print:]]`, // the first only in brackets, the other only outside
	`\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF`, `\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}`,
	`([a-zA-Z0-9]([a-zA-Z0-9-]){0,62})(?<!-)`, `[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?`,
	`(?!\s*$).+`, `.*\S.*`,
)

// Constrained makes the operations refuse, in AWS's words, what the service's model
// does not allow: models/<name>.json. It panics if the model lacks an operation.
func (ops Operations) Constrained(name string) Operations {
	m := readModel(name)
	out := Operations{}
	for operation, op := range ops {
		input, ok := m.Operations[operation]
		if !ok {
			panic("wire: models/" + name + ".json has no " + operation + ": run models/generate.py")
		}
		op.allowed, op.code = m.Shapes[input], m.Code
		out[operation] = op
	}
	return out
}
