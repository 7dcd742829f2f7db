package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().(*net.TCPAddr).Port
}

func options(t *testing.T, dir string) Options {
	t.Helper()
	binary, err := Binary(t.Context(), func(s string) { t.Log(s) })
	require.NoError(t, err)
	return Options{
		Program: Program{Path: binary, Ours: true}, Port: freePort(t), UIPort: freePort(t),
		Database: filepath.Join(dir, "temporal.db"), Log: filepath.Join(dir, "log"),
		Attributes: map[string]string{"StewardModel": "Keyword"},
	}
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(t, s.Stop(ctx))
}

// A workflow that was started is there after a restart.
func TestRestartResumes(t *testing.T) {
	dir := t.TempDir()
	s, err := Start(t.Context(), options(t, dir))
	require.NoError(t, err)
	c, err := client.Dial(client.Options{HostPort: s.Address, Logger: quiet{}})
	require.NoError(t, err)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "w", TaskQueue: "q"}, "Anything")
	require.NoError(t, err)
	c.Close()
	stop(t, s)

	s, err = Start(t.Context(), options(t, dir))
	require.NoError(t, err)
	defer stop(t, s)
	c, err = client.Dial(client.Options{HostPort: s.Address, Logger: quiet{}})
	require.NoError(t, err)
	defer c.Close()
	d, err := c.DescribeWorkflowExecution(t.Context(), "w", "")
	require.NoError(t, err)
	require.Equal(t, run.GetRunID(), d.GetWorkflowExecutionInfo().GetExecution().GetRunId())
}

// Our server takes every flag that the `temporal` command is given.
func TestStandsInForTheCommand(t *testing.T) {
	bin := t.TempDir()
	o := options(t, t.TempDir())
	script := fmt.Sprintf("#!/bin/sh\nexec %s \"$@\"\n", o.Program.Path)
	require.NoError(t, os.WriteFile(filepath.Join(bin, "temporal"), []byte(script), 0o755))
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv(Override, "")
	var err error
	o.Program, err = Find(t.Context(), func(string) {})
	require.NoError(t, err)
	require.Equal(t, Program{Path: filepath.Join(bin, "temporal")}, o.Program)
	s, err := Start(t.Context(), o)
	require.NoError(t, err)
	stop(t, s)
}

// The server goes when the pipe that its parent holds breaks.
func TestEndsWithItsParent(t *testing.T) {
	s, err := Start(t.Context(), options(t, t.TempDir()))
	require.NoError(t, err)
	require.NoError(t, s.stdin.Close())
	select {
	case <-s.Done():
	case <-time.After(20 * time.Second):
		require.Fail(t, "the server outlived its parent")
	}
}

// A server that does not end when it is told to is not waited for for ever.
func TestStopHasALimit(t *testing.T) {
	dir := t.TempDir()
	o := Options{Program: Program{Path: filepath.Join(dir, "program")}, Log: filepath.Join(dir, "log")}
	require.NoError(t, os.WriteFile(o.Program.Path, []byte("#!/bin/sh\ntrap '' TERM\necho deaf\nexec sleep 600\n"), 0o755))
	s := newServer(o)
	s.ending = 50 * time.Millisecond
	require.NoError(t, s.launch(o))
	require.Eventually(t, func() bool { return strings.Contains(tail(o.Log), "deaf") }, 10*time.Second, 10*time.Millisecond)
	require.ErrorContains(t, s.Stop(context.Background()), "it did not end within 50ms")
	<-s.Done()
}

func TestFailureShowsTheLog(t *testing.T) {
	o := options(t, t.TempDir())
	o.Attributes = map[string]string{"StewardModel": "Colour"}
	_, err := Start(t.Context(), o)
	require.ErrorContains(t, err, "it ended at once")
	require.ErrorContains(t, err, "write name=Type")
}

func TestNoServer(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv(Override, "")
	t.Setenv("PATH", t.TempDir())
	_, err := Find(t.Context(), func(string) {})
	require.ErrorContains(t, err, "install the `temporal` command")

	t.Setenv(Override, filepath.Join(t.TempDir(), "none"))
	_, err = Find(t.Context(), func(string) {})
	require.ErrorContains(t, err, Override)
}

// Who waits for another's build can give up.
func TestWaitingForABuildEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(t.Context(), dir)
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("given up"))
	_, err = lock(ctx, dir)
	require.ErrorContains(t, err, "given up")
	unlock()
	unlock, err = lock(t.Context(), dir)
	require.NoError(t, err)
	unlock()
}

// build is done once for the same sources and again for others.
func TestBuildIsCached(t *testing.T) {
	compiled, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	require.NoError(t, err)
	caches := strings.Fields(string(compiled))
	t.Setenv("GOCACHE", caches[0])
	t.Setenv("GOMODCACHE", caches[1])
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("go.mod", "module example.com/server\n\ngo 1.26\n")
	write("go.sum", "")
	write("main.go", "package main\n\nfunc main() {}\n")
	builds := 0
	say := func(string) { builds++ }
	first, err := build(t.Context(), dir, say)
	require.NoError(t, err)
	again, err := build(t.Context(), dir, say)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, 1, builds)

	write("main.go", "package main\n\nfunc main() { println() }\n")
	other, err := build(t.Context(), dir, say)
	require.NoError(t, err)
	require.NotEqual(t, first, other)
	require.Equal(t, 2, builds)

	write("main.go", "package main\n\nfunc main() { wrong }\n")
	_, err = build(t.Context(), dir, say)
	require.ErrorContains(t, err, "undefined: wrong")
}
