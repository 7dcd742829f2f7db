package s3_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/s3"
)

func TestObjectsOfEverySizeSurviveARestart(t *testing.T) {
	c := start(t)
	bodies := map[string]string{}
	for _, n := range []int{0, 1, 16 << 10, 16<<10 + 1, 3 << 20} {
		key := fmt.Sprintf("a dir/größe+%d", n)
		bodies[key] = string(randomBytes(n))
		c.put(key, bodies[key])
	}
	c.restart()
	for key, body := range bodies {
		got, err := c.get(&awss3.GetObjectInput{Key: &key})
		require.NoError(t, err)
		require.True(t, got == body, key)
		if len(body) > 100 {
			got, err = c.get(&awss3.GetObjectInput{Key: &key, Range: aws.String("bytes=7-42")})
			require.NoError(t, err)
			require.True(t, got == body[7:43], key)
		}
		_, err = c.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: aws.String("data"), Key: &key})
		require.NoError(t, err)
		_, err = c.get(&awss3.GetObjectInput{Key: &key})
		require.Equal(t, "NoSuchKey", code(err))
	}
	require.Empty(t, c.blobs())
}

func TestListingPagesAndFolders(t *testing.T) {
	c := start(t)
	var want []string
	for i := range 25 {
		key := fmt.Sprintf("k/%02d", i)
		want = append(want, key)
		c.put(key, "x")
	}
	c.put("k/sub/one", "x")
	c.put("k/sub/two", "x")
	c.put("other", "x")
	var keys, folders []string
	pages := awss3.NewListObjectsV2Paginator(c, &awss3.ListObjectsV2Input{Bucket: aws.String("data"), Prefix: aws.String("k/"), Delimiter: aws.String("/"), MaxKeys: aws.Int32(4)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
		for _, p := range page.CommonPrefixes {
			folders = append(folders, *p.Prefix)
		}
	}
	require.Equal(t, want, keys)
	require.Equal(t, []string{"k/sub/"}, folders)

	all, err := c.store.List(t.Context(), "data", "k/sub")
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "k/sub/one", all[0].Key)
	_, err = c.store.List(t.Context(), "nowhere", "")
	require.ErrorContains(t, err, "s3://nowhere/: NoSuchBucket")
}

func TestIfNoneMatchHasOneWinner(t *testing.T) {
	c := start(t)
	var won, lost atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			_, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("ledger/1"), Body: strings.NewReader(fmt.Sprint(i)), IfNoneMatch: aws.String("*")})
			switch {
			case err == nil:
				won.Add(1)
			case code(err) == "PreconditionFailed":
				lost.Add(1)
			}
		})
	}
	wg.Wait()
	require.Equal(t, int32(1), won.Load())
	require.Equal(t, int32(15), lost.Load())
}

func TestVersions(t *testing.T) {
	c := start(t)
	bucket, key := aws.String("data"), aws.String("k")
	c.put("k", "before")
	_, err := c.PutBucketVersioning(t.Context(), &awss3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	require.NoError(t, err)
	one, two := c.put("k", "one"), c.put("k", strings.Repeat("two", 10000))
	_, err = c.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	c.restart()

	_, err = c.get(&awss3.GetObjectInput{Key: key})
	require.Equal(t, "NoSuchKey", code(err))
	for version, want := range map[string]string{"null": "before", *one.VersionId: "one", *two.VersionId: strings.Repeat("two", 10000)} {
		got, err := c.get(&awss3.GetObjectInput{Key: key, VersionId: &version})
		require.NoError(t, err)
		require.Equal(t, want, got)
		head, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: bucket, Key: key, VersionId: &version})
		require.NoError(t, err)
		require.Equal(t, int64(len(want)), *head.ContentLength)
	}

	var seen []string
	pages := awss3.NewListObjectVersionsPaginator(c, &awss3.ListObjectVersionsInput{Bucket: bucket, MaxKeys: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, v := range page.Versions {
			seen = append(seen, *v.VersionId)
		}
		for _, m := range page.DeleteMarkers {
			seen = append(seen, "marker")
			require.True(t, *m.IsLatest)
			_, err = c.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: bucket, Key: key, VersionId: m.VersionId})
			require.NoError(t, err)
		}
		if len(seen) > 10 {
			break
		}
		if len(page.DeleteMarkers) > 0 { // the marker of the page is gone: begin again
			pages = awss3.NewListObjectVersionsPaginator(c, &awss3.ListObjectVersionsInput{Bucket: bucket, MaxKeys: aws.Int32(1)})
		}
	}
	require.Equal(t, []string{"marker", *two.VersionId, *one.VersionId, "null"}, seen)
	got, err := c.get(&awss3.GetObjectInput{Key: key})
	require.NoError(t, err)
	require.Len(t, got, 30000)

	for _, version := range seen[1:] {
		_, err = c.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: bucket, Key: key, VersionId: &version})
		require.NoError(t, err)
	}
	_, err = c.DeleteBucket(t.Context(), &awss3.DeleteBucketInput{Bucket: bucket})
	require.NoError(t, err)
	require.Empty(t, c.blobs())
}

func TestTagsAndMetadata(t *testing.T) {
	c := start(t)
	bucket, key := aws.String("data"), aws.String("k")
	_, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x"), Metadata: map[string]string{"digest": "abc"}, Tagging: aws.String("steward%3Amodel=flight")})
	require.NoError(t, err)
	_, err = c.PutObjectTagging(t.Context(), &awss3.PutObjectTaggingInput{Bucket: bucket, Key: key, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}})
	require.NoError(t, err)
	c.restart()
	tags, err := c.GetObjectTagging(t.Context(), &awss3.GetObjectTaggingInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	require.Equal(t, []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}, tags.TagSet)
	head, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"digest": "abc"}, head.Metadata)
}

func TestInProcess(t *testing.T) {
	c := start(t)
	body := randomBytes(1 << 20)
	for _, size := range []int64{-1, int64(len(body))} {
		require.NoError(t, c.store.Put(t.Context(), "data", "in", bytes.NewReader(body), size))
		r, err := c.store.Get(t.Context(), "data", "in")
		require.NoError(t, err)
		// Replaced while it is read: the reader keeps what it opened.
		require.NoError(t, c.store.Put(t.Context(), "data", "in", strings.NewReader("new"), 3))
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.True(t, bytes.Equal(body, got))
		require.Len(t, c.blobs(), 1)
		require.NoError(t, r.Close())
		require.Empty(t, c.blobs())
	}
	require.ErrorContains(t, c.store.Put(t.Context(), "data", "short", strings.NewReader("abc"), 4), "s3://data/short: IncompleteBody")
	require.ErrorContains(t, c.store.Put(t.Context(), "nowhere", "k", strings.NewReader("abc"), 3), "NoSuchBucket")
	_, err := c.store.Get(t.Context(), "data", "missing")
	require.ErrorContains(t, err, "s3://data/missing: NoSuchKey")
	head, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String("data"), Key: aws.String("in")})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), *head.LastModified, time.Minute)
}

func TestOrphanedBodiesAreRemovedAtStart(t *testing.T) {
	c := start(t)
	large := string(randomBytes(1 << 20))
	c.put("keep", large)
	kept := c.blobs()
	require.Len(t, kept, 1)
	orphan := filepath.Join(c.dir, "blobs", "00", "00112233445566778899aabb")
	require.NoError(t, os.WriteFile(orphan, []byte("half"), 0o600))
	c.restart()
	fresh := string(randomBytes(1 << 20))
	c.put("fresh", fresh)
	require.Eventually(t, func() bool { return !slices.Contains(c.blobs(), orphan) }, 10*time.Second, time.Millisecond)
	require.Subset(t, c.blobs(), kept)
	require.Len(t, c.blobs(), 2)
	got, err := c.get(&awss3.GetObjectInput{Key: aws.String("keep")})
	require.NoError(t, err)
	require.True(t, got == large)
}

func TestSecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	s, err := s3.Open(dir)
	require.NoError(t, err)
	_, err = s3.Open(dir)
	require.ErrorContains(t, err, dir)
	require.ErrorContains(t, err, "another process has it open; stop that process or use another directory")
	require.NoError(t, s.Close())
}

func TestDeleteManyAndFullBucket(t *testing.T) {
	c := start(t)
	var ids []types.ObjectIdentifier
	for i := range 3 {
		key := fmt.Sprintf("k%d", i)
		c.put(key, "x")
		ids = append(ids, types.ObjectIdentifier{Key: &key})
	}
	_, err := c.DeleteBucket(context.Background(), &awss3.DeleteBucketInput{Bucket: aws.String("data")})
	require.Equal(t, "BucketNotEmpty", code(err))
	out, err := c.DeleteObjects(t.Context(), &awss3.DeleteObjectsInput{Bucket: aws.String("data"), Delete: &types.Delete{Objects: ids}})
	require.NoError(t, err)
	require.Len(t, out.Deleted, 3)
	_, err = c.DeleteBucket(t.Context(), &awss3.DeleteBucketInput{Bucket: aws.String("data")})
	require.NoError(t, err)
}
