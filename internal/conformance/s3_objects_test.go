package conformance

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

var objectCases = []kase{
	{name: "object comes back", covers: "PutObject GetObject HeadObject", run: objectComesBack},
	{name: "any key", covers: "PutObject GetObject DeleteObject", run: anyKey},
	{name: "missing object", covers: "GetObject HeadObject DeleteObject GetObjectAttributes CopyObject", run: missingObject},
	{name: "ranges", covers: "GetObject HeadObject", run: ranges},
	{name: "conditional reads", covers: "GetObject HeadObject", run: conditionalReads},
	{name: "checksums", covers: "PutObject GetObject HeadObject GetObjectAttributes", run: checksums},
	{name: "overridden headers", covers: "GetObject", run: overridden},
	{name: "presigned requests", covers: "PutObject GetObject", run: presigned},
}

func etag(body string) string {
	sum := md5.Sum([]byte(body))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func objectComesBack(c *cloud) {
	ctx, bucket, key, body := c.Context(), c.bucket(), aws.String("k"), "line one\nline two\n"
	expires := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	put, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader(body),
		ContentType: aws.String("text/csv"), ContentEncoding: aws.String("identity"), ContentLanguage: aws.String("en"),
		ContentDisposition: aws.String(`attachment; filename="a.csv"`), CacheControl: aws.String("no-store"), Expires: &expires,
		Metadata: map[string]string{"digest": "abc", "empty": ""}})
	require.NoError(c, err)
	require.Equal(c, etag(body), *put.ETag)

	got, out := c.get(&s3.GetObjectInput{Bucket: bucket, Key: key})
	require.Equal(c, body, got)
	head, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	require.NoError(c, err)
	for _, o := range []struct {
		length                                                     *int64
		tag, kind, encoding, language, disposition, cache, expires *string
		ranges                                                     *string
		modified                                                   *time.Time
		meta                                                       map[string]string
	}{
		{out.ContentLength, out.ETag, out.ContentType, out.ContentEncoding, out.ContentLanguage, out.ContentDisposition, out.CacheControl, out.ExpiresString, out.AcceptRanges, out.LastModified, out.Metadata},
		{head.ContentLength, head.ETag, head.ContentType, head.ContentEncoding, head.ContentLanguage, head.ContentDisposition, head.CacheControl, head.ExpiresString, head.AcceptRanges, head.LastModified, head.Metadata},
	} {
		require.Equal(c, int64(len(body)), *o.length)
		require.Equal(c, etag(body), *o.tag)
		require.Equal(c, "text/csv", aws.ToString(o.kind))
		require.Equal(c, "identity", aws.ToString(o.encoding))
		require.Equal(c, "en", aws.ToString(o.language))
		require.Equal(c, `attachment; filename="a.csv"`, aws.ToString(o.disposition))
		require.Equal(c, "no-store", aws.ToString(o.cache))
		require.Equal(c, expires.Format(http.TimeFormat), aws.ToString(o.expires))
		require.Equal(c, "bytes", aws.ToString(o.ranges))
		require.WithinDuration(c, time.Now(), *o.modified, 15*time.Minute)
		require.Equal(c, map[string]string{"digest": "abc", "empty": ""}, o.meta)
	}
	require.Empty(c, out.StorageClass, "STANDARD is not told")
}

func anyKey(c *cloud) {
	bucket := c.bucket()
	for _, key := range []string{"a b+c", "größe/日本.txt", "a//b/", "/leading", "quote'&\"<>", "%2F%41", "tilde~!*()", "a/../b", "dots/./c", strings.Repeat("k", 1024)} {
		uri := c.put(bucket, key, "of "+key)
		require.Equal(c, "of "+key, c.read(uri))
		_, err := c.s3.DeleteObject(c.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: &key})
		require.NoError(c, err)
	}
	_, err := c.s3.PutObject(c.Context(), &s3.PutObjectInput{Bucket: bucket, Key: aws.String(strings.Repeat("k", 1025))})
	c.refused(err, "KeyTooLongError", "Your key is too long")
	require.Equal(c, 400, status(err))
}

func missingObject(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), aws.String("nowhere")
	_, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
	c.refused(err, "NoSuchKey", "The specified key does not exist.")
	require.Equal(c, 404, status(err))
	_, err = c.s3.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: bucket, Key: key, ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesEtag}})
	c.refused(err, "NoSuchKey", "The specified key does not exist.")
	_, err = c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	c.refused(err, "NotFound", "")
	_, err = c.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: aws.String("to"), CopySource: aws.String(*bucket + "/nowhere")})
	c.refused(err, "NoSuchKey", "The specified key does not exist.")
	_, err = c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key})
	require.NoError(c, err, "deleting what is not there is done")
}

func ranges(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), aws.String("k")
	c.put(bucket, *key, "0123456789")
	for asked, want := range map[string][2]string{
		"bytes=0-0": {"0", "bytes 0-0/10"}, "bytes=2-4": {"234", "bytes 2-4/10"}, "bytes=7-": {"789", "bytes 7-9/10"},
		"bytes=-3": {"789", "bytes 7-9/10"}, "bytes=8-99": {"89", "bytes 8-9/10"}, "bytes=-99": {"0123456789", "bytes 0-9/10"},
	} {
		body, out := c.get(&s3.GetObjectInput{Bucket: bucket, Key: key, Range: &asked})
		require.Equal(c, want, [2]string{body, aws.ToString(out.ContentRange)}, asked)
		require.Equal(c, int64(len(want[0])), *out.ContentLength)
		head, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key, Range: &asked})
		require.NoError(c, err)
		require.Equal(c, want[1], aws.ToString(head.ContentRange), asked)
		require.Equal(c, int64(len(want[0])), *head.ContentLength, asked)
	}
	_, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, Range: aws.String("bytes=10-12")})
	c.refused(err, "InvalidRange", "The requested range is not satisfiable")
	require.Equal(c, 416, status(err))
	_, err = c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key, Range: aws.String("bytes=10-12")})
	require.Equal(c, 416, status(err))
	for _, none := range []string{"lines=1-2", "bytes=5-2"} {
		body, out := c.get(&s3.GetObjectInput{Bucket: bucket, Key: key, Range: &none})
		require.Equal(c, "0123456789", body, "%s is ignored", none)
		require.Empty(c, out.ContentRange)
		head, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key, Range: &none})
		require.NoError(c, err)
		require.Equal(c, []any{int64(10), ""}, []any{*head.ContentLength, aws.ToString(head.ContentRange)})
	}
}

func conditionalReads(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), aws.String("k")
	c.put(bucket, *key, "x")
	past, future := aws.Time(time.Now().Add(-time.Hour)), aws.Time(time.Now().Add(-time.Second).Add(time.Second))
	mine, other := aws.String(etag("x")), aws.String(etag("y"))
	for name, tt := range map[string]struct {
		in   s3.GetObjectInput
		want int
	}{
		"match":                      {s3.GetObjectInput{IfMatch: mine}, 200},
		"other match":                {s3.GetObjectInput{IfMatch: other}, 412},
		"none match":                 {s3.GetObjectInput{IfNoneMatch: mine}, 304},
		"other none match":           {s3.GetObjectInput{IfNoneMatch: other}, 200},
		"modified since the past":    {s3.GetObjectInput{IfModifiedSince: past}, 200},
		"not modified since":         {s3.GetObjectInput{IfModifiedSince: future}, 304},
		"unmodified since":           {s3.GetObjectInput{IfUnmodifiedSince: future}, 200},
		"unmodified since the past":  {s3.GetObjectInput{IfUnmodifiedSince: past}, 412},
		"match outdoes the date":     {s3.GetObjectInput{IfMatch: mine, IfUnmodifiedSince: past}, 200},
		"the tag outdoes the date":   {s3.GetObjectInput{IfNoneMatch: other, IfModifiedSince: future}, 200},
		"both say that it is as was": {s3.GetObjectInput{IfNoneMatch: mine, IfModifiedSince: past}, 304},
	} {
		in := tt.in
		in.Bucket, in.Key = bucket, key
		out, err := c.s3.GetObject(ctx, &in)
		_, headErr := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key, IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch, IfModifiedSince: in.IfModifiedSince, IfUnmodifiedSince: in.IfUnmodifiedSince})
		if tt.want == 200 {
			require.NoError(c, err, name)
			require.NoError(c, out.Body.Close())
			require.NoError(c, headErr, name)
			continue
		}
		require.Equal(c, tt.want, status(err), "%s: %v", name, err)
		require.Equal(c, tt.want, status(headErr), "%s of the head: %v", name, headErr)
		if tt.want == 412 {
			c.refused(err, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		}
	}
}

func checksums(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	const body = "checked"
	for name, algorithm := range map[string]types.ChecksumAlgorithm{"crc32": types.ChecksumAlgorithmCrc32, "crc32c": types.ChecksumAlgorithmCrc32c,
		"sha1": types.ChecksumAlgorithmSha1, "sha256": types.ChecksumAlgorithmSha256, "crc64nvme": types.ChecksumAlgorithmCrc64nvme} {
		put, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &name, Body: strings.NewReader(body), ChecksumAlgorithm: algorithm})
		require.NoError(c, err, name)
		want := sums{put.ChecksumCRC32, put.ChecksumCRC32C, put.ChecksumSHA1, put.ChecksumSHA256, put.ChecksumCRC64NVME}
		require.Equal(c, 1, want.given(), name)
		got, out := c.get(&s3.GetObjectInput{Bucket: bucket, Key: &name, ChecksumMode: types.ChecksumModeEnabled})
		require.Equal(c, body, got)
		require.Equal(c, want, sums{out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumSHA1, out.ChecksumSHA256, out.ChecksumCRC64NVME}, name)
		head, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: &name, ChecksumMode: types.ChecksumModeEnabled})
		require.NoError(c, err)
		require.Equal(c, want, sums{head.ChecksumCRC32, head.ChecksumCRC32C, head.ChecksumSHA1, head.ChecksumSHA256, head.ChecksumCRC64NVME}, name)
		attributes, err := c.s3.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: bucket, Key: &name,
			ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesChecksum, types.ObjectAttributesEtag, types.ObjectAttributesObjectSize, types.ObjectAttributesStorageClass}})
		require.NoError(c, err)
		a := attributes.Checksum
		require.NotNil(c, a, name)
		require.Equal(c, want, sums{a.ChecksumCRC32, a.ChecksumCRC32C, a.ChecksumSHA1, a.ChecksumSHA256, a.ChecksumCRC64NVME}, name)
		require.Equal(c, strings.Trim(etag(body), `"`), *attributes.ETag, "without quotes, here alone")
		require.Equal(c, int64(len(body)), *attributes.ObjectSize)
		require.Equal(c, types.StorageClassStandard, attributes.StorageClass)
	}
	wrong := base64.StdEncoding.EncodeToString(make([]byte, 4))
	_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("wrong"), Body: strings.NewReader(body), ChecksumCRC32: &wrong})
	c.refused(err, "BadDigest", "The CRC32 you specified did not match")
	require.Equal(c, 400, status(err))
	md5 := base64.StdEncoding.EncodeToString(make([]byte, 16))
	_, err = c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("wrong"), Body: strings.NewReader(body), ContentMD5: &md5})
	c.refused(err, "BadDigest", "The Content-MD5 you specified did not match what we received")
	_, err = c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("wrong"), Body: strings.NewReader(body), ContentMD5: aws.String("short")})
	c.refused(err, "InvalidDigest", "The Content-MD5 you specified")
	_, err = c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("wrong")})
	c.refused(err, "NotFound", "")
}

// sums are the checksums of an answer.
type sums [5]*string

func (s sums) given() (n int) {
	for _, v := range s {
		if v != nil {
			n++
		}
	}
	return n
}

func overridden(c *cloud) {
	bucket, key := c.bucket(), aws.String("k")
	c.put(bucket, *key, "x")
	_, out := c.get(&s3.GetObjectInput{Bucket: bucket, Key: key, ResponseContentType: aws.String("text/html"), ResponseContentDisposition: aws.String("inline"),
		ResponseCacheControl: aws.String("max-age=1"), ResponseContentLanguage: aws.String("de"), ResponseContentEncoding: aws.String("identity")})
	require.Equal(c, []string{"text/html", "inline", "max-age=1", "de", "identity"}, []string{aws.ToString(out.ContentType), aws.ToString(out.ContentDisposition),
		aws.ToString(out.CacheControl), aws.ToString(out.ContentLanguage), aws.ToString(out.ContentEncoding)})
}

func presigned(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), aws.String("signed key")
	c.put(bucket, "other", "x") // these clients' own calls
	c.get(&s3.GetObjectInput{Bucket: bucket, Key: aws.String("other")})
	signer := s3.NewPresignClient(c.s3)
	send := func(method, url, body string) (int, string) {
		req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		require.NoError(c, err)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(c, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(c, err)
		require.NoError(c, resp.Body.Close())
		return resp.StatusCode, string(text)
	}
	put, err := signer.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key})
	require.NoError(c, err)
	code, text := send(http.MethodPut, put.URL, "by link")
	require.Equal(c, 200, code, text)
	get, err := signer.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key}, s3.WithPresignExpires(time.Minute))
	require.NoError(c, err)
	code, text = send(http.MethodGet, get.URL, "")
	require.Equal(c, 200, code, text)
	require.Equal(c, "by link", text)
	code, text = send(http.MethodGet, strings.Replace(get.URL, "X-Amz-Expires=60", "X-Amz-Expires=61", 1), "")
	require.Equal(c, 403, code)
	require.Contains(c, text, "<Code>SignatureDoesNotMatch</Code>")
	code, text = send(http.MethodDelete, get.URL, "")
	require.Equal(c, 403, code)
	require.Contains(c, text, "<Code>SignatureDoesNotMatch</Code>")
}
