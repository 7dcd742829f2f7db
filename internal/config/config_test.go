package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "prices.yaml")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func TestLoad(t *testing.T) {
	defaults := Config{
		Home: ".steward", Bucket: "steward", Role: LocalRole, Poll: 15 * time.Second, Gateway: "http://127.0.0.1:8080",
	}
	changed := func(change func(*Config)) Config {
		c := defaults
		change(&c)
		return c
	}
	for _, tt := range []struct {
		name string
		env  map[string]string
		want Config
	}{
		{"nothing set", nil, defaults},
		{"empty is unset", map[string]string{"STEWARD_BUCKET": ""}, defaults},
		{"poll", map[string]string{"STEWARD_POLL": "500ms"}, changed(func(c *Config) { c.Poll = 500 * time.Millisecond })},
		{"all texts", map[string]string{
			"STEWARD_HOME": "/var/lib/steward", "STEWARD_BUCKET": "bank-ml", "STEWARD_TOKEN": "secret",
			"STEWARD_ROLE_ARN": "arn:aws:iam::123456789012:role/ml/jobs", "STEWARD_GATEWAY": "https://steward.example.com",
			"STEWARD_WEBHOOK": "https://chat.example.com/x",
		}, changed(func(c *Config) {
			c.Home, c.Bucket, c.Token = "/var/lib/steward", "bank-ml", "secret"
			c.Role, c.Gateway = "arn:aws:iam::123456789012:role/ml/jobs", "https://steward.example.com"
			c.Webhook = "https://chat.example.com/x"
		})},
		{"prices", map[string]string{"STEWARD_PRICES": file(t, "ml.m5.large: 0.115\nml.m5.xlarge: 0.23\n")},
			changed(func(c *Config) { c.Prices = map[string]float64{"ml.m5.large": 0.115, "ml.m5.xlarge": 0.23} })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Load(func(key string) string { return tt.env[key] })
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestLoadNamesEveryProblem(t *testing.T) {
	env := map[string]string{
		"STEWARD_BUCKET": "Not A Bucket", "STEWARD_ROLE_ARN": "role", "STEWARD_POLL": "soon",
		"STEWARD_GATEWAY": "localhost:8080", "STEWARD_PRICES": file(t, "ml.m5.large: -1"), "STEWARD_WEBHOOK": "ftp://user:secret@x",
	}
	_, err := Load(func(key string) string { return env[key] })
	for key := range env {
		require.ErrorContains(t, err, key)
	}
	require.ErrorContains(t, err, `"soon" is not a duration of at least 100ms, such as 15s`)
	require.ErrorContains(t, err, "ml.m5.large: the price -1 is negative")
	require.NotContains(t, err.Error(), "secret")
}

func TestLoadPricesThatCannotBeRead(t *testing.T) {
	for name, want := range map[string]string{
		filepath.Join(t.TempDir(), "none.yaml"): "no such file",
		file(t, "- a\n- b\n"):                   "write lines such as",
	} {
		_, err := Load(func(key string) string { return map[string]string{"STEWARD_PRICES": name}[key] })
		require.ErrorContains(t, err, want)
	}
}
