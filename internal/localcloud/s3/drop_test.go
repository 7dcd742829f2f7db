package s3

import (
	"bytes"
	"io"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadersDoNotWaitForRemovals(t *testing.T) {
	s, err := Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.CreateBucket(t.Context(), "data"))
	older, newer := bytes.Repeat([]byte("o"), inlineMax+1), bytes.Repeat([]byte("n"), inlineMax+1)
	require.NoError(t, s.Put(t.Context(), "data", "k", bytes.NewReader(older), -1))
	removed := 0
	s.blobs.unlink = func(path string) error {
		removed++
		require.True(t, s.blobs.mu.TryLock(), "readers would wait")
		s.blobs.mu.Unlock()
		o, err := s.open(&exchange{}, "data", "k", nil)
		require.NoError(t, err)
		require.NoError(t, os.Remove(path))
		got, err := io.ReadAll(o.Contents)
		require.NoError(t, err)
		require.True(t, bytes.Equal(newer, got), "a file that is being removed was taken")
		return o.Contents.Close()
	}
	require.NoError(t, s.Put(t.Context(), "data", "k", bytes.NewReader(newer), -1))
	require.Equal(t, 1, removed)
}

// A reader may look a body up just before it is replaced and its file goes.
func TestReadersNeverMissAFile(t *testing.T) {
	s, err := Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.CreateBucket(t.Context(), "data"))
	put := func(c byte) error {
		return s.Put(t.Context(), "data", "k", bytes.NewReader(bytes.Repeat([]byte{c}, inlineMax+1)), -1)
	}
	require.NoError(t, put(0))
	written := make(chan error, 1)
	go func() {
		var err error
		for i := byte(1); i < 100 && err == nil; i++ {
			err = put(i)
		}
		written <- err
		close(written)
	}()
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for len(written) == 0 && !t.Failed() {
				o, err := s.open(&exchange{}, "data", "k", nil)
				if !assert.NoError(t, err) {
					return
				}
				got, err := io.ReadAll(o.Contents)
				assert.NoError(t, err)
				assert.True(t, len(got) == inlineMax+1 && bytes.Count(got, got[:1]) == len(got), "a body of one version")
				assert.NoError(t, o.Contents.Close())
			}
		})
	}
	readers.Wait()
	require.NoError(t, <-written)
	require.Empty(t, s.blobs.readers)
	require.Empty(t, s.blobs.doomed)
}
