package s3

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// gofakes3 answers for multipart uploads only if it has seen them begin. After a
// restart it is shown the uploads of the index again: the requests that made
// them, without bodies, with the known results in the context.

type (
	resumedUploadKey struct{}
	resumedPartKey   struct{}
)

func resumedUpload(ctx context.Context) (gofakes3.UploadID, bool) {
	id, ok := ctx.Value(resumedUploadKey{}).(gofakes3.UploadID)
	return id, ok
}

func resumedPart(ctx context.Context) (etag string, ok bool) {
	etag, ok = ctx.Value(resumedPartKey{}).(string)
	return etag, ok
}

// replay is a request to show to gofakes3.
type replay struct {
	ctx         context.Context
	method      string
	bucket, key string
	query       url.Values
	size        int64
}

func (s *Store) resumeUploads(h http.Handler) error {
	replays, err := s.replays()
	if err != nil {
		return err
	}
	for _, r := range replays {
		if err := r.send(h); err != nil {
			return fmt.Errorf("resuming the upload of s3://%s/%s: %w", r.bucket, r.key, err)
		}
	}
	return nil
}

// replays gives, for each upload, the request that began it and those of its parts.
func (s *Store) replays() (out []replay, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		return eachUpload(tx, func(id gofakes3.UploadID, u upload) error {
			ctx := context.WithValue(context.Background(), resumedUploadKey{}, id)
			out = append(out, replay{ctx, http.MethodPost, u.Bucket, u.Key, url.Values{"uploads": {""}}, 0})
			return eachPart(tx, id, func(number int, p part) error {
				ctx := context.WithValue(context.Background(), resumedPartKey{}, quote(hex.EncodeToString(p.MD5)))
				query := url.Values{"uploadId": {string(id)}, "partNumber": {strconv.Itoa(number)}}
				out = append(out, replay{ctx, http.MethodPut, u.Bucket, u.Key, query, p.Size})
				return nil
			})
		})
	})
	return out, err
}

func (r replay) send(h http.Handler) error {
	u := url.URL{Scheme: "http", Host: "127.0.0.1", Path: "/" + r.bucket + "/" + r.key, RawQuery: r.query.Encode()}
	req, err := http.NewRequestWithContext(r.ctx, r.method, u.String(), strings.NewReader(""))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Length", strconv.FormatInt(r.size, 10))
	answer := &replayAnswer{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(answer, req)
	if answer.status != http.StatusOK {
		return fmt.Errorf("status %d: %s", answer.status, answer.body.String())
	}
	return nil
}

type replayAnswer struct {
	header http.Header
	status int
	body   strings.Builder
}

func (a *replayAnswer) Header() http.Header         { return a.header }
func (a *replayAnswer) WriteHeader(status int)      { a.status = status }
func (a *replayAnswer) Write(p []byte) (int, error) { return a.body.Write(p) }
