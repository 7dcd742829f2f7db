package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Override names, in the environment, a built server to use instead of
// building one.
const Override = "STEWARD_DEVSERVER"

// Program is a server program. Ours is false for the `temporal` command.
type Program struct {
	Path string
	Ours bool
}

// Find returns the server to run: the one named by Override, else the
// `temporal` command, else ours (see Binary). say is told what takes time.
func Find(ctx context.Context, say func(string)) (Program, error) {
	if os.Getenv(Override) == "" {
		if found, err := exec.LookPath("temporal"); err == nil {
			return Program{Path: found}, nil
		}
	}
	ours, err := Binary(ctx, say)
	return Program{Path: ours, Ours: true}, err
}

// Binary returns our own server, building it unless this version of it was
// built before. Tests give it to the SDK's testsuite.StartDevServer as
// ExistingPath.
func Binary(ctx context.Context, say func(string)) (string, error) {
	if path := os.Getenv(Override); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w", Override, err)
		}
		return path, nil
	}
	module, err := moduleDir()
	if err != nil {
		return "", err
	}
	return build(ctx, module, say)
}

// moduleDir finds the server's module from the working directory upward.
func moduleDir() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		module := filepath.Join(dir, "internal", "devserver")
		if _, err := os.Stat(filepath.Join(module, "go.mod")); err == nil {
			return module, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no Temporal server: " + start + " is not in a checkout of steward, which builds one; " +
				"install the `temporal` command, or set " + Override + " to a built server, or TEMPORAL_ADDRESS to a running one")
		}
	}
}
