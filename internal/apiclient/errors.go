package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Types of errors that the gateway adds to those of package lifecycle.
const (
	Unauthorized = "Unauthorized" // no token, or nobody's
	Unavailable  = "Unavailable"  // the gateway cannot reach Temporal now
)

// ErrUnreachable is in the chain when no gateway answered at all.
var ErrUnreachable = errors.New("the gateway cannot be reached")

// Error is a refusal by the gateway.
type Error struct {
	Status   int       `json:"-"`
	Type     string    `json:"type"` // of package lifecycle, or one of the above
	Message  string    `json:"message"`
	Problems []Problem `json:"problems,omitempty"`
}

// Problem is one mistake in a model file.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Field   string `json:"field,omitempty"`
	Value   any    `json:"value,omitempty"`
	Message string `json:"message"`
}

// Error is the message, with one line a problem.
func (e *Error) Error() string {
	lines := []string{e.Message}
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// String is file:line: field: message, as far as they are known.
func (p Problem) String() string {
	var at []string
	switch {
	case p.File != "" && p.Line > 0:
		at = append(at, fmt.Sprintf("%s:%d", p.File, p.Line))
	case p.File != "":
		at = append(at, p.File)
	case p.Line > 0:
		at = append(at, fmt.Sprintf("line %d", p.Line))
	}
	if p.Field != "" {
		at = append(at, p.Field)
	}
	return strings.Join(append(at, p.Message), ": ")
}

// refusal reads an error answer. One that is not the gateway's own, from a
// proxy in between for example, is quoted.
func refusal(status int, body []byte) error {
	e := &Error{Status: status}
	if json.Unmarshal(body, e) != nil || e.Type == "" {
		text := strings.TrimSpace(string(body))
		if len(text) > 200 {
			text = text[:200] + "…"
		}
		e.Type, e.Message = "Internal", fmt.Sprintf("the answer was %d %s: %s", status, http.StatusText(status), text)
	}
	return e
}

// unreachable keeps a caller's own cancellation apart from a missing gateway.
func unreachable(ctx context.Context, base string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("gateway %s: %w", base, context.Cause(ctx))
	}
	return fmt.Errorf("%w at %s: %w", ErrUnreachable, base, err)
}

// Type returns the type of the gateway's refusal in err's chain, or "".
func Type(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Type
	}
	return ""
}
