package sagemaker

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rclone/gofakes3"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/s3"
)

// failing is an object store that is down.
type failing struct{}

func (failing) List(context.Context, string, string) ([]s3.Object, error) {
	return nil, io.ErrClosedPipe
}
func (failing) Get(context.Context, string, string) (io.ReadCloser, error) {
	return nil, io.ErrClosedPipe
}
func (failing) Put(context.Context, string, string, io.Reader, int64) error { return io.ErrClosedPipe }

func TestSpoolKeepsWhatCannotBeDelivered(t *testing.T) {
	dir := t.TempDir()
	s, err := newSpool(dir, failing{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	now := time.Date(2001, 3, 4, 5, 6, 7, 8e6, time.UTC)
	require.NoError(t, s.append("data/captured/e/v/2001/03/04/05", now, []byte("{}\n")))
	s.deliver(t.Context(), true)
	files, err := filepath.Glob(filepath.Join(dir, "data/captured/e/v/2001/03/04/05/06-07-008-*.jsonl"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	torn, err := os.OpenFile(files[0], os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = torn.WriteString(`{"half`)
	require.NoError(t, err)
	require.NoError(t, torn.Close())

	store, err := s3.Open(t.TempDir())
	require.NoError(t, err)
	defer store.Close()
	require.NoError(t, store.CreateBucket(t.Context(), "data"))
	s, err = newSpool(dir, store, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	s.deliver(t.Context(), true)
	objects, err := store.List(t.Context(), "data", "captured/e/v/2001/03/04/05/06-07-008-")
	require.NoError(t, err)
	require.Len(t, objects, 1)
	require.Equal(t, int64(3), objects[0].Size, "the torn line is cut off")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// picky is an object store that fails the puts to some buckets.
type picky struct {
	failing
	refuse map[string]error
	puts   []string
}

func (p *picky) Put(_ context.Context, bucket, key string, body io.Reader, _ int64) error {
	data, err := io.ReadAll(body)
	p.puts = append(p.puts, bucket+":"+string(data))
	return first(err, p.refuse[bucket])
}

func TestSpoolOutageOfOneBucket(t *testing.T) {
	objects := &picky{refuse: map[string]error{"down": io.ErrClosedPipe}}
	var log bytes.Buffer
	s, err := newSpool(t.TempDir(), objects, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	for _, folder := range []string{"down/a", "down/b", "fine/a"} {
		require.NoError(t, s.append(folder, time.Now(), []byte("1\n")))
	}
	s.deliver(t.Context(), false)
	require.ElementsMatch(t, []string{"down:1\n", "fine:1\n"}, objects.puts, "one attempt a bucket")
	s.outages["down"].until = time.Now().Add(time.Hour)
	s.deliver(t.Context(), false)
	require.Len(t, objects.puts, 2, "not before its time")
	s.outages["down"].until = time.Time{}
	s.deliver(t.Context(), false)
	require.Len(t, objects.puts, 3)
	require.Equal(t, 2*firstBackoff, s.outages["down"].wait)
	require.Equal(t, 1, strings.Count(log.String(), "cannot be delivered"), "said once")

	delete(objects.refuse, "down")
	s.deliver(t.Context(), true)
	require.Len(t, objects.puts, 5)
	require.Empty(t, s.outages)
	require.Empty(t, s.ready)
}

func TestSpoolDropsWhatHasNoBucket(t *testing.T) {
	objects := &picky{refuse: map[string]error{"gone": gofakes3.BucketNotFound("gone")}}
	dir := t.TempDir()
	s, err := newSpool(dir, objects, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, s.append("gone/a", time.Now(), []byte("1\n")))
	s.deliver(t.Context(), true)
	require.Len(t, s.ready, 1, "the bucket may come back")
	old := time.Now().Add(-orphanAge - time.Minute)
	require.NoError(t, os.Chtimes(s.ready[0], old, old))
	s, err = newSpool(dir, objects, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	s.deliver(t.Context(), true)
	require.Empty(t, s.ready)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestTornLineDamagesNoOther(t *testing.T) {
	objects := &picky{}
	s, err := newSpool(t.TempDir(), objects, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, s.append("data/a", time.Now(), []byte("one\n")))
	f := s.open["data/a"]
	_, err = f.WriteString("tw") // half a line, and then the disk takes no more
	require.NoError(t, err)
	require.NoError(t, f.Close())
	f.File, err = os.Open(f.Name())
	require.NoError(t, err)
	require.ErrorContains(t, s.append("data/a", time.Now(), []byte("two\n")), "capture spool")
	require.NoError(t, s.append("data/a", time.Now(), []byte("three\n")))
	s.deliver(t.Context(), true)
	require.ElementsMatch(t, []string{"data:one\n", "data:three\n"}, objects.puts)
}
