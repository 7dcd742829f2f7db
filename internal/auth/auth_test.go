package auth

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func two(t *testing.T) (users *Users, ann, bob string) {
	t.Helper()
	ann, annHash := NewToken()
	bob, bobHash := NewToken()
	users, err := Load(write(t, fmt.Sprintf(`[
  {"subject": "ann", "roles": ["data-scientist", "operator"], "tokenHash": %q},
  {"subject": "bob", "roles": [], "tokenHash": %q}
]`, annHash, strings.ToUpper(bobHash))))
	require.NoError(t, err)
	return users, ann, bob
}

func TestAuthenticate(t *testing.T) {
	users, ann, bob := two(t)
	for _, tt := range []struct {
		name, token, want string
	}{
		{"first", ann, "ann"},
		{"last, hash in capitals", bob, "bob"},
		{"none", "", ""},
		{"longer", ann + "x", ""},
		{"cut", ann[:len(ann)-1], ""},
		{"the hash is no token", Hash(ann), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := users.Authenticate(tt.token)
			require.Equal(t, tt.want, got.Subject)
			if tt.want == "" {
				require.ErrorIs(t, err, ErrUnknown)
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestHas(t *testing.T) {
	users, ann, bob := two(t)
	a, err := users.Authenticate(ann)
	require.NoError(t, err)
	require.True(t, a.Has(lifecycle.ProductManager, lifecycle.Operator))
	require.False(t, a.Has(lifecycle.Auditor))
	require.False(t, a.Has())
	b, err := users.Authenticate(bob)
	require.NoError(t, err)
	require.False(t, b.Has(roles...))
}

func TestReporter(t *testing.T) {
	users, err := Load(write(t, `[{"subject": "bell", "roles": ["reporter"], "tokenHash": "`+Hash("b")+`"}]`))
	require.NoError(t, err)
	bell, err := users.Authenticate("b")
	require.NoError(t, err)
	require.True(t, bell.Has(Reporter))
	require.False(t, bell.Has(lifecycle.DataEngineer, lifecycle.DataScientist, lifecycle.Operator, lifecycle.ProductManager, lifecycle.Auditor))
}

func TestTokensDiffer(t *testing.T) {
	a, ah := NewToken()
	b, bh := NewToken()
	require.NotEqual(t, a, b)
	require.NotEqual(t, ah, bh)
	require.Len(t, a, 43) // 256 bits in base64 without padding
}

func TestLoadRefuses(t *testing.T) {
	hash := Hash("a")
	for _, tt := range []struct{ name, text, want string }{
		{"no list", `{}`, "a users file is a JSON list"},
		{"empty", ``, "a users file is a JSON list"},
		{"no end", `[`, "line 1: the list has no end"},
		{"more", `[] []`, "there is more after the list"},
		{"broken", "[\n{\"subject\": }]", "line 2:"},
		{"unknown role", "[\n\n{\"subject\": \"ann\", \"roles\": [\"king\"], \"tokenHash\": \"" + hash + "\"}]", `users.json:3: user "ann": unknown role "king"; roles are data-engineer`},
		{"unknown field", `[{"subject": "ann", "token": "x"}]`, `users.json:1: json: unknown field "token"`},
		{"reporter and more", `[{"subject": "bell", "roles": ["reporter", "operator"], "tokenHash": "` + hash + `"}]`, `user "bell": role "reporter" stands alone`},
		{"no subject", `[{"subject": " ", "roles": [], "tokenHash": "` + hash + `"}]`, `subject " "`},
		{"the machine", `[{"subject": "steward", "roles": [], "tokenHash": "` + hash + `"}]`, "is the machine itself"},
		{"short hash", `[{"subject": "ann", "roles": [], "tokenHash": "ab"}]`, `user "ann": tokenHash must be`},
		{"twice", `[{"subject": "ann", "tokenHash": "` + hash + `"}, {"subject": "ann", "tokenHash": "` + Hash("b") + `"}]`, "in the file twice"},
		{"same token", `[{"subject": "ann", "tokenHash": "` + hash + `"}, {"subject": "bob", "tokenHash": "` + hash + `"}]`, `has the token of "ann"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(write(t, tt.text))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestLoadNamesEveryMistake(t *testing.T) {
	_, err := Load(write(t, "[{\"subject\": \"a\", \"tokenHash\": \"1\"},\n{\"subject\": \"b\", \"tokenHash\": \"2\"}]"))
	require.ErrorContains(t, err, `:1: user "a"`)
	require.ErrorContains(t, err, `:2: user "b"`)
}

func TestSession(t *testing.T) {
	users, _, _ := two(t)
	key, err := Key(filepath.Join(t.TempDir(), "key"))
	require.NoError(t, err)
	sessions, err := NewSessions(users, key, true)
	require.NoError(t, err)
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	c, err := sessions.Start("ann", now)
	require.NoError(t, err)
	require.True(t, c.HttpOnly && c.Secure)
	require.Equal(t, http.SameSiteStrictMode, c.SameSite)
	parts := strings.Split(c.Value, ".")

	others, _, _ := two(t) // the same people with new tokens
	renewed, err := NewSessions(others, key, true)
	require.NoError(t, err)
	for _, tt := range []struct {
		name, value string
		at          time.Time
		sessions    *Sessions
		ok          bool
	}{
		{"now", c.Value, now, sessions, true},
		{"just before the end", c.Value, now.Add(SessionLife - time.Second), sessions, true},
		{"at the end", c.Value, now.Add(SessionLife), sessions, false},
		{"new token", c.Value, now, renewed, false},
		{"empty", "", now, sessions, false},
		{"dots", "...", now, sessions, false},
		{"another person", encode([]byte("bob")) + "." + parts[1] + "." + parts[2], now, sessions, false},
		{"longer life", parts[0] + ".99999999999." + parts[2], now, sessions, false},
		{"no signature", parts[0] + "." + parts[1] + ".", now, sessions, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.sessions.Check(tt.value, tt.at)
			if !tt.ok {
				require.ErrorIs(t, err, ErrUnknown)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "ann", got.Subject)
		})
	}
	_, err = sessions.Start("eve", now)
	require.ErrorIs(t, err, ErrUnknown)
	require.Negative(t, sessions.End().MaxAge)
}

func TestKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	first, err := Key(path)
	require.NoError(t, err)
	again, err := Key(path)
	require.NoError(t, err)
	require.Equal(t, first, again)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	require.NoError(t, os.WriteFile(path, []byte("short"), 0o600))
	_, err = Key(path)
	require.ErrorContains(t, err, "remove the file to get a new one")
	_, err = NewSessions(nil, []byte("short"), false)
	require.ErrorContains(t, err, "5 bytes instead of 32")
}
