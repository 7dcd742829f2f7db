package sagemaker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"golang.org/x/sync/errgroup"
)

// parallelDownloads is how many objects of one channel are fetched at a time.
const parallelDownloads = 4

// location is an s3:// address: a bucket and a key or prefix.
type location struct{ bucket, key string }

func (l location) String() string { return "s3://" + l.bucket + "/" + l.key }

// join gives the location of a name below this one.
func (l location) join(name string) location {
	if l.key == "" || strings.HasSuffix(l.key, "/") {
		return location{l.bucket, l.key + name}
	}
	return location{l.bucket, l.key + "/" + name}
}

// bucketRegexp is what S3 allows for the names of buckets, which may also not
// have two dots in a row. It makes them safe as folder names.
var bucketRegexp = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// parseLocation refuses what is not s3://bucket/key; field is the request's
// name for it.
func parseLocation(field, uri string) (location, error) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	bucket, key, _ := strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return location{}, invalid("%s %q is not an S3 address: want s3://bucket/prefix", field, uri)
	}
	if !bucketRegexp.MatchString(bucket) || strings.Contains(bucket, "..") {
		return location{}, invalid("%s %q: %q is not a bucket name: want 3 to 63 lower-case letters, digits, dots and hyphens", field, uri, bucket)
	}
	return location{bucket, key}, nil
}

// source is one object and the relative path a job knows it by.
type source struct {
	at   location
	name string
	size int64
}

// sources lists what a channel or transform input of the kind holds, in the
// order of keys or of the manifest. None at all is an error.
func (s *Service) sources(ctx context.Context, kind types.S3DataType, uri string) ([]source, error) {
	at, err := parseLocation("S3Uri", uri)
	if err != nil {
		return nil, err
	}
	var found []source
	if kind == types.S3DataTypeManifestFile {
		found, err = s.manifest(ctx, at)
	} else {
		found, err = s.prefix(ctx, at)
	}
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, noObjects{at, uri}
	}
	for _, f := range found {
		if !filepath.IsLocal(f.name) {
			return nil, fmt.Errorf("object %s: %q is not a relative path below the channel", f.at, f.name)
		}
	}
	return found, nil
}

// noObjects says that an input is empty.
type noObjects struct {
	at  location
	uri string
}

func (e noObjects) Error() string {
	return fmt.Sprintf("no S3 objects found under S3 URL %q: check the address", e.uri)
}

// inputFailure is the reason of a job that did not get its input, in AWS's words.
func (s *Service) inputFailure(err error, role string) error {
	if none, ok := errors.AsType[noObjects](err); ok {
		return fmt.Errorf("ClientError: Data download failed:No S3 objects found under S3 URL %q given in input data source."+ //nolint:staticcheck // AWS ends with a full stop
			" Please ensure that the bucket exists in the selected region (%s), that objects exist under that S3 prefix,"+
			" and that the role %q has \"s3:ListBucket\" permissions on bucket %q.", none.uri, s.cfg.Region, role, none.at.bucket)
	}
	return fmt.Errorf("ClientError: Data download failed: %w", err)
}

func (s *Service) prefix(ctx context.Context, at location) ([]source, error) {
	objects, err := s.cfg.Objects.List(ctx, at.bucket, at.key)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", at, err)
	}
	var found []source
	for _, o := range objects {
		if !strings.HasSuffix(o.Key, "/") { // a folder's marker
			found = append(found, source{location{at.bucket, o.Key}, relative(at.key, o.Key), o.Size})
		}
	}
	return found, nil
}

// relative is an object's path below a prefix. A prefix may be a folder with
// or without its slash, the beginning of a name, or the whole key.
func relative(prefix, key string) string {
	rest := strings.TrimPrefix(key, prefix)
	switch {
	case prefix == "" || strings.HasSuffix(prefix, "/"):
		return rest
	case strings.HasPrefix(rest, "/"):
		return rest[1:]
	default:
		return key[strings.LastIndex(prefix, "/")+1:]
	}
}

// manifest reads `[{"prefix": "s3://…"}, "relative/key", …]`.
func (s *Service) manifest(ctx context.Context, at location) ([]source, error) {
	body, err := s.cfg.Objects.Get(ctx, at.bucket, at.key)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", at, err)
	}
	defer func() { _ = body.Close() }()
	var entries []json.RawMessage
	if err := json.NewDecoder(body).Decode(&entries); err != nil {
		return nil, fmt.Errorf("manifest %s: want a JSON list: %w", at, err)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("manifest %s: is empty: the first entry is {\"prefix\": \"s3://…\"}", at)
	}
	var head struct {
		Prefix string `json:"prefix"`
	}
	if err := json.Unmarshal(entries[0], &head); err != nil {
		return nil, fmt.Errorf("manifest %s: entry 0: want {\"prefix\": \"s3://…\"}: %w", at, err)
	}
	base, err := parseLocation("prefix", head.Prefix)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: entry 0: %w", at, err)
	}
	var found []source
	for i, e := range entries[1:] {
		var name string
		if err := json.Unmarshal(e, &name); err != nil || name == "" {
			return nil, fmt.Errorf("manifest %s: entry %d: %s: want a relative key", at, i+1, e)
		}
		found = append(found, source{at: location{base.bucket, base.key + name}, name: name})
	}
	return found, nil
}

// download fetches sources into a directory.
func (s *Service) download(ctx context.Context, list []source, dir string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelDownloads)
	for _, src := range list {
		g.Go(func() error { return s.fetch(ctx, src.at, filepath.Join(dir, filepath.FromSlash(src.name))) })
	}
	return g.Wait()
}

// fetch copies one object to a file.
func (s *Service) fetch(ctx context.Context, at location, file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	body, err := s.cfg.Objects.Get(ctx, at.bucket, at.key)
	if err != nil {
		return fmt.Errorf("get %s: %w", at, err)
	}
	defer func() { _ = body.Close() }()
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, body); err != nil {
		_ = f.Close()
		return fmt.Errorf("get %s: %w", at, err)
	}
	return f.Close()
}

// putFile stores a file under a key.
func (s *Service) putFile(ctx context.Context, at location, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := s.cfg.Objects.Put(ctx, at.bucket, at.key, f, info.Size()); err != nil {
		return fmt.Errorf("put %s: %w", at, err)
	}
	return nil
}
