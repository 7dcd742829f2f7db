package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/rclone/gofakes3"

	"steward/internal/localcloud/wire"
)

// Handler speaks S3 over HTTP. It takes requests whose signatures were verified;
// what it cannot tell its client goes to log.
func (s *Store) Handler(log *slog.Logger) (http.Handler, error) {
	// The signature's check has compared the clocks already.
	fake := gofakes3.New(s, gofakes3.WithTimeSkewLimit(0), gofakes3.WithLogger(logger{log}))
	server := fake.Server()
	if err := s.resumeUploads(server); err != nil {
		return nil, fmt.Errorf("object store: %w", err)
	}
	s.fake.Store(fake)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(server, &exchange{ResponseWriter: w}, r)
	}), nil
}

// serve answers what gofakes3 does not know, and lets it answer the rest.
func (s *Store) serve(server http.Handler, x *exchange, in *http.Request) {
	r := in.WithContext(context.WithValue(in.Context(), exchangeKey{}, x))
	r.Header, r.URL = in.Header.Clone(), new(*in.URL)
	bucket, key, _ := strings.Cut(strings.TrimLeft(r.URL.Path, "/"), "/")
	at := location{bucket, key}
	query := r.URL.Query()
	if err := x.read(r, query, at); err != nil {
		x.answerError(r, err)
		return
	}
	if answer := operationFor(r.Method, query, at); answer != nil {
		if err := answer(s, x, r, at); err != nil {
			x.answerError(r, explained(err))
		}
		return
	}
	server.ServeHTTP(x, r)
	x.end(r)
}

// requestBody is a request's body whose errors have the codes and statuses of S3.
type requestBody struct {
	io.Reader
	io.Closer
	exchange *exchange
}

func (b requestBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return n, gofakes3.ErrIncompleteBody
	}
	if refused, ok := errors.AsType[*wire.Error](err); ok {
		status := refused.Status
		if status == 0 {
			status = http.StatusBadRequest
		}
		err = refuse(status, gofakes3.ErrorCode(refused.Code), "%s", refused.Message)
	}
	return n, b.exchange.noted(err)
}
