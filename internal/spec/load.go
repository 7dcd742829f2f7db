package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"steward/internal/lifecycle"
)

// maxBytes bounds a model file; a real one has a few kilobytes.
const maxBytes = 1 << 20

// Load reads a model file, fills in defaults and checks it. name is used in
// messages. Every mistake comes back at once, as *Errors.
func Load(name string, data []byte) (lifecycle.ModelFile, error) { return load(name, data, check) }

// LoadUploaded is Load for a file that came from elsewhere: what it names by a
// folder there would be sought here in vain, and is refused.
func LoadUploaded(name string, data []byte) (lifecycle.ModelFile, error) {
	return load(name, data, func(f lifecycle.ModelFile) []Problem { return append(check(f), folders(f)...) })
}

func load(name string, data []byte, check func(lifecycle.ModelFile) []Problem) (lifecycle.ModelFile, error) {
	var file lifecycle.ModelFile
	d, problem := parse(data)
	if problem != nil {
		problem.File = name
		return file, &Errors{Problems: []Problem{*problem}}
	}
	found, err := d.validate()
	if err != nil {
		return file, fmt.Errorf("%s: %w", name, err)
	}
	if len(found) == 0 {
		if err := json.Unmarshal(d.json, &file); err != nil {
			return file, fmt.Errorf("%s: %w", name, err)
		}
		setDefaults(&file)
		found = d.place(check(file))
	}
	if len(found) == 0 {
		return file, nil
	}
	all := &Errors{Problems: found}
	for i := range all.Problems {
		all.Problems[i].File = name
	}
	all.sort()
	return file, all
}

// document is a model file as parsed: its JSON form, and where each field stands.
type document struct {
	json  []byte
	value any
	lines map[string]int // line by field path
}

func parse(data []byte) (*document, *Problem) {
	if len(data) > maxBytes {
		return nil, &Problem{Message: fmt.Sprintf("the file has %d bytes, a model file at most %d", len(data), maxBytes)}
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, syntaxProblem(err)
	}
	if n := bodies(file); n != 1 {
		return nil, &Problem{Message: fmt.Sprintf("a model file holds one YAML document, this one %d", n)}
	}
	var value any
	if err := yaml.Unmarshal(data, &value); err != nil {
		return nil, syntaxProblem(err)
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, &Problem{Message: "every key must be text: " + err.Error()}
	}
	d := &document{json: raw, lines: map[string]int{}}
	if d.value, err = jsonschema.UnmarshalJSON(bytes.NewReader(raw)); err != nil {
		return nil, &Problem{Message: err.Error()}
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			d.locate("", doc.Body)
		}
	}
	return d, nil
}

func bodies(file *ast.File) int {
	n := 0
	for _, doc := range file.Docs {
		if doc.Body != nil {
			n++
		}
	}
	return n
}

func syntaxProblem(err error) *Problem {
	p := &Problem{Message: "this is not YAML: " + err.Error()}
	var at yaml.Error
	if errors.As(err, &at) {
		p.Message = "this is not YAML: " + at.GetMessage()
		if tok := at.GetToken(); tok != nil {
			p.Line = tok.Position.Line
		}
	}
	return p
}

// locate notes the line of every field below a node.
func (d *document) locate(path string, n ast.Node) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			d.locate(path, v)
		}
	case *ast.MappingValueNode:
		key := join(path, n.Key.String())
		d.lines[key] = n.Key.GetToken().Position.Line
		d.locate(key, n.Value)
	case *ast.SequenceNode:
		for i, v := range n.Values {
			item := fmt.Sprintf("%s[%d]", path, i)
			d.lines[item] = v.GetToken().Position.Line
			d.locate(item, v)
		}
	case *ast.AnchorNode:
		d.locate(path, n.Value)
	}
}

// line is where a field stands, or else the nearest field around it.
func (d *document) line(field string) int {
	for field != "" {
		if n, ok := d.lines[field]; ok {
			return n
		}
		field = parent(field)
	}
	return 1
}

// place gives problems found in the decoded file their lines and values.
func (d *document) place(found []Problem) []Problem {
	for i := range found {
		found[i].Line = d.line(found[i].Field)
	}
	return found
}
