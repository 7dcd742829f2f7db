package main

import (
	_ "embed"

	"steward/internal/lifecycle"
	"steward/internal/spec"
)

//go:embed release.yaml
var modelFile []byte

// declared is the model of the cases, as the gateway would read it.
func declared() (lifecycle.Apply, error) {
	f, err := spec.Load("release.yaml", modelFile)
	if err != nil {
		return lifecycle.Apply{}, err
	}
	digest, err := lifecycle.Digest(f.Spec)
	return lifecycle.Apply{Model: f.Metadata, Spec: f.Spec, Digest: digest, By: "ana"}, err
}
