package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program is a process of the steward command that runs for a while.
type program struct {
	name string
	cmd  *exec.Cmd
	out  io.Reader
	log  string        // file with what it said to people
	done chan struct{} // closed when it has ended
	err  error         // how, once done is closed
}

// launch starts the command for a home. What it says goes to a file there.
func launch(home, name string, args ...string) (*program, error) {
	if err := os.MkdirAll(filepath.Join(home, "tmp"), 0o700); err != nil {
		return nil, err
	}
	p := &program{name: name, cmd: command(home, args...), log: filepath.Join(home, name+".log"), done: make(chan struct{})}
	said, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = said.Close() }()
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	p.out, p.cmd.Stdout, p.cmd.Stderr = out, in, said
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// command prepares the steward command for a home, in an environment that says
// nothing of AWS, Temporal or Steward but what a test wants.
func command(home string, args ...string) *exec.Cmd {
	cmd := exec.Command(built.steward, append(args, "--home", home)...)
	tie(cmd)
	cmd.Env = append(bareEnv(), "STEWARD_DEVSERVER="+built.server, "STEWARD_POLL=200ms", "TMPDIR="+filepath.Join(home, "tmp"),
		"PIP_NO_INDEX=1", "PIP_COMPILE=0", "PIP_FIND_LINKS="+filepath.Join(built.tools, "wheels"))
	return cmd
}

func bareEnv() []string {
	env := []string{"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "_")
		if name != "AWS" && name != "TEMPORAL" && name != "STEWARD" {
			env = append(env, pair)
		}
	}
	return env
}

// said is all that the program has told people so far.
func (p *program) said() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// end sends a signal and waits for the end.
func (p *program) end(sig os.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return p.err
	case <-time.After(patience):
		return fmt.Errorf("%s did not end within %s of %s: %s", p.name, patience, sig, p.said())
	}
}

// kill ends the program as kill -9 does.
func (p *program) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	<-p.done
}

// answer is what a run of the command left: exit code and output.
type answer struct {
	code     int
	out, err string
}

// ask runs the command once. One that does not end is ended.
func ask(t *testing.T, home string, args ...string) answer {
	t.Helper()
	cmd := command(home, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Start())
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Signal(os.Interrupt) })
	err := cmd.Wait()
	require.True(t, late.Stop(), "steward %s did not end within %s: %s", strings.Join(args, " "), patience, &errs)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return answer{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}
