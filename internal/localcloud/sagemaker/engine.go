package sagemaker

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/google/uuid"

	"steward/internal/localcloud/process"
)

// engines are the programs that take the arguments of `docker run`, the
// preferred one first.
var engines = []string{"docker", "podman", "nerdctl"}

// notInside are variables of this machine that mean nothing in a container.
var notInside = []string{"PATH", "HOME", "TMPDIR", "SAGEMAKER_BASE_DIR"}

// engineRun has a container engine run the image. The engine's client passes
// SIGTERM on; when it was killed, the container is removed after it.
func engineRun(img *Image, c contained, spec process.Spec) (process.Spec, error) {
	engine, err := findEngine()
	if err != nil {
		return spec, fmt.Errorf("image %s: %w", c.image, err)
	}
	name, image, network := "steward-"+uuid.NewString(), img.Docker, "host"
	if c.alone {
		network = "none"
	}
	if image == "*" {
		image = c.image
	}
	command := []string{engine, "run", "--rm", "--name", name, "--network", network, "--volume", c.base + ":/opt/ml"}
	for _, kv := range spec.Env {
		// Only names are arguments: other users can read those, not the values.
		if name, _, _ := strings.Cut(kv, "="); !slices.Contains(notInside, name) {
			command = append(command, "--env", name)
		}
	}
	command = append(command, "--env", "SAGEMAKER_BASE_DIR=/opt/ml")
	arguments := c.arguments
	if len(c.entrypoint) > 0 {
		command = append(command, "--entrypoint", c.entrypoint[0])
		arguments = slices.Concat(c.entrypoint[1:], arguments)
	}
	spec.Command = slices.Concat(command, []string{image}, arguments)
	spec.After = []string{engine, "rm", "--force", name}
	// The client finds its engine and its registry logins by this machine's own.
	mine := map[string]string{}
	for _, kv := range spec.Env {
		if name, value, _ := strings.Cut(kv, "="); !slices.Contains(notInside, name) {
			mine[name] = value
		}
	}
	spec.Env = with(ownEnv(), mine)
	return spec, nil
}

func findEngine() (string, error) {
	for _, name := range engines {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("it is to be run by a container engine, and none of %s is in PATH: install one, or give command or python in its place in images.json",
		strings.Join(engines, ", "))
}
