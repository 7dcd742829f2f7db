package cloud

import (
	"context"
	"errors"
	"iter"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"steward/internal/lifecycle"
)

// List yields every object whose URI begins with prefix, in order of keys. It
// stops after the first error.
func (o *Objects) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return o.list(ctx, prefix, "")
}

// list is List of the keys that come after one.
func (o *Objects) list(ctx context.Context, prefix, after string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		bucket, key, err := splitURI(prefix)
		if err != nil {
			yield(Object{}, err)
			return
		}
		in := &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &key}
		if after != "" {
			in.StartAfter = aws.String(strings.TrimPrefix(after, "s3://"+bucket+"/"))
		}
		pages := s3.NewListObjectsV2Paginator(o.client, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Object{}, translate(err, "list %s", prefix))
				return
			}
			for _, c := range page.Contents {
				uri := "s3://" + bucket + "/" + aws.ToString(c.Key)
				if !yield(Object{uri, aws.ToInt64(c.Size), aws.ToString(c.ETag), aws.ToTime(c.LastModified)}, nil) {
					return
				}
			}
		}
	}
}

// Files is List without what is no data: folders, and the markers that programs
// leave, such as _SUCCESS, whose names begin with an underscore or a dot.
func (o *Objects) Files(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return o.FilesAfter(ctx, prefix, "")
}

// FilesAfter is Files of the names that come after one, which S3 finds without
// listing those before.
func (o *Objects) FilesAfter(ctx context.Context, prefix, after string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for object, err := range o.list(ctx, prefix, after) {
			name := path.Base(object.URI)
			if err == nil && (strings.HasSuffix(object.URI, "/") || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".")) {
				continue
			}
			if !yield(object, err) {
				return
			}
		}
	}
}

// Folders lists the names of the folders right below a prefix that ends with a
// slash, in order, without those slashes.
func (o *Objects) Folders(ctx context.Context, prefix string) ([]string, error) {
	bucket, key, err := splitURI(prefix)
	if err != nil {
		return nil, err
	}
	var out []string
	pages := s3.NewListObjectsV2Paginator(o.client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &key, Delimiter: aws.String("/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, "list %s", prefix)
		}
		for _, p := range page.CommonPrefixes {
			out = append(out, strings.TrimSuffix(strings.TrimPrefix(aws.ToString(p.Prefix), key), "/"))
		}
	}
	return out, nil
}

// deleteBatch is the most that S3 deletes in one request.
const deleteBatch = 1000

// DeletePrefix deletes every object whose URI begins with prefix. It refuses a
// prefix without a key, which would be a whole bucket.
func (o *Objects) DeletePrefix(ctx context.Context, prefix string) error {
	bucket, key, err := splitURI(prefix)
	if err != nil {
		return err
	}
	if key == "" {
		return lifecycle.Fail(lifecycle.Invalid, "delete %s: that is the whole bucket: name a prefix in it", prefix)
	}
	var batch []types.ObjectIdentifier
	for object, err := range o.List(ctx, prefix) {
		if err != nil {
			return err
		}
		_, key, _ := strings.Cut(strings.TrimPrefix(object.URI, "s3://"), "/")
		batch = append(batch, types.ObjectIdentifier{Key: &key})
		if len(batch) == deleteBatch {
			if err := o.deleteObjects(ctx, bucket, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return o.deleteObjects(ctx, bucket, batch)
}

func (o *Objects) deleteObjects(ctx context.Context, bucket string, keys []types.ObjectIdentifier) error {
	if len(keys) == 0 {
		return nil
	}
	out, err := o.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &bucket, Delete: &types.Delete{Objects: keys, Quiet: aws.Bool(true)},
	})
	if err != nil {
		return translate(err, "delete %d objects of %s", len(keys), bucket)
	}
	if len(out.Errors) > 0 {
		e := out.Errors[0]
		return lifecycle.Wait(lifecycle.Conflict, "delete s3://%s/%s: %s (%s), and %d more",
			bucket, aws.ToString(e.Key), aws.ToString(e.Message), aws.ToString(e.Code), len(out.Errors)-1)
	}
	return nil
}

// EnsureBucket makes the bucket unless it is there.
func (o *Objects) EnsureBucket(ctx context.Context, name string) error {
	_, err := o.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name})
	if err = translate(err, "bucket %s", name); !errors.Is(err, ErrNotFound) {
		return err
	}
	in := &s3.CreateBucketInput{Bucket: &name}
	if region := o.client.Options().Region; region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(region),
		}
	}
	_, err = o.client.CreateBucket(ctx, in)
	if err = translate(err, "make bucket %s", name); !errors.Is(err, ErrExists) {
		return err
	}
	_, err = o.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name})
	return translate(err, "bucket %s", name)
}
