package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/devstack"
)

func TestNewHomeReplacesAnEarlierDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "demo")
	require.NoError(t, newHome(dir))
	left := filepath.Join(dir, "march.parquet")
	require.NoError(t, os.WriteFile(left, nil, 0o600))
	require.NoError(t, newHome(dir))
	require.NoFileExists(t, left)
	require.FileExists(t, filepath.Join(dir, marker))
}

func TestNewHomeOfARunningDemo(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, newHome(dir))
	home, err := devstack.At(dir)
	require.NoError(t, err)
	release, err := home.Lock()
	require.NoError(t, err)
	require.ErrorContains(t, newHome(dir), fmt.Sprintf("still runs; end it first (pid %d)", os.Getpid()))
	require.FileExists(t, filepath.Join(dir, marker))
	require.NoError(t, release())
	require.NoError(t, newHome(dir))
}

func TestNewHomeLeavesADevelopersHome(t *testing.T) {
	dir := t.TempDir()
	_, err := devstack.Make(dir)
	require.NoError(t, err)
	require.ErrorContains(t, newHome(dir), "was not made by a demo")
	require.FileExists(t, filepath.Join(dir, "env"))
}

// What the caller's shell has sourced must not reach the demo's commands.
func TestEnvironment(t *testing.T) {
	t.Setenv("TEMPORAL_ADDRESS", "elsewhere:7233")
	t.Setenv("STEWARD_GATEWAY", "http://elsewhere")
	t.Setenv("AWS_PROFILE", "company")
	t.Setenv("STEWARD_DEVSERVER", "/built")
	env := environment()
	for _, pair := range env {
		require.NotRegexp(t, "^(TEMPORAL|AWS)_|^STEWARD_GATEWAY", pair)
	}
	require.Contains(t, env, "STEWARD_DEVSERVER=/built", "which program to run is no address")
	require.Contains(t, env, "PATH="+os.Getenv("PATH"))
}

func TestFolderOfTheLoad(t *testing.T) {
	t.Setenv("STEWARD_HOME", "")
	require.Equal(t, ".steward/demo", options{}.in().home)
	require.Equal(t, ".steward", options{load: true}.in().home)
	require.Equal(t, "mine", options{load: true, home: "mine"}.in().home)
	t.Setenv("STEWARD_HOME", "theirs")
	require.Equal(t, "theirs", options{load: true}.in().home)
	require.Equal(t, ".steward/demo", options{}.in().home)
}
