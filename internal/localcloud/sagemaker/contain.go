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
	base, tmp  string   // folders: what it finds at /opt/ml, and its scratch
	hosts      string   // what it finds at /etc/hosts, if there is such a file
	alone      bool     // without a network

	env, contract map[string]string // the user's variables, and above them the contract's
}

// contain completes the spec of a run so that it plays an image: it builds
// environments and fetches source for it.
func (s *Service) contain(ctx context.Context, c contained, spec process.Spec) (process.Spec, error) {
	img, err := s.images.find(c.image)
	if err != nil {
		return spec, err
	}
	if img.Docker != "" {
		spec.WorkDir, spec.Env = c.base, s.baseEnv(c, c.base)
		return engineRun(img, c, spec)
	}
	root := optRoot
	if s.plain == nil {
		spec.Isolation = s.view(c)
	} else {
		root = c.base
		c.entrypoint, c.arguments = within(root, c.entrypoint), within(root, c.arguments)
	}
	if s.plain != nil && c.alone {
		return spec, fmt.Errorf("image %s: it shall have no network, and there are no namespaces here: %w", c.image, s.plain)
	}
	spec.WorkDir, spec.Env = root, s.baseEnv(c, root)
	if img.Python != "" {
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

// within puts base in the place of /opt/ml where an argument, or the value of an
// option (--input=/opt/ml/…), is a path below it: the command of the SageMaker Python
// SDK's processors names the script by such a path.
func within(base string, arguments []string) []string {
	mapped := make([]string, len(arguments))
	for i, a := range arguments {
		option, value, isOption := strings.Cut(a, "=")
		if !isOption {
			option, value = "", a
		}
		if rest, ok := strings.CutPrefix(value, optRoot+"/"); ok {
			value = base + "/" + rest
		}
		mapped[i] = value
		if isOption {
			mapped[i] = option + "=" + value
		}
	}
	return mapped
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
