package s3_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/s3"
	"steward/internal/localcloud/wire"
)

// cloud is a store behind HTTP that can be stopped and opened again.
type cloud struct {
	*testing.T
	dir     string
	options []s3.Option
	topics  s3.Topics
	secure  bool
	store   *s3.Store
	server  *httptest.Server
	*awss3.Client
}

func start(t *testing.T, options ...s3.Option) *cloud {
	c := &cloud{T: t, dir: t.TempDir(), options: options}
	c.open()
	t.Cleanup(c.shut)
	_, err := c.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: aws.String("data")})
	require.NoError(t, err)
	return c
}

func (c *cloud) open() {
	store, err := s3.Open(c.dir, c.options...)
	require.NoError(c, err)
	if c.topics != nil {
		store.Notify(c.topics)
	}
	h, err := store.Handler(slog.New(slog.DiscardHandler))
	require.NoError(c, err)
	c.store = store
	c.server = httptest.NewUnstartedServer(wire.NewRouter(wire.Verifier{AccessKey: "key", SecretKey: "secret"}, wire.S3(h)))
	if c.secure {
		c.server.StartTLS()
	} else {
		c.server.Start()
	}
	c.Client = c.client("key", "secret")
}

func (c *cloud) shut() {
	c.server.Close()
	require.NoError(c, c.store.Close())
}

func (c *cloud) restart() { c.shut(); c.open() }

func (c *cloud) client(key, secret string) *awss3.Client {
	return awss3.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(c.server.URL), RetryMaxAttempts: 1, HTTPClient: c.server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
		// As the SDK's own configuration has it.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}, func(o *awss3.Options) { o.UsePathStyle = true })
}

func (c *cloud) put(key, body string) *awss3.PutObjectOutput {
	out, err := c.PutObject(c.Context(), &awss3.PutObjectInput{Bucket: aws.String("data"), Key: &key, Body: strings.NewReader(body)})
	require.NoError(c, err)
	return out
}

func (c *cloud) get(in *awss3.GetObjectInput) (string, error) {
	in.Bucket = aws.String("data")
	out, err := c.GetObject(c.Context(), in)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(out.Body)
	return string(b), errors.Join(err, out.Body.Close())
}

func (c *cloud) blobs() (files []string) {
	require.NoError(c, filepath.WalkDir(filepath.Join(c.dir, "blobs"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, p)
		}
		return err
	}))
	return files
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// status is for HEAD, whose errors have no body and so no code.
func status(err error) int {
	var re *awshttp.ResponseError
	if errors.As(err, &re) {
		return re.HTTPStatusCode()
	}
	return 0
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
