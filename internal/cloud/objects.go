package cloud

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"steward/internal/lifecycle"
)

// Objects reads and writes S3 objects, which it names s3://bucket/key.
type Objects struct {
	client  *s3.Client
	uploads *transfermanager.Client
}

// uploadParts is how many parts of 8 MiB one upload sends at a time: it bounds
// the memory of those that write several objects at once.
const uploadParts = 2

// NewObjects returns Objects over an S3 client.
func NewObjects(client *s3.Client) *Objects {
	return &Objects{client: client, uploads: transfermanager.New(client, func(o *transfermanager.Options) {
		o.Concurrency = uploadParts
	})}
}

// Object is one object as a listing shows it.
type Object struct {
	URI      string
	Size     int64
	ETag     string
	Modified time.Time
}

// splitURI returns bucket and key of s3://bucket/key.
func splitURI(uri string) (bucket, key string, err error) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	bucket, key, _ = strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return "", "", lifecycle.Fail(lifecycle.Invalid, "object %q: write s3://bucket/key", uri)
	}
	return bucket, key, nil
}

// Get returns a whole object; for those that fit into memory. A missing one is ErrNotFound.
func (o *Objects) Get(ctx context.Context, uri string) ([]byte, error) {
	body, err := o.Read(ctx, uri)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	b, err := io.ReadAll(body)
	return b, translate(err, "read %s", uri)
}

// Read streams an object from its beginning. A missing one is ErrNotFound.
func (o *Objects) Read(ctx context.Context, uri string) (io.ReadCloser, error) {
	return o.get(ctx, &s3.GetObjectInput{}, uri)
}

// ReadSame is Read of an object that is still as it was seen, or else ErrChanged.
func (o *Objects) ReadSame(ctx context.Context, seen Object) (io.ReadCloser, error) {
	return o.get(ctx, &s3.GetObjectInput{IfMatch: aws.String(seen.ETag)}, seen.URI)
}

func (o *Objects) get(ctx context.Context, in *s3.GetObjectInput, uri string) (io.ReadCloser, error) {
	bucket, key, err := splitURI(uri)
	if err != nil {
		return nil, err
	}
	in.Bucket, in.Key = &bucket, &key
	out, err := o.client.GetObject(ctx, in)
	if err != nil {
		return nil, translate(err, "read %s", uri)
	}
	return out.Body, nil
}

// Stat describes an object. A missing one is ErrNotFound.
func (o *Objects) Stat(ctx context.Context, uri string) (Object, error) {
	bucket, key, err := splitURI(uri)
	if err != nil {
		return Object{}, err
	}
	out, err := o.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return Object{}, translate(err, "look at %s", uri)
	}
	return Object{uri, aws.ToInt64(out.ContentLength), aws.ToString(out.ETag), aws.ToTime(out.LastModified)}, nil
}

// Put writes an object, replacing what was there.
func (o *Objects) Put(ctx context.Context, uri string, b []byte) error {
	return o.put(ctx, &s3.PutObjectInput{}, uri, b)
}

// PutNew writes an object that must not exist: among any number of writers one
// succeeds and the others get ErrExists.
func (o *Objects) PutNew(ctx context.Context, uri string, b []byte) error {
	err := o.put(ctx, &s3.PutObjectInput{IfNoneMatch: aws.String("*")}, uri, b)
	if errors.Is(err, ErrChanged) {
		return typed("write "+uri, lifecycle.Conflict, false, ErrExists)
	}
	return err
}

func (o *Objects) put(ctx context.Context, in *s3.PutObjectInput, uri string, b []byte) error {
	bucket, key, err := splitURI(uri)
	if err != nil {
		return err
	}
	in.Bucket, in.Key, in.Body = &bucket, &key, bytes.NewReader(b)
	_, err = o.client.PutObject(ctx, in)
	return translate(err, "write %s", uri)
}

// Upload streams r to an object in parts, a few of which are in memory at a
// time. The object appears when all of r is there, or not at all.
func (o *Objects) Upload(ctx context.Context, uri string, r io.Reader) error {
	bucket, key, err := splitURI(uri)
	if err != nil {
		return err
	}
	_, err = o.uploads.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: &bucket, Key: &key, Body: r})
	return translate(err, "write %s", uri)
}

// largestCopy is the most that S3 copies in one request.
const largestCopy = 5 << 30

// Copy copies an object inside S3, if it is still as from shows it; else it
// answers ErrChanged.
func (o *Objects) Copy(ctx context.Context, from Object, to string) error {
	source, sourceKey, err := splitURI(from.URI)
	if err != nil {
		return err
	}
	if from.Size > largestCopy {
		return o.copyThrough(ctx, from, to)
	}
	bucket, key, err := splitURI(to)
	if err != nil {
		return err
	}
	_, err = o.client.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: &bucket, Key: &key,
		CopySource:        aws.String(source + "/" + strings.ReplaceAll(url.QueryEscape(sourceKey), "+", "%20")),
		CopySourceIfMatch: aws.String(from.ETag),
	})
	return translate(err, "copy %s to %s", from.URI, to)
}

func (o *Objects) copyThrough(ctx context.Context, from Object, to string) error {
	body, err := o.get(ctx, &s3.GetObjectInput{IfMatch: aws.String(from.ETag)}, from.URI)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	return o.Upload(ctx, to, body)
}
