// Package params reads hyperparameters: the string-to-string map of a training
// job, turned into checked numbers. All mistakes are reported at once.
package params

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Set is one job's hyperparameters. Each getter declares a name as known;
// Err, called after all of them, tells every wrong value and unknown name.
type Set struct {
	values map[string]string
	known  []string
	errs   []error
}

// New makes a set from the map that hyperparameters.json holds. Names that
// start with an underscore or `sagemaker_` are the platform's own and ignored.
func New(values map[string]string) *Set { return &Set{values: values} }

// Load reads hyperparameters.json; without the file all defaults apply.
func Load(path string) (*Set, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return New(nil), nil
	}
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	if err := json.Unmarshal(data, &values); err != nil {
		return nil, fmt.Errorf("%s: not a JSON object of strings: %w", path, err)
	}
	return New(values), nil
}

// Int is a whole number in [low, high].
func (s *Set) Int(name string, standard, low, high int) int {
	text, ok := s.get(name)
	if !ok {
		return standard
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < low || v > high {
		s.reject(name, text, fmt.Sprintf("a whole number from %d to %d", low, high))
		return standard
	}
	return v
}

// Float is a number in [low, high].
func (s *Set) Float(name string, standard, low, high float64) float64 {
	text, ok := s.get(name)
	if !ok {
		return standard
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || v < low || v > high {
		s.reject(name, text, fmt.Sprintf("a number from %v to %v", low, high))
		return standard
	}
	return v
}

// Choice is one of the allowed words, or "" when not given.
func (s *Set) Choice(name string, allowed ...string) string {
	text, ok := s.get(name)
	if ok && !slices.Contains(allowed, text) {
		s.reject(name, text, "one of "+strings.Join(allowed, ", "))
	}
	return text
}

// Text is any string, or "" when not given.
func (s *Set) Text(name string) string {
	text, _ := s.get(name)
	return text
}

// List is a comma-separated list of names.
func (s *Set) List(name string) []string {
	var items []string
	for item := range strings.SplitSeq(s.Text(name), ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// Err tells all mistakes, nil if there are none.
func (s *Set) Err() error {
	errs := slices.Clone(s.errs)
	for name := range s.values {
		if !slices.Contains(s.known, name) && !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, "sagemaker_") {
			errs = append(errs, fmt.Errorf("hyperparameter %q is unknown; known are %s", name, strings.Join(s.known, ", ")))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

func (s *Set) get(name string) (string, bool) {
	s.known = append(s.known, name)
	text, ok := s.values[name]
	text = strings.TrimSpace(text)
	return text, ok && text != ""
}

func (s *Set) reject(name, value, want string) {
	s.errs = append(s.errs, fmt.Errorf("hyperparameter %s is %q; give %s", name, value, want))
}
