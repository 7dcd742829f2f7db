package devstack

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/lifecycle"
)

func TestMake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	h, err := Make(dir)
	require.NoError(t, err)
	users, err := auth.Load(h.path("users.json"))
	require.NoError(t, err)
	for _, p := range People {
		token, err := h.Token(p.Subject)
		require.NoError(t, err)
		who, err := users.Authenticate(token)
		require.NoError(t, err)
		require.Equal(t, auth.Identity{Subject: p.Subject, Roles: []lifecycle.Role{p.Role}}, who)
	}
	_, err = h.Keyring()
	require.NoError(t, err)
	for _, secret := range []string{"env", "users.json", "tokens/ana", "keys/decisions.pem"} {
		info, err := os.Stat(h.path(secret))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), secret)
	}

	before := contents(t, h)
	_, err = Make(dir)
	require.NoError(t, err)
	require.Equal(t, before, contents(t, h), "what is there stays")
}

func contents(t *testing.T, h Home) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"env", "users.json", "tokens/ana", "tokens/oli", "keys/decisions.pem"} {
		text, err := os.ReadFile(h.path(name))
		require.NoError(t, err)
		files[name] = string(text)
	}
	public, err := filepath.Glob(h.path("keys", "*.pub.pem"))
	require.NoError(t, err)
	require.Len(t, public, 1)
	text, err := os.ReadFile(public[0])
	require.NoError(t, err)
	files[public[0]] = string(text)
	return files
}

// A key that was replaced is still believed, and so is the new one.
func TestReplacedKey(t *testing.T) {
	h, err := Make(t.TempDir())
	require.NoError(t, err)
	sign := func() lifecycle.Decision {
		s, err := h.signer()
		require.NoError(t, err)
		d, err := s.Sign(lifecycle.Decision{Model: "m", Release: 1, Digest: "sha256:e", Subject: "ana", Approve: true})
		require.NoError(t, err)
		return d
	}
	before := sign()
	require.NoError(t, os.Remove(h.path("keys", "decisions.pem")))
	after := sign()
	require.NotEqual(t, before.Key, after.Key)
	keys, err := h.Keyring()
	require.NoError(t, err)
	for _, d := range []lifecycle.Decision{before, after} {
		v := keys.Verify(d)
		require.True(t, v.OK, v.Why)
	}
}

func TestTokenOfNobody(t *testing.T) {
	h, err := Make(t.TempDir())
	require.NoError(t, err)
	for _, subject := range []string{"zoe", "../env", ""} {
		_, err = h.Token(subject)
		require.ErrorContains(t, err, "ana, deniz, oli, pat")
	}
}

func TestReadEnv(t *testing.T) {
	h, err := At(t.TempDir())
	require.NoError(t, err)
	_, err = h.ReadEnv()
	require.ErrorContains(t, err, "start one with `steward dev`")

	require.NoError(t, os.WriteFile(h.path("env"), []byte("# note\n\nA=b=c\nD=\n"), 0o600))
	e, err := h.ReadEnv()
	require.NoError(t, err)
	require.Equal(t, Env{"A": "b=c", "D": ""}, e)

	require.NoError(t, os.WriteFile(h.path("env"), []byte("A=b\nnonsense\n"), 0o600))
	_, err = h.ReadEnv()
	require.ErrorContains(t, err, `env:2: "nonsense" is not KEY=value`)
}

func TestEnv(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://elsewhere")
	t.Setenv("AWS_SESSION_TOKEN", "another account's")
	t.Setenv("AWS_ENDPOINT_URL", "http://cloud:4566")
	t.Setenv("AWS_ACCESS_KEY_ID", "another account's")
	e := Env{"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "ours"}
	require.NoError(t, e.Without(os.Getenv).Apply())
	require.Equal(t, "http://cloud:4566", os.Getenv("AWS_ENDPOINT_URL"), "the environment says where")
	require.Equal(t, "ours", os.Getenv("AWS_ACCESS_KEY_ID"), "the home says who")
	for _, gone := range []string{"AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN"} {
		_, set := os.LookupEnv(gone)
		require.False(t, set, gone)
	}
}

// A rule that cannot be followed is said at start, with the file and the remedy.
func TestEventRulesOfAHome(t *testing.T) {
	h, err := Make(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(h.path("events.json"), []byte(`[{"target": "http://example.com/"}]`), 0o600))
	_, err = h.NewCloud(nil, CloudOptions{}, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, h.path("events.json")+`: rule 1: target "http://example.com/" is neither the ARN of an SNS topic nor a URL of this machine`)
}
