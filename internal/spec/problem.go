package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a model file.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Field   string `json:"field,omitempty"` // spec.data.split.by, spec.gates[2].min
	Value   string `json:"value,omitempty"` // as written, when there is one
	Message string `json:"message"`         // what is wrong and what to do
}

// String is one line: file:line: field: message (value).
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Field != "" {
		b.WriteString(": " + p.Field)
	}
	b.WriteString(": " + p.Message)
	if p.Value != "" {
		fmt.Fprintf(&b, " (it is %s)", p.Value)
	}
	return b.String()
}

// Errors is every mistake in a model file, in the file's order.
type Errors struct{ Problems []Problem }

// Error lists them, one a line.
func (e *Errors) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (e *Errors) sort() {
	slices.SortStableFunc(e.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Field, b.Field))
	})
}
