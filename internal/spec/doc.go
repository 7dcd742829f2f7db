// Package spec reads model files: strict loading that names the line, field,
// value and remedy of every mistake at once, defaults, cross-checks, and the
// JSON Schema that editors complete from.
package spec

//go:generate go run ./generate schema.json
