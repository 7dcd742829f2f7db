package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// An explicit --home is another stack than the one whose env file was sourced.
func TestHomeGoesBeforeTheEnvironment(t *testing.T) {
	g := newGateway(t, map[string]string{"GET /v1/models": `{"models":[]}`})
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "env"), []byte("STEWARD_GATEWAY="+g.URL+"\n"), 0o600))
	g.URL = "http://127.0.0.1:1" // what the environment says
	_, _, err := g.steward(t, "", "status", "--home", home)
	require.NoError(t, err)
	_, _, err = g.steward(t, "", "status", "--home", home, "--gateway", g.URL)
	require.Equal(t, exitUnreachable, exitCode(err))
	_, _, err = g.steward(t, "", "status")
	require.Equal(t, exitUnreachable, exitCode(err))
}
