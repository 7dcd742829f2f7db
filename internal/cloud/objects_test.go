package cloud_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
	"steward/internal/localcloud"
)

// counter counts the requests that a client sends.
type counter struct{ requests atomic.Int64 }

func (c *counter) Do(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return http.DefaultClient.Do(r)
}

// serve runs a local cloud and returns its objects, with a bucket named data.
func serve(t *testing.T) (*cloud.Objects, *counter) {
	server, err := localcloud.New(localcloud.Config{
		Dir: t.TempDir(), Addr: "127.0.0.1:0", AccessKey: "key", SecretKey: "secret", Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-served)
	})
	count := &counter{}
	objects := cloud.NewObjects(s3.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + server.Addr()), HTTPClient: count,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}))
	for range 2 {
		require.NoError(t, objects.EnsureBucket(ctx, "data"))
	}
	return objects, count
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

func TestObjects(t *testing.T) {
	o, _ := serve(t)
	ctx := t.Context()
	const uri = "s3://data/a/b c+ü.txt"
	_, err := o.Get(ctx, uri)
	require.ErrorIs(t, err, cloud.ErrNotFound)
	require.Equal(t, lifecycle.NotFound, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, uri)
	_, err = o.Stat(ctx, uri)
	require.ErrorIs(t, err, cloud.ErrNotFound)

	require.NoError(t, o.Put(ctx, uri, []byte("one")))
	require.ErrorIs(t, o.PutNew(ctx, uri, []byte("two")), cloud.ErrExists)
	b, err := o.Get(ctx, uri)
	require.NoError(t, err)
	require.Equal(t, "one", string(b))

	object, err := o.Stat(ctx, uri)
	require.NoError(t, err)
	require.NoError(t, o.Copy(ctx, object, "s3://data/copy"))
	b, err = o.Get(ctx, "s3://data/copy")
	require.NoError(t, err)
	require.Equal(t, "one", string(b))
	require.NoError(t, o.Put(ctx, uri, []byte("changed")))
	require.ErrorIs(t, o.Copy(ctx, object, "s3://data/copy"), cloud.ErrChanged)

	for _, wrong := range []string{"data/x", "s3://", "http://data/x"} {
		_, err := o.Get(ctx, wrong)
		require.Equal(t, lifecycle.Invalid, lifecycle.ErrorType(err), wrong)
	}
	require.Equal(t, lifecycle.Invalid, lifecycle.ErrorType(o.DeletePrefix(ctx, "s3://data/")))
}

func TestPutNewHasOneWinner(t *testing.T) {
	o, _ := serve(t)
	var won atomic.Int64
	var racers sync.WaitGroup
	for i := range 16 {
		racers.Go(func() {
			err := o.PutNew(t.Context(), "s3://data/race", []byte{byte(i)})
			if err == nil {
				won.Add(1)
				return
			}
			require.ErrorIs(t, err, cloud.ErrExists)
		})
	}
	racers.Wait()
	require.Equal(t, int64(1), won.Load())
}

func TestListAndDelete(t *testing.T) {
	o, _ := serve(t)
	ctx := t.Context()
	const many = 1203
	var puts sync.WaitGroup
	for worker := range 8 {
		puts.Go(func() {
			for i := worker; i < many; i += 8 {
				require.NoError(t, o.Put(ctx, fmt.Sprintf("s3://data/many/%04d", i), nil))
			}
		})
	}
	puts.Wait()
	require.NoError(t, o.Put(ctx, "s3://data/manyfold", nil))
	i := 0
	for object, err := range o.List(ctx, "s3://data/many/") {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("s3://data/many/%04d", i), object.URI)
		i++
	}
	require.Equal(t, many, i)
	for range 2 {
		require.NoError(t, o.DeletePrefix(ctx, "s3://data/many/"))
	}
	for object, err := range o.List(ctx, "s3://data/many") {
		require.NoError(t, err)
		require.Equal(t, "s3://data/manyfold", object.URI)
	}
	for _, err := range o.List(ctx, "s3://unknown/") {
		require.ErrorIs(t, err, cloud.ErrNotFound)
	}
}

func TestFilesAreNoMarkers(t *testing.T) {
	o, _ := serve(t)
	for _, key := range []string{"_SUCCESS", ".crc", "_a/data.csv", "b.csv", "c/", "c/_metadata", "d/e_f.csv"} {
		require.NoError(t, o.Put(t.Context(), "s3://data/set/"+key, []byte("x")))
	}
	var found []string
	for object, err := range o.Files(t.Context(), "s3://data/set/") {
		require.NoError(t, err)
		found = append(found, object.URI)
	}
	require.Equal(t, []string{"s3://data/set/_a/data.csv", "s3://data/set/b.csv", "s3://data/set/d/e_f.csv"}, found)
	for _, err := range o.Files(t.Context(), "s3://unknown/") {
		require.ErrorIs(t, err, cloud.ErrNotFound)
	}
}

func TestUploadStreams(t *testing.T) {
	o, _ := serve(t)
	for _, size := range []int{0, 1, 5 << 20, 20<<20 + 3} {
		content := noise(size)
		require.NoError(t, o.Upload(t.Context(), "s3://data/up", iotest.HalfReader(bytes.NewReader(content))))
		body, err := o.Read(t.Context(), "s3://data/up")
		require.NoError(t, err)
		got, err := io.ReadAll(body)
		require.NoError(t, err)
		require.NoError(t, body.Close())
		require.True(t, bytes.Equal(content, got), size)
	}
	broken := io.MultiReader(bytes.NewReader(noise(20<<20)), iotest.ErrReader(io.ErrUnexpectedEOF))
	require.ErrorIs(t, o.Upload(t.Context(), "s3://data/broken", broken), io.ErrUnexpectedEOF)
	_, err := o.Stat(t.Context(), "s3://data/broken")
	require.ErrorIs(t, err, cloud.ErrNotFound, "an upload that fails leaves nothing")
}

func TestOpenReadsAhead(t *testing.T) {
	o, count := serve(t)
	content := noise(20<<20 + 77)
	require.NoError(t, o.Upload(t.Context(), "s3://data/big", bytes.NewReader(content)))
	before := count.requests.Load()
	r, err := o.Open(t.Context(), "s3://data/big")
	require.NoError(t, err)
	require.Equal(t, int64(len(content)), r.Size())
	require.NoError(t, iotest.TestReader(io.NewSectionReader(r, 0, 1000), content[:1000]))
	got, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	require.Less(t, count.requests.Load()-before, int64(16), "sequential reading makes few requests")

	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		at, n := random.IntN(len(content)), random.IntN(300<<10)
		p := make([]byte, n)
		got, err := r.ReadAt(p, int64(at))
		end := min(at+n, len(content))
		require.Equal(t, end-at, got)
		require.Equal(t, at+n > len(content), errors.Is(err, io.EOF))
		require.True(t, bytes.Equal(content[at:end], p[:got]))
	}
	_, err = r.ReadAt(make([]byte, 1), r.Size())
	require.ErrorIs(t, err, io.EOF)
	_, err = r.ReadAt(make([]byte, 1), -1)
	require.ErrorContains(t, err, "before its beginning")
}

func TestOpenNoticesChanges(t *testing.T) {
	o, _ := serve(t)
	require.NoError(t, o.Put(t.Context(), "s3://data/x", noise(1<<20)))
	r, err := o.Open(t.Context(), "s3://data/x")
	require.NoError(t, err)
	_, err = r.ReadAt(make([]byte, 10), 0)
	require.NoError(t, err)
	require.NoError(t, o.Put(t.Context(), "s3://data/x", noise(1 << 20)[1:]))
	_, err = r.ReadAt(make([]byte, 10), 1<<19)
	require.ErrorIs(t, err, cloud.ErrChanged)
}
