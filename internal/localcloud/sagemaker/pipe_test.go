package sagemaker

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A container may stop at any epoch and remove its pipes: the feed ends then, and
// its job can.
func TestFeedsEndWithTheirPipes(t *testing.T) {
	text := strings.Repeat("a row\n", 1<<18) // more than a pipe holds
	s, err := New(Config{Dir: t.TempDir(), Objects: &drawer{keys: map[string]string{"rows": text}}, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	f := feed{dir: t.TempDir(), channel: "train", list: []source{{at: location{"data", "rows"}}}}
	require.NoError(t, f.open(0))
	fed := s.feedAll(t.Context(), []feed{f})
	got, err := os.ReadFile(f.pipe(0))
	require.NoError(t, err)
	require.Equal(t, text, string(got))
	require.NoError(t, os.RemoveAll(f.dir))
	fed.running.Wait()
	require.NoError(t, fed.failure())
	fed.halt()
}

// What stands in a pipe's place is not written to.
func TestFeedsFollowNoLinks(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.WriteFile(outside, []byte("mine"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "train_0")))
	_, err := awaitReader(t.Context(), filepath.Join(dir, "train_0"))
	require.Error(t, err)
	require.NotErrorIs(t, err, io.EOF)
}
