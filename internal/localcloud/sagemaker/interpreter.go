package sagemaker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"

	"steward/internal/localcloud/scriptmode"
)

// interpreter is a Python as it describes itself.
type interpreter struct {
	Executable string `json:"executable"`
	Version    string `json:"version"` // the whole of sys.version
	Prefix     string `json:"prefix"`
	Number     []int  `json:"number"` // major, minor
}

const describe = `import json, sys; print(json.dumps({"executable": sys.executable, "version": sys.version, "prefix": sys.base_prefix, "number": sys.version_info[:2]}))`

// ask finds a Python and what it is.
func ask(ctx context.Context, python string) (interpreter, error) {
	var found interpreter
	out, err := exec.CommandContext(ctx, python, "-c", describe).Output()
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return found, fmt.Errorf("python %q not found: install Python %s or later, or name an interpreter in images.json", python, scriptmode.Version)
	}
	if err == nil {
		err = json.Unmarshal(out, &found)
	}
	if err != nil {
		return found, fmt.Errorf("python %q: %w: name an interpreter that works in images.json", python, err)
	}
	if number := fmt.Sprintf("%d.%02d", found.Number[0], found.Number[1]); number < "3.09" {
		return found, fmt.Errorf("python %q is version %d.%d: name an interpreter of version %s or later in images.json", python, found.Number[0], found.Number[1], scriptmode.Version)
	}
	return found, nil
}
