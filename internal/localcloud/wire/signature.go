package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// signature is what a request says about who signed it and how, in its
// Authorization header or, when presigned, in its query.
type signature struct {
	accessKey, date, region, service string
	headers                          []string // the signed ones, lower case
	hex                              string
	at                               time.Time
	payload                          string // the body's digest as the client states it
	token                            string // of temporary credentials
	presigned                        bool
	expires                          time.Duration
}

const (
	algorithm       = "AWS4-HMAC-SHA256"
	terminator      = "aws4_request"
	stampLayout     = "20060102T150405Z"
	unsignedPayload = "UNSIGNED-PAYLOAD"
	tokenHeader     = "X-Amz-Security-Token"
	// maxExpiry is the longest life of a presigned request, set by S3.
	maxExpiry = 7 * 24 * time.Hour
)

func readSignature(r *http.Request) (signature, *refusal) {
	header := r.Header.Get("Authorization")
	query := r.URL.Query()
	switch {
	case header != "":
		return readHeader(header, r)
	case query.Has("X-Amz-Signature"):
		return readQuery(query)
	default:
		return signature{}, refuse(missing, "the request is not signed; sign it with AWS Signature Version 4")
	}
}

func readHeader(header string, r *http.Request) (signature, *refusal) {
	fields, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return signature{}, refuse(incomplete, "the Authorization header does not begin with "+algorithm)
	}
	part := map[string]string{}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		part[name] = value
	}
	s, refused := signatureOf(part["Credential"], part["SignedHeaders"], part["Signature"], r.Header.Get("X-Amz-Date"))
	s.payload, s.token = r.Header.Get("X-Amz-Content-Sha256"), r.Header.Get(tokenHeader)
	return s, refused
}

func readQuery(q url.Values) (signature, *refusal) {
	if got := q.Get("X-Amz-Algorithm"); got != algorithm {
		return signature{}, refuse(badQuery, "X-Amz-Algorithm is "+strconv.Quote(got)+", not "+algorithm)
	}
	s, refused := signatureOf(q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), q.Get("X-Amz-Signature"), q.Get("X-Amz-Date"))
	s.presigned, s.payload, s.token = true, unsignedPayload, q.Get(tokenHeader)
	seconds, err := strconv.Atoi(q.Get("X-Amz-Expires"))
	s.expires = time.Duration(seconds) * time.Second
	switch {
	case refused != nil:
		refused.reason = badQuery
	case err != nil, seconds < 1, seconds > int(maxExpiry/time.Second):
		refused = refuse(badQuery, "X-Amz-Expires is "+strconv.Quote(q.Get("X-Amz-Expires"))+"; it must be a number of seconds from 1 to a week, that is 604800")
	}
	return s, refused
}

func signatureOf(credential, headers, sum, stamp string) (signature, *refusal) {
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[4] != terminator {
		return signature{}, refuse(incomplete, "the credential "+strconv.Quote(credential)+" is not of the form key/date/region/service/"+terminator)
	}
	s := signature{accessKey: scope[0], date: scope[1], region: scope[2], service: scope[3], headers: strings.Split(headers, ";"), hex: sum}
	at, err := time.Parse(stampLayout, stamp)
	if err != nil || !strings.HasPrefix(stamp, s.date+"T") {
		return s, refuse(incomplete, "X-Amz-Date is "+strconv.Quote(stamp)+", not a time like 20060102T150405Z on the day of the credential")
	}
	s.at = at
	return s, nil
}

// guardBody makes r's body the content alone and fail at its end unless it is
// what was signed.
func (v Verifier) guardBody(s signature, r *http.Request) *refusal {
	switch {
	case s.payload == unsignedPayload:
	case len(s.payload) == hex.EncodedLen(sha256.Size):
		r.Body = &digestReader{ReadCloser: r.Body, sum: sha256.New(), want: s.payload}
		return verifyEmpty(r)
	case s.payload == signedChunks, s.payload == signedChunksTrailer, s.payload == unsignedTrailer:
		return v.unchunk(s, r)
	case strings.HasPrefix(s.payload, "STREAMING-"):
		return refuse(notOffered, "the payload "+s.payload+" is not offered; send "+signedChunks+", "+unsignedTrailer+" or the digest of the whole body")
	default:
		return refuse(incomplete, "X-Amz-Content-Sha256 is "+strconv.Quote(s.payload)+", neither a SHA-256 in hexadecimal nor "+unsignedPayload)
	}
	return nil
}

// digestReader passes a body through and compares its SHA-256 with the signed
// one at the end, so that an object need not fit into memory to be verified.
type digestReader struct {
	io.ReadCloser
	sum  hash.Hash
	want string
}

func (d *digestReader) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	d.sum.Write(p[:n])
	if err == io.EOF && hex.EncodeToString(d.sum.Sum(nil)) != d.want {
		return n, Errorf("XAmzContentSHA256Mismatch", "the provided 'x-amz-content-sha256' header does not match what was computed")
	}
	return n, err
}
