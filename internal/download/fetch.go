package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/temporal"

	"steward/internal/lifecycle"
)

// File is what was downloaded. Version tells it from what may be there later:
// its ETag or, without one, when it was last modified; "" if the server says
// neither.
type File struct {
	Same    bool   // as the version that is known: nothing was downloaded
	Name    string // the local file, which is the caller's to remove
	Version string
	SHA256  string // hex
	Bytes   int64
}

const modified = "modified " // begins a Version without an ETag

// Fetch downloads a file into a folder, unless it is of the known version. It
// goes on after an interruption where it was if the server can, and the file is
// still the same. progress is told of every piece.
//
// What another attempt cannot mend is lifecycle.Denied, for a host that is not
// allowed, or lifecycle.DataRejected: no such file, no permission there, too
// large. A server that fails or is too slow is any other error.
func (c *Client) Fetch(ctx context.Context, uri, known, dir string, progress io.Writer) (File, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return File{}, lifecycle.Fail(lifecycle.DataRejected, "download %q: this is no address", uri)
	}
	file, err := os.CreateTemp(dir, "steward-download-*")
	if err != nil {
		return File{}, fmt.Errorf("download %s: %w", u.Redacted(), err)
	}
	t := &transfer{c: c, uri: uri, known: known, file: file, hash: sha256.New(), progress: progress}
	same, err := t.run(ctx)
	if err = errors.Join(err, file.Close()); err != nil || same {
		err = errors.Join(err, os.Remove(file.Name()))
	}
	if err != nil {
		return File{}, named(err, u.Redacted())
	}
	if same {
		return File{Same: true, Version: known}, nil
	}
	return File{Name: file.Name(), Version: t.version, SHA256: hex.EncodeToString(t.hash.Sum(nil)), Bytes: t.got}, nil
}

// named says of what an error is, keeping its type where Temporal looks for it.
func named(err error, what string) error {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return lifecycle.Fail(app.Type(), "download %s: %s", what, app.Message())
	}
	return fmt.Errorf("download %s: %w", what, err)
}

// transfer is one file being downloaded, by several attempts if need be.
type transfer struct {
	c          *Client
	uri, known string
	file       *os.File
	hash       hash.Hash
	progress   io.Writer
	got        int64
	version    string // of the bytes got so far
}

func (t *transfer) run(ctx context.Context) (same bool, err error) {
	pause := t.c.pause
	for try := 1; ; try++ {
		same, err = t.attempt(ctx)
		var app *temporal.ApplicationError
		if err == nil || errors.As(err, &app) || ctx.Err() != nil || try == tries {
			return same, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false, context.Cause(ctx)
		case <-timer.C:
		}
		pause *= 2
	}
}

// resumable tells whether the server can be asked for the rest: only a strong
// ETag or a date proves that it is the rest of the same file (RFC 9110, 13.1.5).
func (t *transfer) resumable() bool {
	return t.got > 0 && t.version != "" && !strings.HasPrefix(t.version, "W/")
}

func (t *transfer) request(ctx context.Context) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.uri, http.NoBody)
	if err != nil {
		return nil, lifecycle.Fail(lifecycle.DataRejected, "this is no address")
	}
	r.Header.Set("Accept-Encoding", "identity")
	if t.resumable() {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", t.got))
		r.Header.Set("If-Range", strings.TrimPrefix(t.version, modified))
		return r, nil
	}
	if date, isDate := strings.CutPrefix(t.known, modified); isDate {
		r.Header.Set("If-Modified-Since", date)
	} else if t.known != "" {
		r.Header.Set("If-None-Match", t.known)
	}
	return r, nil
}

// attempt asks once and takes what comes.
func (t *transfer) attempt(ctx context.Context) (same bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r, err := t.request(ctx)
	if err != nil {
		return false, err
	}
	answer, err := t.c.http.Do(r)
	if err != nil {
		return false, err
	}
	defer func() { _ = answer.Body.Close() }()
	switch {
	case answer.StatusCode == http.StatusNotModified && t.known != "" && !t.resumable():
		return true, nil
	case answer.StatusCode == http.StatusOK:
		if err := t.restart(versionOf(answer.Header)); err != nil {
			return false, err
		}
	case answer.StatusCode == http.StatusPartialContent && t.resumable():
		if err := t.goesOn(answer.Header); err != nil {
			return false, errors.Join(err, t.restart(""))
		}
	default:
		return false, refused(answer)
	}
	if answer.ContentLength > t.c.limit-t.got {
		return false, t.tooLarge()
	}
	return false, t.take(ctx, cancel, answer.Body)
}

// refused words an answer without a file.
func refused(answer *http.Response) error {
	switch status := answer.StatusCode; {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return lifecycle.Fail(lifecycle.DataRejected, "the server answers %s: the operator can set a header for %s in STEWARD_SOURCES", answer.Status, answer.Request.URL.Host)
	case status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests || status >= 500 ||
		status == http.StatusRequestedRangeNotSatisfiable:
		return fmt.Errorf("the server answers %s", answer.Status)
	}
	return lifecycle.Fail(lifecycle.DataRejected, "the server answers %s: correct the address", answer.Status)
}

func versionOf(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" {
		return tag
	}
	if date := h.Get("Last-Modified"); date != "" {
		return modified + date
	}
	return ""
}

// restart begins anew, with a file of a version.
func (t *transfer) restart(version string) error {
	t.got, t.version = 0, version
	t.hash.Reset()
	if err := t.file.Truncate(0); err != nil {
		return err
	}
	_, err := t.file.Seek(0, io.SeekStart)
	return err
}

// goesOn checks that a part is the one that was asked for, of the same file.
func (t *transfer) goesOn(h http.Header) error {
	if v := versionOf(h); v != "" && v != t.version {
		return fmt.Errorf("the file changed in the middle: it was %s and is %s", t.version, v)
	}
	if want := fmt.Sprintf("bytes %d-", t.got); !strings.HasPrefix(h.Get("Content-Range"), want) {
		return fmt.Errorf("the server sent the part %q, asked for was %s", h.Get("Content-Range"), want)
	}
	return nil
}

func (t *transfer) tooLarge() error {
	return lifecycle.Fail(lifecycle.DataRejected, "the file is larger than %d bytes, the most that this worker downloads: its operator can raise maxDownload in STEWARD_SOURCES", t.c.limit)
}

// take writes what comes, and gives up a server that sends too little.
func (t *transfer) take(ctx context.Context, cancel context.CancelCauseFunc, body io.Reader) error {
	var seen atomic.Int64
	watched := make(chan struct{})
	defer func() { cancel(nil); <-watched }()
	go func() {
		defer close(watched)
		t.watch(ctx, cancel, &seen)
	}()
	n, err := io.Copy(io.MultiWriter(t.file, t.hash, t.progress, counter{&seen}), io.LimitReader(body, t.c.limit-t.got+1))
	t.got += n
	switch {
	case t.got > t.c.limit:
		return t.tooLarge()
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return err
}

func (t *transfer) watch(ctx context.Context, cancel context.CancelCauseFunc, seen *atomic.Int64) {
	tick := time.NewTicker(t.c.watch)
	defer tick.Stop()
	for last := int64(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := seen.Load()
		if now-last < t.c.least {
			cancel(fmt.Errorf("the server sent %d bytes in %s, which is too slow", now-last, t.c.watch))
			return
		}
		last = now
	}
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return len(b), nil
}
