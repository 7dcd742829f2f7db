package dataset

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Constraints are the checks that a constraints.json of SageMaker Model Monitor
// states, as far as they are checks of data.
type Constraints struct {
	Checks []Check
	// Left names what the file states and no check covers, and why.
	Left []string
}

// constraintsFile is the file's form (Amazon SageMaker AI developer guide,
// "Schema for Constraints"). Members that are absent constrain nothing.
type constraintsFile struct {
	Features   []featureConstraints       `json:"features"`
	Monitoring map[string]json.RawMessage `json:"monitoring_config"`
}

type featureConstraints struct {
	Name         string                     `json:"name"`
	Type         string                     `json:"inferred_type"`
	Completeness *float64                   `json:"completeness"`
	Numbers      map[string]json.RawMessage `json:"num_constraints"`
	Strings      map[string]json.RawMessage `json:"string_constraints"`
	Overrides    map[string]json.RawMessage `json:"monitoringConfigOverrides"`
}

// monitored is the part of monitoring_config that says how much may break a
// constraint.
type monitored struct {
	evaluate              string
	typed, domain         float64 // share of the values that must keep to it
	missing, extra, drift string  // Enabled or Disabled
}

// ReadConstraints reads a constraints.json. One that cannot be understood, and
// one whose evaluation is disabled, is an error that names the member.
func ReadConstraints(raw []byte) (Constraints, error) {
	var file constraintsFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return Constraints{}, fmt.Errorf("it is not of the form of Model Monitor's constraints.json: %w", err)
	}
	if len(file.Features) == 0 {
		return Constraints{}, fmt.Errorf("features is empty or absent: give the constraints of one column at least")
	}
	m, left, err := readMonitored(file.Monitoring)
	if err != nil {
		return Constraints{}, err
	}
	out := Constraints{Left: left}
	var required []string
	for i, f := range file.Features {
		if f.Name == "" {
			return Constraints{}, fmt.Errorf("features[%d].name is empty: name the column", i)
		}
		if slices.Contains(required, f.Name) {
			return Constraints{}, fmt.Errorf("features[%d].name %q is there twice", i, f.Name)
		}
		required = append(required, f.Name)
		if err := out.add(f, m); err != nil {
			return Constraints{}, fmt.Errorf("features[%d] %q: %w", i, f.Name, err)
		}
	}
	if m.missing != "Disabled" {
		out.Checks = append([]Check{{Required: required}}, out.Checks...)
	}
	return out, nil
}

func readMonitored(config map[string]json.RawMessage) (m monitored, left []string, err error) {
	m = monitored{typed: 1, domain: 1}
	known := map[string]any{
		"evaluate_constraints": &m.evaluate, "datatype_check_threshold": &m.typed, "domain_content_threshold": &m.domain,
		"missing_column_check": &m.missing, "extra_column_check": &m.extra,
		"emit_metrics": new(string), "distribution_constraints": &struct {
			Perform *string `json:"perform_comparison"`
		}{&m.drift},
	}
	for _, name := range slices.Sorted(maps.Keys(config)) {
		into, ok := known[name]
		if !ok {
			left = append(left, "monitoring_config."+name+": it is not known")
			continue
		}
		if err := json.Unmarshal(config[name], into); err != nil {
			return m, nil, fmt.Errorf("monitoring_config.%s: %w", name, err)
		}
	}
	for name, share := range map[string]float64{"datatype_check_threshold": m.typed, "domain_content_threshold": m.domain} {
		if !(share > 0 && share <= 1) {
			return m, nil, fmt.Errorf("monitoring_config.%s is %v: it is a share above 0, at most 1", name, share)
		}
	}
	if m.evaluate == "Disabled" {
		return m, nil, fmt.Errorf("monitoring_config.evaluate_constraints is Disabled: enable it, or do without the file")
	}
	if m.drift == "Enabled" {
		left = append(left, "monitoring_config.distribution_constraints: drift is for spec.watch, which compares with the training data")
	}
	if m.extra == "Enabled" {
		left = append(left, "monitoring_config.extra_column_check: columns that nobody uses do no harm")
	}
	return m, left, nil
}

// add turns what is said of one column into checks.
func (c *Constraints) add(f featureConstraints, m monitored) error {
	check := Check{Column: f.Name}
	if f.Completeness != nil {
		if !(*f.Completeness >= 0 && *f.Completeness <= 1) {
			return fmt.Errorf("completeness is %v: it is a share, from 0 to 1", *f.Completeness)
		}
		missing := rest(*f.Completeness)
		check.MaxMissing = &missing
	}
	typed, err := inferredType(f.Type)
	if err != nil {
		return err
	}
	if typed != "" {
		c.Checks = append(c.Checks, Check{Column: f.Name, Type: typed, Tolerate: rest(m.typed)})
	}
	if err := c.numbers(f, &check); err != nil {
		return err
	}
	if err := c.strings(f, m); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(f.Overrides)) {
		c.leave(f.Name, "monitoringConfigOverrides."+name)
	}
	if check.MaxMissing != nil || check.Min != nil {
		c.Checks = append(c.Checks, check)
	}
	return nil
}

// rest is what a share leaves, to 12 digits: of 0.9 it is 0.1 and not a little
// less, which a tenth of the rows would break.
func rest(share float64) float64 { return math.Round((1-share)*1e12) / 1e12 }

// inferredType is the type that values must have; "" for what holds any.
func inferredType(name string) (Type, error) {
	switch name {
	case "Integral":
		return Integer, nil
	case "Fractional":
		return Number, nil
	case "String", "Unknown", "":
		return "", nil
	}
	return "", fmt.Errorf("inferred_type is %q: known are Integral, Fractional, String and Unknown", name)
}

func (c *Constraints) numbers(f featureConstraints, check *Check) error {
	for _, name := range slices.Sorted(maps.Keys(f.Numbers)) {
		if name != "is_non_negative" {
			c.leave(f.Name, "num_constraints."+name)
			continue
		}
		var positive bool
		if err := json.Unmarshal(f.Numbers[name], &positive); err != nil {
			return fmt.Errorf("num_constraints.%s: %w", name, err)
		}
		if zero := 0.0; positive {
			check.Min = &zero
		}
	}
	return nil
}

func (c *Constraints) strings(f featureConstraints, m monitored) error {
	for _, name := range slices.Sorted(maps.Keys(f.Strings)) {
		if name != "domains" {
			c.leave(f.Name, "string_constraints."+name)
			continue
		}
		var domains []string
		if err := json.Unmarshal(f.Strings[name], &domains); err != nil {
			return fmt.Errorf("string_constraints.domains: %w", err)
		}
		if len(domains) > 0 {
			c.Checks = append(c.Checks, Check{Column: f.Name, In: domains, Tolerate: rest(m.domain)})
		}
	}
	return nil
}

func (c *Constraints) leave(column, member string) {
	c.Left = append(c.Left, fmt.Sprintf("%s of column %s: it is not known", member, column))
}

// For keeps the checks of the columns that a schema has; that the others are
// missing is what the check of required columns says. With severity they count
// as that.
func (c Constraints) For(schema Schema, severity string) []Check {
	var out []Check
	for _, check := range c.Checks {
		if _, err := schema.Field(check.Column); check.Column != "" && err != nil {
			continue
		}
		check.Severity = severity
		out = append(out, check)
	}
	return out
}

// Unchecked is what the file states and no check covers, in words; "" if there
// is nothing.
func (c Constraints) Unchecked() string { return strings.Join(c.Left, "; ") }
