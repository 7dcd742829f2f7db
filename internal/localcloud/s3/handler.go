package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"

	"github.com/rclone/gofakes3"

	"steward/internal/localcloud/wire"
)

// Handler speaks S3 over HTTP. It takes requests whose signatures were verified;
// what it cannot tell its client goes to log.
func (s *Store) Handler(log *slog.Logger) (http.Handler, error) {
	// The signature's check has compared the clocks already.
	server := gofakes3.New(s, gofakes3.WithTimeSkewLimit(0), gofakes3.WithLogger(logger{log})).Server()
	if err := s.resumeUploads(server); err != nil {
		return nil, fmt.Errorf("object store: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		nameNullVersion(r)
		r = withHeadVersion(r)
		hideParts(r.Header)
		r.Body = bodyErrors{r.Body}
		aw := &answerWriter{ResponseWriter: w}
		if err := checkVersions(r); err != nil {
			refuse(aw, err)
			return
		}
		server.ServeHTTP(aw, r.WithContext(context.WithValue(r.Context(), answerKey{}, aw)))
		aw.showParts() // an answer without a body has not been begun
	}), nil
}

// partsHeader carries the number of an object's parts from its record to
// answerWriter: gofakes3 gives the ETag as hexadecimal alone, S3 appends the
// number of parts.
const partsHeader = "X-Amz-Meta-Localcloud-Parts"

// etagOfParts matches the ETag of an object in parts.
var etagOfParts = regexp.MustCompile(`\b([0-9a-f]{32})-[0-9]+\b`)

// hideParts takes the number of parts out of a request's conditions.
func hideParts(h http.Header) {
	for _, name := range []string{"If-Match", "If-None-Match", "X-Amz-Copy-Source-If-Match", "X-Amz-Copy-Source-If-None-Match"} {
		if v := h.Get(name); v != "" {
			h.Set(name, etagOfParts.ReplaceAllString(v, "$1"))
		}
	}
}

// answerWriter appends the number of parts to the ETag of an answer.
type answerWriter struct {
	http.ResponseWriter
	tooSmall bool // the refusal is errEntityTooSmall
}

type answerKey struct{}

// tooSmall gives the answer of errEntityTooSmall its status, 400; gofakes3 takes
// codes that it does not know for failures of its own, which clients repeat.
func tooSmall(ctx context.Context) {
	if w, ok := ctx.Value(answerKey{}).(*answerWriter); ok {
		w.tooSmall = true
	}
}

func (w *answerWriter) showParts() {
	// gofakes3 writes the names of user metadata in lower case.
	const name = "x-amz-meta-localcloud-parts"
	h := w.Header()
	parts := h[name] //nolint:staticcheck // not canonical on purpose
	if len(parts) == 0 {
		return
	}
	delete(h, name)
	if etag := h.Get("ETag"); len(etag) > 1 {
		h.Set("ETag", etag[:len(etag)-1]+"-"+parts[0]+`"`)
	}
}

func (w *answerWriter) WriteHeader(status int) {
	w.showParts()
	if w.tooSmall && status == http.StatusInternalServerError {
		status = http.StatusBadRequest
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *answerWriter) Write(p []byte) (int, error) {
	w.showParts()
	return w.ResponseWriter.Write(p)
}

// nullAlias stands for the null version in a request, because gofakes3 takes
// "null" for no version at all.
const nullAlias = "null-version"

func nameNullVersion(r *http.Request) {
	if q := r.URL.Query(); q.Get("versionId") == nullVersion {
		q.Set("versionId", nullAlias)
		r.URL.RawQuery = q.Encode()
	}
}

type headVersionKey struct{}

// withHeadVersion passes the version of a HEAD request on, which gofakes3 does
// not tell its backend.
func withHeadVersion(r *http.Request) *http.Request {
	version := r.URL.Query().Get("versionId")
	if r.Method != http.MethodHead || version == "" {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), headVersionKey{}, version))
}

func headVersion(ctx context.Context) string {
	version, _ := ctx.Value(headVersionKey{}).(string)
	return version
}

// bodyErrors gives the errors of a request's body the codes that gofakes3 knows.
type bodyErrors struct{ io.ReadCloser }

func (b bodyErrors) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if refused, ok := errors.AsType[*wire.Error](err); ok {
		return n, gofakes3.ErrorMessage(gofakes3.ErrBadDigest, refused.Error())
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return n, gofakes3.ErrIncompleteBody
	}
	return n, err
}
