package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/apiclient"
	"steward/internal/lifecycle"
)

// refusalOf is the gateway's refusal in err.
func refusalOf(t *testing.T, err error) *apiclient.Error {
	t.Helper()
	var refusal *apiclient.Error
	require.True(t, errors.As(err, &refusal), "%v", err)
	return refusal
}

func TestWrongToken(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	for _, token := range []string{"wrong", ""} {
		_, err := apiclient.New(s.Gateway, token).Models(t.Context())
		refusal := refusalOf(t, err)
		require.Equal(t, 401, refusal.Status)
		require.Equal(t, apiclient.Unauthorized, refusal.Type)
	}
	a := ask(t, s.Home, "status", "--token", "wrong")
	require.Equal(t, 4, a.code)
	require.Contains(t, a.err, "send a token of the users file")
	a = ask(t, s.Home, "status")
	require.Equal(t, 2, a.code)
	require.Contains(t, a.err, "who asks? set STEWARD_TOKEN")
}

func TestUnknownModel(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	c := s.as(t, engineer)
	ctx := t.Context()
	digest := "sha256:" + fmt.Sprintf("%064x", 1)
	asked := map[string]func() error{
		"model":    func() error { _, err := c.Model(ctx, "nobody"); return err },
		"watch":    func() error { _, err := c.Watch(ctx, "nobody"); return err },
		"ledger":   func() error { _, err := c.Ledger(ctx, "nobody"); return err },
		"release":  func() error { _, err := c.Release(ctx, "nobody", 1); return err },
		"evidence": func() error { _, err := c.Evidence(ctx, "nobody", 1); return err },
		"start":    func() error { _, err := c.StartRelease(ctx, "nobody", "x"); return err },
		"rollback": func() error { _, err := c.Rollback(ctx, "nobody", "x"); return err },
		"decide": func() error {
			_, err := s.as(t, scientist).Decide(ctx, "nobody", 1, apiclient.Decision{Approve: true, Digest: digest})
			return err
		},
		"retire": func() error { _, err := s.as(t, operator).Retire(ctx, "nobody", "x"); return err },
	}
	for what, ask := range asked {
		refusal := refusalOf(t, ask())
		require.Equal(t, 404, refusal.Status, what)
		require.Equal(t, lifecycle.NotFound, refusal.Type, what)
		require.Contains(t, refusal.Message, "nobody", what)
	}
	for _, args := range [][]string{{"status", "nobody"}, {"watch", "nobody"}, {"approve", "nobody", "--yes"}, {"release", "nobody"},
		{"rollback", "nobody", "--reason", "x"}, {"cancel", "nobody", "1", "--reason", "x"}} {
		a := s.steward(t, engineer, args...)
		require.Equal(t, 3, a.code, "%v: %s", args, a.err)
		require.Contains(t, a.err, "model nobody is not known", args)
	}
}

// A model file with mistakes is refused as a whole, naming each, and nothing of
// it is declared.
func TestWrongModelFile(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	m := &model{T: t, stack: s, declaration: declaration{Name: "wrong-file", Features: []string{"amount", "y"}, Image: "steward/linear", MaxRuntime: "soon"}}
	text := strings.Replace(string(m.text()), "notAuthor: true", "notAutor: true", 1)
	file := filepath.Join(t.TempDir(), "wrong.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	lineOf := func(part string) int { return 1 + strings.Count(text[:strings.Index(text, part)], "\n") }
	place := func(part string) string { return fmt.Sprintf("%s:%d", file, lineOf(part)) }

	a := s.steward(t, engineer, "apply", file)
	require.Equal(t, 2, a.code, a.err)
	for _, want := range []string{
		place("maxRuntime") + ": spec.training.maxRuntime: it must be a duration such as 90s, 1h30m or 14d",
		place("notAutor") + ": spec.approval.notAutor: this field is not known here",
	} {
		require.Contains(t, a.err, want)
	}
	_, err := s.as(t, engineer).Apply(t.Context(), []byte(text))
	refusal := refusalOf(t, err)
	require.Equal(t, 422, refusal.Status)
	require.Equal(t, lifecycle.Invalid, refusal.Type)
	var lines []int
	for _, p := range refusal.Problems {
		lines = append(lines, p.Line)
	}
	require.Equal(t, []int{lineOf("maxRuntime"), lineOf("notAutor")}, lines)
	require.Equal(t, 3, s.steward(t, engineer, "status", "wrong-file").code)
}
