package devstack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"steward/internal/auth"
	"steward/internal/lifecycle"
)

// Person is one of the people of the embedded stack.
type Person struct {
	Subject string
	Role    lifecycle.Role
}

// People are one person of each role that acts, so that an approval by somebody
// else than the author can be tried by one developer.
var People = []Person{
	{"ana", lifecycle.DataScientist},
	{"deniz", lifecycle.DataEngineer},
	{"pat", lifecycle.ProductManager},
	{"oli", lifecycle.Operator},
}

// makeUsers writes the tokens first: a users file is complete once it is there.
func (h Home) makeUsers() error {
	file := h.path("users.json")
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var users []auth.User
	for _, p := range People {
		token, hash := auth.NewToken()
		if err := replace(h.path("tokens", p.Subject), []byte(token+"\n")); err != nil {
			return err
		}
		users = append(users, auth.User{Subject: p.Subject, Roles: []lifecycle.Role{p.Role}, TokenHash: hash})
	}
	text, err := json.MarshalIndent(users, "", "  ")
	if err != nil {
		return err
	}
	return replace(file, append(text, '\n'))
}

// Token returns the token of a person of the embedded stack.
func (h Home) Token(subject string) (string, error) {
	known := h.subjects()
	if len(known) == 0 {
		return "", fmt.Errorf("%s holds nobody's token: `steward dev` makes them; if your stack has another home, name it with --home", h.path("tokens"))
	}
	if !slices.Contains(known, subject) {
		return "", fmt.Errorf("%q has no token in %s, which has those of: %s",
			subject, h.path("tokens"), strings.Join(known, ", "))
	}
	text, err := os.ReadFile(h.path("tokens", subject))
	return strings.TrimSpace(string(text)), err
}

func (h Home) subjects() []string {
	files, err := filepath.Glob(h.path("tokens", "*"))
	if err != nil {
		return nil
	}
	for i, f := range files {
		files[i] = filepath.Base(f)
	}
	return files
}
