package wire

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"

	"github.com/google/uuid"
)

// requestID is the header that names a request in AWS answers.
const requestID = "X-Amzn-Requestid"

// Router verifies every request and hands it to the service that its signature
// names.
type Router struct {
	verify   Verifier
	services []Service
	upset    func(func() Call) Upset // nil when nothing befalls any call
}

// NewRouter makes a Router; where several services share a signing name, the
// first that takes a request answers it.
func NewRouter(v Verifier, services ...Service) *Router {
	v.keys = &signingKeys{kept: map[keyScope][]byte{}}
	return &Router{verify: v, services: services}
}

func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(requestID, uuid.NewString())
	// net/http must find the body that it made: by it, it knows whether a body that
	// nobody read to its end still lies in the connection.
	r = r.WithContext(r.Context())
	sig, refused := readSignature(r)
	service, known := rt.find(sig.service, r)
	if refused == nil {
		refused = rt.check(sig, service, w, r)
	}
	if refused != nil {
		service.answers.writeError(w, refused.as(service.answers))
		return
	}
	if !known {
		service.answers.writeError(w, unknownOperation(sig.service, r.Method+" "+r.URL.Path+" "+r.Header.Get(targetHeader)))
		return
	}
	rt.serve(service, w, rt.verify.identified(sig, r))
}

// find gives the service that takes r, or one that only knows how to refuse it.
func (rt *Router) find(name string, r *http.Request) (Service, bool) {
	for _, s := range rt.services {
		if s.name == name && s.takes(r) {
			return s, true
		}
	}
	return Service{answers: guess(name, r)}, false
}

// check verifies the signature and leaves a body that can be read: in memory
// and unpacked, or for a streaming service as it arrives.
func (rt *Router) check(sig signature, s Service, w http.ResponseWriter, r *http.Request) *refusal {
	if s.stream {
		if refused := rt.verify.check(sig, r, sig.payload); refused != nil {
			return refused
		}
		return rt.verify.guardBody(sig, r)
	}
	if sig.presigned {
		return refuse(incomplete, "presigned requests are for S3 only")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		return refuseBody(err)
	}
	sum := sha256.Sum256(body)
	if refused := rt.verify.check(sig, r, hex.EncodeToString(sum[:])); refused != nil {
		return refused
	}
	if r.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gunzip(w, body); err != nil {
			return refuseBody(err)
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

func gunzip(w http.ResponseWriter, body []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(http.MaxBytesReader(w, z, MaxBody))
}

func refuseBody(err error) *refusal {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return refuse(tooLargeBody, "the request body is larger than 6 MiB")
	}
	return refuse(badBody, "reading the request body: "+err.Error())
}
