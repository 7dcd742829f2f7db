package spec

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	reflected "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"steward/internal/lifecycle"
)

//go:embed schema.json
var schemaJSON []byte

// Schema is the committed JSON Schema (draft 2020-12) of the model file.
func Schema() []byte { return schemaJSON }

// GenerateSchema makes the schema from the Go types. A test compares it with
// the committed one.
func GenerateSchema() ([]byte, error) {
	r := &reflected.Reflector{Anonymous: true, ExpandedStruct: true}
	s := r.Reflect(&lifecycle.ModelFile{})
	s.Title = "Steward model file"
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("model file schema: %w", err)
	}
	return append(b, '\n'), nil
}

// compiled is the schema in the form that validates.
var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaJSON))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("model.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("model.json")
})
