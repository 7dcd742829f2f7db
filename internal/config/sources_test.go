package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func loadSources(t *testing.T, text string, vars map[string]string) (Sources, error) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "sources.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600))
	t.Chdir(dir)
	c, err := Load(func(key string) string {
		if key == "STEWARD_SOURCES" {
			return file
		}
		return vars[key]
	})
	return c.Sources, err
}

func TestSources(t *testing.T) {
	s, err := loadSources(t, `
hosts:
  - name: Data.example.com
    header: {name: Authorization, env: FEED}
  - {name: "127.0.0.1:8099", plain: true, internal: true}
connections:
  - {name: warehouse, file: url}
maxDownload: 1000
`, map[string]string{"FEED": "Bearer x"})
	require.ErrorContains(t, err, "connections[0]: open url")
	require.Equal(t, []SourceHost{
		{Name: "data.example.com", Header: "Authorization", Value: "Bearer x"}, {Name: "127.0.0.1:8099", Plain: true, Internal: true},
	}, s.Hosts)
	require.Equal(t, int64(1000), s.MaxDownload)

	s, err = loadSources(t, "connections: [{name: warehouse, env: URL}]", map[string]string{"URL": "postgres://u:p@h/d"})
	require.NoError(t, err)
	require.Equal(t, []Connection{{"warehouse", "postgres://u:p@h/d"}}, s.Connections)
}

func TestSourcesRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"hosts: [{name: 'https://x'}]":                                 "hosts[0]: name \"https://x\" is not a host",
		"hosts: [{name: '*.example.com'}]":                             "is not a host",
		"hosts: [{name: x, header: {name: 'a b', env: SET}}]":          `header "a b" is not a name`,
		"hosts: [{name: x, header: {name: A}}]":                        "header A: say where the secret is",
		"hosts: [{name: x, header: {name: A, env: UNSET}}]":            "variable UNSET is not set",
		"hosts: [{name: x, header: {name: A, file: empty}}]":           "file empty is empty",
		"hosts: [{name: x, header: {name: A, env: SET, file: empty}}]": "by env or by file",
		"hosts: [{name: x, secret: y}]":                                "unknown field",
		"connections: [{name: A_b, env: SET}]":                         "connections[0]: name \"A_b\"",
		"queryTimeout: soon":                                           "queryTimeout",
		"maxDownload: -1":                                              "maxDownload",
	} {
		_, err := loadSources(t, text, map[string]string{"SET": "hush"})
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "hush")
	}
}
