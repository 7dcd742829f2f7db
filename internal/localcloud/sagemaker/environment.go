package sagemaker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"steward/internal/localcloud/process"
	"steward/internal/localcloud/scriptmode"
)

// buildGrace is how long a build that is told to end may take.
const buildGrace = 5 * time.Second

// environments are the virtual environments of Python images. Each is a folder
// named after a digest of its interpreter and requirements, with the record of
// the run that built it: it is complete if that run ended well. One that was
// left half-built is built again from nothing.
type environments struct {
	dir    string
	builds singleflight.Group
	tools  func() (string, error) // the folder of package scriptmode
}

func newEnvironments(dir string) *environments {
	return &environments{dir: dir, tools: sync.OnceValues(func() (string, error) { return scriptmode.Write(dir) })}
}

// environment returns the Python that has all the requirements, which are the
// image's and those of a project in a folder, if it has any. It builds the
// environment unless there is one; jobs that need the same one wait for one
// build, whose output goes into the log of each. Without requirements it is
// the image's interpreter itself.
func (s *Service) environment(ctx context.Context, img *Image, project, log string) (string, error) {
	python, err := ask(ctx, img.Python)
	if err != nil {
		return "", err
	}
	files, err := requirementFiles(img.Requirements, project)
	if err != nil || len(files) == 0 {
		return python.Executable, err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n%s\n", python.Executable, python.Version, python.Prefix)
	for _, f := range files {
		fmt.Fprintf(sum, "%s\n%s\n", f.text, f.digest)
	}
	dir := filepath.Join(s.environments.dir, hex.EncodeToString(sum.Sum(nil))[:24])
	select {
	case built := <-s.environments.builds.DoChan(dir, func() (any, error) { return s.ensure(dir, python, files) }):
		if fresh, _ := built.Val.(bool); fresh {
			err = appendFile(log, filepath.Join(dir, "build.log"))
		}
		return filepath.Join(dir, "env", "bin", "python"), errors.Join(built.Err, err)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// ensure is a build as work that Close waits for. fresh says that it was built.
func (s *Service) ensure(dir string, python interpreter, files []requirementFile) (fresh bool, err error) {
	done := make(chan struct{})
	if !s.spawn(func() {
		defer close(done)
		fresh, err = s.build(dir, python, files)
	}) {
		return false, s.ctx.Err()
	}
	<-done
	return fresh, err
}

func (s *Service) build(dir string, python interpreter, files []requirementFile) (fresh bool, err error) {
	if built, err := complete(filepath.Join(dir, "run")); built || err != nil {
		return false, err
	}
	tools, err := s.environments.tools()
	if err != nil {
		return false, err
	}
	command := []string{python.Executable, filepath.Join(tools, scriptmode.Builder), filepath.Join(dir, "env")}
	if err := first(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return false, err
	}
	for i, f := range files {
		if f.path == "" {
			f.path = filepath.Join(dir, fmt.Sprintf("requirements-%d.txt", i))
			if err := os.WriteFile(f.path, []byte(f.text+"\n"), 0o644); err != nil {
				return false, err
			}
		}
		command = append(command, f.path)
	}
	log := filepath.Join(dir, "build.log")
	run, err := process.Start(process.Spec{Dir: filepath.Join(dir, "run"), Command: command, Env: ownEnv(), WorkDir: dir,
		Log: log, Grace: buildGrace, Bound: true})
	if err != nil {
		return false, err
	}
	select {
	case <-run.Done():
	case <-s.ctx.Done():
		err := run.Interrupt()
		<-run.Done()
		return false, errors.Join(s.ctx.Err(), err)
	}
	exit, err := run.Exit()
	if err == nil && !exit.OK() {
		err = fmt.Errorf("the Python environment could not be built: %s: correct the requirements, or see the whole output in the log", lastLine(log))
	}
	return true, err
}

// complete reports whether a build ended well. One that an earlier service left
// running is ended.
func complete(dir string) (bool, error) {
	run, err := process.Attach(dir)
	if errors.Is(err, process.ErrNeverStarted) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := run.Interrupt(); err != nil {
		return false, err
	}
	<-run.Done()
	exit, err := run.Exit()
	if errors.Is(err, process.ErrLost) {
		return false, nil
	}
	return err == nil && exit.OK(), err
}

// lastLine is the end of what a run has said, without its supervisor's word.
func lastLine(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	said, _, _ := strings.Cut(string(text), "\n"+process.UsageMark)
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return truncate(lines[len(lines)-1], maxFailure)
}

// appendFile adds the content of a file to another one.
func appendFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// passedOn begins the names of this process's own variables that a build, or the
// client of an engine, may need. Others, which may be secrets, are not written into
// the record of its run.
var passedOn = []string{"PATH=", "HOME=", "USER=", "LANG=", "LC_", "TMPDIR=", "PIP_", "SSL_CERT_", "XDG_", "DOCKER_", "CONTAINER_",
	"HTTP_PROXY=", "HTTPS_PROXY=", "NO_PROXY=", "ALL_PROXY=", "http_proxy=", "https_proxy=", "no_proxy=", "all_proxy="}

func ownEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return !slices.ContainsFunc(passedOn, func(name string) bool { return strings.HasPrefix(kv, name) })
	})
}
