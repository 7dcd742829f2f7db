package wire

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Session is who has temporary credentials. Nothing keeps it but its token,
// which only the holder of the secret key can make, so that credentials survive
// whatever becomes of the server.
type Session struct {
	AccessKey   string
	ARN, UserID string
	Expires     time.Time
	// Tags are the session tags that a chained session takes over.
	Tags map[string]string `json:",omitempty"`
}

// TemporaryPrefix begins the access keys of sessions, as on AWS.
const TemporaryPrefix = "ASIA"

// Issue makes a session's token and secret key.
func (v Verifier) Issue(s Session) (token, secret string) {
	payload, err := json.Marshal(s)
	if err != nil {
		panic("wire: a session that JSON cannot write: " + err.Error())
	}
	token = base64.StdEncoding.EncodeToString(append(mac([]byte(v.SecretKey), "token "+string(payload)), payload...))
	return token, v.secretOf(token)
}

// secretOf is the secret key that goes with a token: 40 characters, as on AWS.
func (v Verifier) secretOf(token string) string {
	return base64.StdEncoding.EncodeToString(mac([]byte(v.SecretKey), "secret "+token))[:40]
}

// session reads a token that Issue has made.
func (v Verifier) session(token string) (Session, bool) {
	data, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(data) < sha256.Size {
		return Session{}, false
	}
	sum, payload := data[:sha256.Size], data[sha256.Size:]
	var s Session
	ok := hmac.Equal(sum, mac([]byte(v.SecretKey), "token "+string(payload))) && json.Unmarshal(payload, &s) == nil
	return s, ok
}

// know refuses a signature by a key that is not known or has expired.
func (v Verifier) know(s signature) *refusal {
	switch {
	case s.token != "":
		return v.knowSession(s)
	case s.accessKey == v.AccessKey:
		return nil
	case strings.HasPrefix(s.accessKey, TemporaryPrefix):
		return refuse(unknownKey, "The access key "+s.accessKey+" is temporary: the request lacks its session token")
	}
	return refuse(unknownKey, "The security token included in the request is invalid: the access key "+strconv.Quote(s.accessKey)+" is not known here")
}

func (v Verifier) knowSession(s signature) *refusal {
	session, valid := v.session(s.token)
	switch {
	case !valid, session.AccessKey != s.accessKey:
		return refuse(badToken, "The security token included in the request is invalid")
	case !v.now().Before(session.Expires):
		return refuse(expiredToken, "The security token included in the request is expired")
	}
	return nil
}

// secret is the secret key that a known signature was made with.
func (v Verifier) secret(s signature) string {
	if s.token == "" {
		return v.SecretKey
	}
	return v.secretOf(s.token)
}

type sessionKey struct{}

// identified gives r the session that has signed it, if one has.
func (v Verifier) identified(s signature, r *http.Request) *http.Request {
	if s.token == "" {
		return r
	}
	session, _ := v.session(s.token) // was checked
	return r.WithContext(context.WithValue(r.Context(), sessionKey{}, session))
}

// SessionOf gives the session that has signed a request; false if it was signed
// with the lasting key.
func SessionOf(ctx context.Context) (Session, bool) {
	s, ok := ctx.Value(sessionKey{}).(Session)
	return s, ok
}
