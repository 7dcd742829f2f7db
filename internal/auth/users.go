package auth

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"steward/internal/lifecycle"
)

// ErrUnknown is returned for a token or session that belongs to nobody.
var ErrUnknown = errors.New("the token belongs to nobody")

// Identity is a person, or a machine, that the gateway knows.
type Identity struct {
	Subject string
	Roles   []lifecycle.Role
}

// Has tells whether the person plays one of roles.
func (i Identity) Has(roles ...lifecycle.Role) bool {
	return slices.ContainsFunc(i.Roles, func(r lifecycle.Role) bool { return slices.Contains(roles, r) })
}

// User is one entry of the users file. TokenHash is the SHA-256 of the token
// in hexadecimal: tokens carry 256 random bits, so no slow hash is needed.
type User struct {
	Subject   string           `json:"subject"`
	Roles     []lifecycle.Role `json:"roles"`
	TokenHash string           `json:"tokenHash"`
}

// Users are the people of one users file. They do not change once loaded.
type Users struct{ known []known }

type known struct {
	Identity
	hash [sha256.Size]byte
}

// Load reads a users file, a JSON list of User. Every mistake in it is named,
// all in one error.
func Load(path string) (*Users, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("users file: %w", err)
	}
	entries, err := split(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	users, problems := &Users{}, []error(nil)
	for _, e := range entries {
		if err := users.add(e.raw); err != nil {
			problems = append(problems, fmt.Errorf("%s:%d: %w", path, e.line, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return users, nil
}

// entry is one element of the list and the line on which it begins.
type entry struct {
	raw  json.RawMessage
	line int
}

// split cuts the list into its elements, so that each mistake has a line.
func split(raw []byte) ([]entry, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.New(`a users file is a JSON list: [{"subject": "ann", "roles": ["operator"], "tokenHash": "…"}]`)
	}
	var entries []entry
	for dec.More() {
		var e entry
		from := dec.InputOffset()
		if err := dec.Decode(&e.raw); err != nil {
			return nil, fmt.Errorf("line %d: %w", lineAt(raw, from), err)
		}
		e.line = lineAt(raw, dec.InputOffset()-int64(len(e.raw)))
		entries = append(entries, e)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("line %d: the list has no end: %w", lineAt(raw, dec.InputOffset()), err)
	}
	if dec.More() {
		return nil, fmt.Errorf("line %d: there is more after the list", lineAt(raw, dec.InputOffset()))
	}
	return entries, nil
}

func lineAt(raw []byte, offset int64) int { return 1 + bytes.Count(raw[:offset], []byte("\n")) }

// add checks one entry and takes it in.
func (u *Users) add(raw json.RawMessage) error {
	var user User
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&user); err != nil {
		return err
	}
	k, err := user.check()
	if err != nil {
		return err
	}
	for _, other := range u.known {
		if other.Subject == user.Subject {
			return fmt.Errorf("user %q: is in the file twice; merge the two entries", user.Subject)
		}
		if other.hash == k.hash {
			return fmt.Errorf("user %q: has the token of %q; give everyone their own", user.Subject, other.Subject)
		}
	}
	u.known = append(u.known, k)
	return nil
}

// check returns the user as known, or what is wrong with the entry.
func (u User) check() (known, error) {
	if strings.TrimSpace(u.Subject) == "" || u.Subject == lifecycle.Machine {
		return known{}, fmt.Errorf("subject %q: give the person's name; %q is the machine itself", u.Subject, lifecycle.Machine)
	}
	for _, r := range u.Roles {
		if !slices.Contains(roles, r) {
			return known{}, fmt.Errorf("user %q: unknown role %q; roles are %s", u.Subject, r, Names(roles))
		}
	}
	if len(u.Roles) > 1 && slices.Contains(u.Roles, Reporter) {
		return known{}, fmt.Errorf("user %q: role %q stands alone; give the machine an entry of its own", u.Subject, Reporter)
	}
	k := known{Identity: Identity{Subject: u.Subject, Roles: u.Roles}}
	hash, err := hex.DecodeString(u.TokenHash)
	if err != nil || len(hash) != sha256.Size {
		return known{}, fmt.Errorf("user %q: tokenHash must be the SHA-256 of the token, 64 hexadecimal digits", u.Subject)
	}
	copy(k.hash[:], hash)
	return k, nil
}

// Reporter is the role of machines that send alerts and business figures. It is
// no role of model files: whoever has it can decide nothing and has no other.
const Reporter lifecycle.Role = "reporter"

var roles = []lifecycle.Role{lifecycle.DataEngineer, lifecycle.DataScientist, lifecycle.Operator,
	lifecycle.ProductManager, lifecycle.Auditor, Reporter}

// Names joins roles for a message: "operator, auditor".
func Names(roles []lifecycle.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

// Authenticate returns whose token it is, or ErrUnknown. Every user is
// compared in constant time, so the answer's time says nothing.
func (u *Users) Authenticate(token string) (Identity, error) {
	hash, found := sha256.Sum256([]byte(token)), -1
	for i := range u.known {
		if subtle.ConstantTimeCompare(hash[:], u.known[i].hash[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Identity{}, ErrUnknown
	}
	return u.known[found].Identity, nil
}

// find returns a user by name, or nil.
func (u *Users) find(subject string) *known {
	for i := range u.known {
		if u.known[i].Subject == subject {
			return &u.known[i]
		}
	}
	return nil
}

// NewToken returns a new token and the hash of it that the users file holds.
func NewToken() (token, hash string) {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails: the program ends instead
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, Hash(token)
}

// Hash is the form of a token that the users file holds.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
