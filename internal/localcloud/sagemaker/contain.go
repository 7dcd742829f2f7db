package sagemaker

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"steward/internal/localcloud/process"
)

// contained is one start of an image.
type contained struct {
	image      string
	entrypoint []string // takes the place of the image's own, as in `docker run`
	arguments  []string // `train`, `serve` or a training job's own
	source     string   // where script mode finds the user's source: see fetchSource
	base, tmp  string   // base plays /opt/ml
}

// contain completes the spec of a run, which has environment and log already,
// so that it plays an image: it builds environments and fetches source for it.
func (s *Service) contain(ctx context.Context, c contained, spec process.Spec) (process.Spec, error) {
	img, err := s.images.find(c.image)
	if err != nil {
		return spec, err
	}
	switch {
	case img.Docker != "":
		return engineRun(img, c, spec)
	case img.Python != "":
		return s.pythonRun(ctx, img, c, spec)
	}
	spec.Command = slices.Concat(override(c.entrypoint, img.Command), c.arguments)
	return spec, nil
}

func override(entrypoint, own []string) []string {
	if len(entrypoint) > 0 {
		return entrypoint
	}
	return own
}

// pythonRun runs the image's script, or the user's in script mode.
func (s *Service) pythonRun(ctx context.Context, img *Image, c contained, spec process.Spec) (process.Spec, error) {
	own, project := []string{img.Script}, ""
	if img.Script == "" && len(c.entrypoint) == 0 {
		tools, err := s.environments.tools()
		if err != nil {
			return spec, err
		}
		if err := s.fetchSource(ctx, c.source, c.base, c.tmp); err != nil {
			return spec, err
		}
		own, project = []string{tools}, filepath.Join(c.base, "code")
	}
	python, err := s.environment(ctx, img, project, spec.Log)
	if err != nil {
		return spec, fmt.Errorf("image %s: %w", c.image, err)
	}
	spec.Command = slices.Concat(override(c.entrypoint, append([]string{python}, own...)), c.arguments)
	spec.Env = with(spec.Env, map[string]string{
		"PATH": filepath.Dir(python) + string(filepath.ListSeparator) + valueOf(spec.Env, "PATH"),
		// What a program prints must be in the log when it is killed.
		"PYTHONUNBUFFERED": "1", "SCRIPTMODE_FRAMEWORK": img.Framework,
	})
	return spec, nil
}

// with sets variables of an environment.
func with(env []string, values map[string]string) []string {
	env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		_, replaced := values[name]
		return replaced
	})
	for name, value := range values {
		env = append(env, name+"="+value)
	}
	return env
}

func valueOf(env []string, name string) string {
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}
