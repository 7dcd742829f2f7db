package s3_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/s3"
)

// childDir, when set, makes the test binary a writer that never stops.
const childDir = "S3_CRASH_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// crashBody is the content of the n-th object: every second one is a file.
func crashBody(n int) string { return strings.Repeat(fmt.Sprintln(n), 1+n%2*10_000) }

// writeForever prints the number of each object whose Put has returned.
func writeForever(dir string) error {
	ctx := context.Background()
	store, err := s3.Open(dir)
	if err != nil {
		return err
	}
	if err := store.CreateBucket(ctx, "data"); err != nil {
		return err
	}
	for n := 0; ; n++ {
		if err := store.Put(ctx, "data", fmt.Sprint(n), strings.NewReader(crashBody(n)), -1); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func TestAcknowledgedObjectsSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // the test binary itself
	child.Env = append(os.Environ(), childDir+"="+dir)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	acknowledged := 0
	for lines := bufio.NewScanner(out); lines.Scan(); acknowledged++ {
		if acknowledged == 100 {
			require.NoError(t, child.Process.Kill()) // what was printed before is read on
		}
	}
	require.Error(t, child.Wait())
	require.Greater(t, acknowledged, 100)

	store, err := s3.Open(dir)
	require.NoError(t, err)
	for n := range acknowledged {
		r, err := store.Get(t.Context(), "data", fmt.Sprint(n))
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.True(t, string(got) == crashBody(n), n)
		require.NoError(t, r.Close())
	}
	require.NoError(t, store.Close())
}
