package s3

import (
	"bytes"
	"io"
	"os"
	"testing"

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
