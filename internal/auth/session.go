package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// CookieName is the cookie of a console session.
const CookieName = "steward_session"

// SessionLife is how long a login lasts: a working day and some.
const SessionLife = 12 * time.Hour

// keyBytes is the length of a session key, that of the HMAC's hash.
const keyBytes = sha256.Size

// Sessions signs and checks the cookies of console sessions. A session names
// its user and its end; it dies with the user's token, so that a new token or
// a removed user ends every session of theirs.
type Sessions struct {
	users  *Users
	key    []byte
	secure bool
}

// NewSessions returns the sessions of users, signed with key (32 bytes; see
// Key). With secure, browsers return the cookies over TLS only.
func NewSessions(users *Users, key []byte, secure bool) (*Sessions, error) {
	if len(key) != keyBytes {
		return nil, fmt.Errorf("session key has %d bytes instead of %d", len(key), keyBytes)
	}
	return &Sessions{users: users, key: key, secure: secure}, nil
}

// Start returns the cookie of a new session of subject, or ErrUnknown.
func (s *Sessions) Start(subject string, now time.Time) (*http.Cookie, error) {
	user := s.users.find(subject)
	if user == nil {
		return nil, ErrUnknown
	}
	end := now.Add(SessionLife)
	value := encode([]byte(subject)) + "." + strconv.FormatInt(end.Unix(), 10)
	c := s.cookie(value + "." + encode(s.sign(value, user)))
	c.Expires = end.UTC()
	return c, nil
}

// End returns the cookie that makes a browser forget its session.
func (s *Sessions) End() *http.Cookie {
	c := s.cookie("")
	c.MaxAge = -1
	return c
}

func (s *Sessions) cookie(value string) *http.Cookie {
	return &http.Cookie{Name: CookieName, Value: value, Path: "/",
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteStrictMode}
}

// Check returns whose session a cookie's value is, or ErrUnknown: also when it
// was tampered with or is over.
func (s *Sessions) Check(value string, now time.Time) (Identity, error) {
	cut := strings.LastIndexByte(value, '.')
	if cut < 0 {
		return Identity{}, ErrUnknown
	}
	subject, until, _ := strings.Cut(value[:cut], ".")
	name, err := base64.RawURLEncoding.DecodeString(subject)
	if err != nil {
		return Identity{}, ErrUnknown
	}
	user := s.users.find(string(name))
	mac, err := base64.RawURLEncoding.DecodeString(value[cut+1:])
	if err != nil || user == nil || !hmac.Equal(mac, s.sign(value[:cut], user)) {
		return Identity{}, ErrUnknown
	}
	end, err := strconv.ParseInt(until, 10, 64)
	if err != nil || now.Unix() >= end {
		return Identity{}, ErrUnknown
	}
	return user.Identity, nil
}

// sign covers the value and the user's token, of which it holds only the hash.
func (s *Sessions) sign(value string, user *known) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte("steward session v1\n" + value + "\n"))
	mac.Write(user.hash[:])
	return mac.Sum(nil)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Key reads the session key from a file, or makes the file, readable by its
// owner only. With a key that stays, sessions outlive the gateway's restart.
func Key(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("session key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(key) != keyBytes {
		return nil, fmt.Errorf("session key %s: want %d hexadecimal digits; remove the file to get a new one", path, 2*keyBytes)
	}
	return key, nil
}

func makeKey(path string) ([]byte, error) {
	key := make([]byte, keyBytes)
	rand.Read(key) // never fails: the program ends instead
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("session key: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("session key %s: %w", path, err)
	}
	return key, nil
}
