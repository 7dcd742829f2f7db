package wire

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxSkew is how far a client's clock may be from ours, as on AWS.
const maxSkew = 15 * time.Minute

// Verifier checks requests by Signature Version 4, as in "Create a signed AWS
// API request" of the IAM user guide.
type Verifier struct {
	// AccessKey and SecretKey are the only lasting credentials; temporary ones
	// come from them, see Issue.
	AccessKey, SecretKey string
	// Now is the clock, time.Now if nil.
	Now func() time.Time

	keys *signingKeys // nil to make a key for every request
}

// check verifies that s signs r with a body of the digest payload.
func (v Verifier) check(s signature, r *http.Request, payload string) *refusal {
	if refused := v.know(s); refused != nil {
		return refused
	}
	if refused := v.checkTime(s); refused != nil {
		return refused
	}
	if refused := s.checkHeaders(r); refused != nil {
		return refused
	}
	want := v.sign(s, canonical(s, r, payload))
	if !hmac.Equal([]byte(want), []byte(s.hex)) {
		return refuse(wrongSignature, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.")
	}
	return nil
}

func (v Verifier) checkTime(s signature) *refusal {
	now := v.now()
	late := now.Sub(s.at)
	switch {
	case late < -maxSkew:
		return refuse(skewed, fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 15 min.)", stamp(s.at), stamp(now.Add(maxSkew)), stamp(now)))
	case !s.presigned && late > maxSkew:
		return refuse(skewed, fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 15 min.)", stamp(s.at), stamp(now.Add(-maxSkew)), stamp(now)))
	case s.presigned && late > s.expires:
		return refuse(expired, fmt.Sprintf("Request has expired: it was good until %s, and it is %s", stamp(s.at.Add(s.expires)), stamp(now)))
	}
	return nil
}

func stamp(t time.Time) string { return t.Format(stampLayout) }

func (v Verifier) now() time.Time {
	if v.Now != nil {
		return v.Now().UTC()
	}
	return time.Now().UTC()
}

// checkHeaders requires the signature to cover the host and every x-amz- header:
// one left out, such as the operation's name, could be replaced by anybody.
func (s signature) checkHeaders(r *http.Request) *refusal {
	if !slices.Contains(s.headers, "host") {
		return refuse(incomplete, "the header host is not signed")
	}
	for name := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !slices.Contains(s.headers, name) {
			return refuse(wrongSignature, "the header "+name+" is present but not signed")
		}
	}
	return nil
}

func (v Verifier) sign(s signature, request string) string {
	sum := sha256.Sum256([]byte(request))
	text := strings.Join([]string{algorithm, stamp(s.at), s.scope(), hex.EncodeToString(sum[:])}, "\n")
	return hex.EncodeToString(mac(v.key(s), text))
}

// key is the signing key of the signature's day, region and service.
func (v Verifier) key(s signature) []byte {
	return v.keys.of(keyScope{v.secret(s), s.date, s.region, s.service})
}

// derive is the signing key of a scope.
func (s keyScope) derive() []byte {
	key := []byte("AWS4" + s.secret)
	for _, part := range []string{s.date, s.region, s.service, terminator} {
		key = mac(key, part)
	}
	return key
}

func (s signature) scope() string {
	return strings.Join([]string{s.date, s.region, s.service, terminator}, "/")
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonical is the request in the one form that both sides hash.
func canonical(s signature, r *http.Request, payload string) string {
	path := escapePath(r.URL.Path)
	if s.service != s3Name {
		path = escapePath(path) // only S3 escapes once
	}
	var headers strings.Builder
	for _, name := range s.headers {
		headers.WriteString(name + ":" + headerValue(name, r) + "\n")
	}
	return strings.Join([]string{r.Method, path, canonicalQuery(r.URL.Query()), headers.String(), strings.Join(s.headers, ";"), payload}, "\n")
}

func headerValue(name string, r *http.Request) string {
	switch name { // net/http keeps these out of the header map
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	case "transfer-encoding":
		return strings.Join(r.TransferEncoding, ",")
	}
	var values []string
	for _, v := range r.Header.Values(name) {
		values = append(values, strings.Join(strings.Fields(v), " "))
	}
	return strings.Join(values, ",")
}

func canonicalQuery(q url.Values) string {
	q.Del("X-Amz-Signature")
	type pair struct{ name, value string }
	var pairs []pair
	for name, values := range q {
		for _, v := range values {
			pairs = append(pairs, pair{escapeURI(name), escapeURI(v)})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value))
	})
	var text []string
	for _, p := range pairs {
		text = append(text, p.name+"="+p.value)
	}
	return strings.Join(text, "&")
}

func escapePath(path string) string {
	segments := strings.Split(path, "/")
	for i := range segments {
		segments[i] = escapeURI(segments[i])
	}
	return strings.Join(segments, "/")
}

// escapeURI escapes all but the unreserved characters of RFC 3986. QueryEscape
// differs from that in the space alone.
func escapeURI(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
