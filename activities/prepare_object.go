package activities

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"steward/internal/cloud"
)

// objectFile is an S3 object that is written like a file. It appears when it is
// closed without a cause, or not at all.
type objectFile struct {
	muted bool // what is written now goes nowhere

	buffer *bufio.Writer
	pipe   *io.PipeWriter
	hash   hash.Hash
	done   chan error
}

// writeBuffer is how much is handed to the upload at a time.
const writeBuffer = 256 << 10

func newObjectFile(ctx context.Context, objects *cloud.Objects, uri string) *objectFile {
	r, w := io.Pipe()
	f := &objectFile{buffer: bufio.NewWriterSize(w, writeBuffer), pipe: w, hash: sha256.New(), done: make(chan error, 1)}
	go func() {
		err := objects.Upload(ctx, uri, r)
		r.CloseWithError(err)
		f.done <- err
	}()
	return f
}

func (f *objectFile) Write(b []byte) (int, error) {
	if f.muted {
		return len(b), nil
	}
	f.hash.Write(b)
	return f.buffer.Write(b)
}

// close waits until the object is there or, with a cause, given up.
func (f *objectFile) close(cause error) error {
	cause = cmp.Or(cause, f.buffer.Flush())
	f.pipe.CloseWithError(cause) // nil is the end of the file
	ended := <-f.done
	f.done <- ended // for whoever closes it again, after a fault
	return cmp.Or(cause, ended)
}

func (f *objectFile) digest() string { return hex.EncodeToString(f.hash.Sum(nil)) }
