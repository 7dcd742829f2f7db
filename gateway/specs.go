package gateway

import (
	"errors"
	"fmt"

	"steward/internal/lifecycle"
	"steward/internal/spec"
)

// problemsOf turns the mistakes of a model file into a refusal that lists them.
func problemsOf(err error) error {
	var mistakes *spec.Errors
	if !errors.As(err, &mistakes) {
		return fmt.Errorf("model file: %w", err)
	}
	r := refuse(lifecycle.Invalid, "the model file has %d mistakes", len(mistakes.Problems))
	if len(mistakes.Problems) == 1 {
		r.Message = "the model file has a mistake"
	}
	for _, p := range mistakes.Problems {
		r.Problems = append(r.Problems, Field(p))
	}
	return r
}
