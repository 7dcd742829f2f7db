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

// What a gateway is told of must be in that gateway's cloud.
func TestTheEmbeddedCloudGoesWithItsGateway(t *testing.T) {
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "env"), []byte("STEWARD_GATEWAY=http://127.0.0.1:8080\nAWS_ENDPOINT_URL=http://127.0.0.1:4566\n"), 0o600))
	for _, tt := range []struct {
		name, home, flag, env string
		embedded              bool
	}{
		{"nothing else is named", "", "", "", true},
		{"the home is named", home, "", "https://steward.example.com", true},
		{"its gateway is named", "", "http://127.0.0.1:8080", "", true},
		{"its env file was sourced", "", "", "http://127.0.0.1:8080", true},
		{"another gateway is named", "", "https://steward.example.com", "", false},
		{"another gateway is named beside the home", home, "https://steward.example.com", "", false},
		{"the environment has another gateway", "", "", "https://steward.example.com", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("STEWARD_HOME", home)
			t.Setenv("STEWARD_GATEWAY", tt.env)
			t.Setenv("AWS_ENDPOINT_URL", "")
			require.NoError(t, (&app{home: tt.home, gateway: tt.flag}).useEmbeddedCloud())
			require.Equal(t, tt.embedded, os.Getenv("AWS_ENDPOINT_URL") != "")
		})
	}
}
