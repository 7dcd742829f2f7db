package s3

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/rclone/gofakes3"
)

// open opens the version of an object that x names, or a range of it. The caller
// must close its Contents.
func (s *Store) open(x *exchange, bucket, key string, want *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	r, err := s.hold(x, bucket, key)
	if err != nil {
		return nil, err
	}
	o := r.object()
	if o.Range, err = cut(want, r.Size); err != nil {
		s.blobs.unpin(r.Extents)
		return nil, err
	}
	from, length := int64(0), r.Size
	if o.Range != nil {
		from, length = o.Range.Start, o.Range.Length
	}
	if len(r.Extents) == 0 {
		o.Contents = io.NopCloser(bytes.NewReader(r.inline[from : from+length]))
		return o, nil
	}
	o.Contents = &extentReader{blobs: s.blobs, pinned: r.Extents, rest: r.Extents, skip: from, left: length}
	return o, nil
}

// hold is load that pins the files of the body. They may go between the look into
// the index and the pin, so it looks again: what a transaction still names after
// the pin is removed after the unpin.
func (s *Store) hold(x *exchange, bucket, key string) (*record, error) {
	r, err := s.load(x, bucket, key)
	for err == nil && len(r.Extents) > 0 {
		s.blobs.pin(r.Extents)
		held := r.Extents
		if r, err = s.load(x, bucket, key); err == nil && slices.Equal(r.Extents, held) {
			break
		}
		s.blobs.unpin(held)
	}
	return r, err
}

// extentReader reads a range of a body that lies in several files, one open at
// a time.
type extentReader struct {
	blobs      *blobs
	pinned     []extent
	rest       []extent
	skip, left int64
	file       *os.File
	close      sync.Once
}

func (x *extentReader) Read(p []byte) (int, error) {
	for x.left > 0 {
		if x.file == nil {
			if err := x.next(); err != nil {
				return 0, err
			}
		}
		n, err := x.file.Read(p[:min(int64(len(p)), x.left)])
		x.left -= int64(n)
		if n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		if err := x.shut(); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// next opens the next extent of which something is wanted.
func (x *extentReader) next() error {
	for len(x.rest) > 0 && x.skip >= x.rest[0].Size {
		x.skip -= x.rest[0].Size
		x.rest = x.rest[1:]
	}
	if len(x.rest) == 0 {
		return io.ErrUnexpectedEOF
	}
	f, err := os.Open(x.blobs.path(x.rest[0].Blob))
	if err != nil {
		return err
	}
	x.file, x.rest = f, x.rest[1:]
	_, err = f.Seek(x.skip, io.SeekStart)
	x.skip = 0
	return err
}

func (x *extentReader) shut() error {
	if x.file == nil {
		return nil
	}
	err := x.file.Close()
	x.file = nil
	return err
}

func (x *extentReader) Close() (err error) {
	x.close.Do(func() {
		err = x.shut()
		x.blobs.unpin(x.pinned)
	})
	return err
}
