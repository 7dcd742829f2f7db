package server

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// parent in the place of the first argument makes the test binary a program that
// launches a server and lives until it is killed.
const parent = "launch-and-wait"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == parent {
		dir := os.Args[2]
		s := newServer(Options{})
		if err := s.launch(Options{Program: Program{Path: filepath.Join(dir, "program")}, Log: filepath.Join(dir, "log")}); err != nil {
			panic(err)
		}
		<-s.done
		return
	}
	os.Exit(m.Run())
}

// A program that knows nothing of its parent ends with it too, even by kill -9.
func TestAnyProgramEndsWithItsParent(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	// The pipe's other end is open for as long as the program lives.
	script := "#!/bin/sh\nexec 3> " + pipe + "\necho runs >&3\nexec sleep 600\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "program"), []byte(script), 0o755))

	starter := exec.Command(os.Args[0], parent, dir)
	require.NoError(t, starter.Start())
	ended := make(chan error, 1)
	go func() {
		f, err := os.Open(pipe)
		if err == nil {
			out := bufio.NewReader(f)
			_, err = out.ReadString('\n')
			_ = starter.Process.Kill()
			if err == nil {
				_, err = io.Copy(io.Discard, out)
			}
		}
		ended <- err
	}()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(20 * time.Second):
		require.Fail(t, "the program outlived its parent")
	}
	require.Error(t, starter.Wait(), "it was killed")
}
