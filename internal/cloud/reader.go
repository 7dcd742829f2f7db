package cloud

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// An open object keeps at most keptBlocks blocks of blockSize bytes (32 MiB)
// and fetches at most longestRun of them (4 MiB) in one request.
const (
	blockSize  = 128 << 10
	keptBlocks = 256
	longestRun = 32
)

// Reader is an open object: an io.ReaderAt that fetches ranges and reads ahead.
// All reads see the object as it was when it was opened, or fail with ErrChanged.
type Reader struct {
	ctx     context.Context
	objects *Objects
	object  Object

	mu     sync.Mutex
	tick   int64
	blocks map[int64]*block
}

type block struct {
	data []byte
	used int64 // tick of the last use
}

// Open opens an object for random access. Reads stop when ctx ends. A missing
// object is ErrNotFound.
func (o *Objects) Open(ctx context.Context, uri string) (*Reader, error) {
	object, err := o.Stat(ctx, uri)
	if err != nil {
		return nil, err
	}
	return &Reader{ctx: ctx, objects: o, object: object, blocks: map[int64]*block{}}, nil
}

// Size is the object's length in bytes.
func (r *Reader) Size() int64 { return r.object.Size }

// ReadAt implements io.ReaderAt.
func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read %s: offset %d is before its beginning", r.object.URI, off)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= r.object.Size {
			return n, io.EOF
		}
		data, err := r.block(at / blockSize)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data[at%blockSize:])
	}
	return n, nil
}

func (r *Reader) block(i int64) ([]byte, error) {
	b := r.blocks[i]
	if b == nil {
		if err := r.fetch(i); err != nil {
			return nil, err
		}
		b = r.blocks[i]
	}
	r.tick++
	b.used = r.tick
	return b.data, nil
}

// fetch reads as many blocks ahead as were read without a gap before i. So a
// sequential reader soon makes large requests, and many interleaved ones, which
// push each other's blocks out, keep making small ones.
func (r *Reader) fetch(i int64) error {
	run := int64(1)
	for run < longestRun && r.blocks[i-run] != nil {
		run++
	}
	from, to := i*blockSize, min((i+run)*blockSize, r.object.Size)
	body, err := r.objects.get(r.ctx, &s3.GetObjectInput{
		Range:   aws.String(fmt.Sprintf("bytes=%d-%d", from, to-1)),
		IfMatch: aws.String(r.object.ETag),
	}, r.object.URI)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	for ; from < to; i, from = i+1, from+blockSize {
		data := make([]byte, min(blockSize, to-from))
		if _, err := io.ReadFull(body, data); err != nil {
			return translate(err, "read %s at %d", r.object.URI, from)
		}
		r.tick++
		r.blocks[i] = &block{data, r.tick}
		r.evict()
	}
	return nil
}

func (r *Reader) evict() {
	if len(r.blocks) <= keptBlocks {
		return
	}
	var oldest int64
	used := r.tick + 1
	for i, b := range r.blocks {
		if b.used < used {
			oldest, used = i, b.used
		}
	}
	delete(r.blocks, oldest)
}
