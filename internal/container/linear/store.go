package linear

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"steward/internal/container/frame"
)

const (
	modelFile    = "model.json"
	featuresFile = "features.json"
	format       = "steward/linear/1"
)

// Save writes the model into a directory.
func (m *Model) Save(dir string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := m.schema.Save(filepath.Join(dir, featuresFile)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, modelFile), append(data, '\n'), 0o644)
}

// Load reads what Save wrote. Errors name the file and the field.
func Load(dir string) (*Model, error) {
	schema, err := frame.LoadSchema(filepath.Join(dir, featuresFile))
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, modelFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &Model{schema: schema}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// check makes sure that no row can index beyond the coefficients.
func (m *Model) check() error {
	if m.Format != format {
		return fmt.Errorf("format is %q; want %q", m.Format, format)
	}
	if len(m.Terms) != len(m.schema.Features) {
		return fmt.Errorf("terms has %d entries; %s lists %d features", len(m.Terms), featuresFile, len(m.schema.Features))
	}
	for j, t := range m.Terms {
		f := &m.schema.Features[j]
		if f.Kind == frame.Categorical && len(t.Levels) != f.Codes() {
			return fmt.Errorf("terms[%d].levels has %d entries; feature %q has %d", j, len(t.Levels), f.Name, f.Codes())
		}
		if f.Kind == frame.Numeric && (t.Levels != nil || t.Scale == 0) {
			return fmt.Errorf("terms[%d]: feature %q is numeric and needs a scale other than 0 and no levels", j, f.Name)
		}
	}
	return nil
}
