package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// bucket is what the loads on a solo cloud share.
const bucket = "endured"

// content is what an object holds: bytes that follow from a number. One of size
// absent is no object.
type content struct{ n, size int }

const absent = -1

func (c content) bytes() []byte {
	random := rand.New(rand.NewPCG(uint64(c.n), uint64(c.size)))
	b := make([]byte, (c.size+7)/8*8)
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], random.Uint64())
	}
	return b[:c.size]
}

// object is a key as its writer knows it: what it holds and, while nobody knows
// whether the last change was done, what else it may hold.
type object struct {
	is    content
	maybe *content
}

// writer is a load that changes objects under a prefix of its own: small and
// large, new and known ones, in one piece and in parts, copied and deleted.
type writer struct {
	prefix       string
	random       *rand.Rand
	n            int
	objects      map[string]*object
	touched      map[string]bool // since the last check
	acknowledged int
}

func newWriter(id int) *writer {
	return &writer{prefix: fmt.Sprintf("writer-%d/", id), random: rand.New(rand.NewPCG(*seed, uint64(id))), n: id << 32,
		objects: map[string]*object{}, touched: map[string]bool{}}
}

// change is one call: what it makes of a key.
type change struct {
	key  string
	to   content
	call func(context.Context, clients) error
}

func (w *writer) step(ctx context.Context, c clients) error {
	do := w.choose()
	o := w.objects[do.key]
	if o == nil {
		o = &object{is: content{size: absent}}
		w.objects[do.key] = o
	}
	w.touched[do.key] = true
	o.maybe = &do.to
	if err := do.call(ctx, c); err != nil {
		return err
	}
	o.is, o.maybe = do.to, nil
	w.acknowledged++
	return nil
}

// choose is mostly small objects, in proportions that keep a disk busy without
// filling it.
func (w *writer) choose() change {
	w.n++
	key := fmt.Sprintf("%s%d", w.prefix, w.n)
	known, have := w.known()
	switch p := w.random.IntN(100); {
	case p < 55 || !have:
		return put(key, content{w.n, w.random.IntN(4 << 10)})
	case p < 75:
		return put(key, content{w.n, 32<<10 + w.random.IntN(512<<10)})
	case p < 85:
		return put(known, content{w.n, w.random.IntN(64 << 10)})
	case p < 91:
		return remove(known)
	case p < 98:
		return duplicate(known, key, w.objects[known].is)
	default:
		return inParts(key, content{w.n, minPart + 1 + w.random.IntN(64<<10)})
	}
}

// known draws a key that holds something.
func (w *writer) known() (string, bool) {
	for range 5 {
		key := fmt.Sprintf("%s%d", w.prefix, w.n-w.random.IntN(200))
		if o := w.objects[key]; o != nil && o.is.size != absent && o.maybe == nil {
			return key, true
		}
	}
	return "", false
}

func put(key string, to content) change {
	return change{key, to, func(ctx context.Context, c clients) error {
		_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: bytes.NewReader(to.bytes())})
		return err
	}}
}

func remove(key string) change {
	return change{key, content{size: absent}, func(ctx context.Context, c clients) error {
		_, err := c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: &key})
		return err
	}}
}

func duplicate(from, key string, is content) change {
	return change{key, is, func(ctx context.Context, c clients) error {
		_, err := c.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String(bucket), Key: &key, CopySource: aws.String(bucket + "/" + from)})
		return err
	}}
}

// minPart is the least size of a part that is not the last, in bytes (S3).
const minPart = 5 << 20

func inParts(key string, to content) change {
	return change{key, to, func(ctx context.Context, c clients) error {
		upload, err := c.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String(bucket), Key: &key})
		if err != nil {
			return err
		}
		var done types.CompletedMultipartUpload
		for i, part := range slices.Collect(slices.Chunk(to.bytes(), minPart)) {
			number := aws.Int32(int32(i + 1))
			out, err := c.s3.UploadPart(ctx, &s3.UploadPartInput{Bucket: aws.String(bucket), Key: &key, UploadId: upload.UploadId, PartNumber: number, Body: bytes.NewReader(part)})
			if err != nil {
				return err
			}
			done.Parts = append(done.Parts, types.CompletedPart{PartNumber: number, ETag: out.ETag})
		}
		_, err = c.s3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: aws.String(bucket), Key: &key, UploadId: upload.UploadId, MultipartUpload: &done})
		return err
	}}
}

// check reads what was touched since the last check, and lists the keys.
func (w *writer) check(ctx context.Context, c clients) error {
	for _, key := range slices.Sorted(maps.Keys(w.touched)) {
		if err := w.settle(ctx, c, key); err != nil {
			return err
		}
	}
	clear(w.touched)
	return w.checkListing(ctx, c)
}

// checkAgain reads everything.
func (w *writer) checkAgain() {
	for key := range w.objects {
		w.touched[key] = true
	}
}

// settle holds that a key has what was acknowledged, or what may have been done
// since, whole.
func (w *writer) settle(ctx context.Context, c clients, key string) error {
	o := w.objects[key]
	got, err := read(ctx, c, key)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	for _, want := range []*content{&o.is, o.maybe} {
		if want != nil && want.is(got) {
			o.is, o.maybe = *want, nil
			return nil
		}
	}
	return fmt.Errorf("%s holds %d bytes (-1: is not there) that are neither %+v, which was acknowledged, nor %+v, which was asked for since", key, size(got), o.is, o.maybe)
}

func (c *content) is(got []byte) bool {
	return size(got) == c.size && (got == nil || bytes.Equal(got, c.bytes()))
}

func size(got []byte) int {
	if got == nil {
		return absent
	}
	return len(got)
}

// read returns nil for what is not there.
func read(ctx context.Context, c clients, key string) ([]byte, error) {
	out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
	if _, missing := errors.AsType[*types.NoSuchKey](err); missing {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(out.Body)
	return body, errors.Join(err, out.Body.Close())
}

// checkListing holds that the keys of the listing are those that hold something.
func (w *writer) checkListing(ctx context.Context, c clients) error {
	listed, err := keys(ctx, c, w.prefix)
	if err != nil {
		return err
	}
	for _, key := range listed {
		if o := w.objects[key]; o == nil || o.is.size == absent {
			return fmt.Errorf("%s is listed and should not be there", key)
		}
	}
	for key, o := range w.objects {
		if _, found := slices.BinarySearch(listed, key); !found && o.is.size != absent {
			return fmt.Errorf("%s is not listed", key)
		}
	}
	return nil
}

// keys are those below a prefix, sorted as S3 does.
func keys(ctx context.Context, c clients, prefix string) ([]string, error) {
	var all []string
	pages := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range page.Contents {
			all = append(all, *o.Key)
		}
	}
	return all, nil
}
