package s3_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"
)

const fullChild = "S3_FULL_TEST"

// TestFullDisk runs in a process of its own, because its files may not grow
// beyond a limit: for the store, that is a disk without room.
func TestFullDisk(t *testing.T) {
	if os.Getenv(fullChild) != "" {
		fillDisk(t)
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$") //nolint:gosec // the test binary itself
	child.Env = append(os.Environ(), fullChild+"=1")
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "PASS")
}

func limitFiles(t *testing.T, size uint64) {
	var l syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l))
	l.Cur = min(size, l.Max)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l))
}

func fillDisk(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	c := start(t)
	large := string(randomBytes(1 << 20))
	c.put("large", large)
	stored := c.blobs()
	index, err := os.Stat(filepath.Join(c.dir, "index.db"))
	require.NoError(t, err)
	limitFiles(t, uint64(index.Size()))

	put := func(key, body string) error {
		_, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String("data"), Key: &key, Body: strings.NewReader(body)})
		return err
	}
	kept := 0
	small := strings.Repeat("x", 10<<10)
	for err = put("small 0", small); err == nil; err = put(fmt.Sprint("small ", kept), small) {
		kept++
	}
	for _, err := range []error{err, put("large", string(randomBytes(1<<20)))} {
		require.Equal(t, "InternalError", code(err))
		require.Equal(t, 500, status(err))
		require.ErrorContains(t, err, "disk is full")
	}
	u, err := c.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: aws.String("data"), Key: aws.String("parts")})
	if err == nil { // the index may have room for it
		_, err = c.UploadPart(t.Context(), &awss3.UploadPartInput{Bucket: aws.String("data"), Key: aws.String("parts"), UploadId: u.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader(large)})
	}
	require.ErrorContains(t, err, "disk is full")
	require.Equal(t, stored, c.blobs(), "nothing is left behind")
	got, err := c.get(&awss3.GetObjectInput{Key: aws.String("large")})
	require.NoError(t, err)
	require.True(t, got == large, "and nothing is lost")

	limitFiles(t, ^uint64(0))
	require.NoError(t, put("after", small))
	c.put("large", "new")
	c.restart()
	for n := range kept {
		got, err := c.get(&awss3.GetObjectInput{Key: aws.String(fmt.Sprint("small ", n))})
		require.NoError(t, err)
		require.Equal(t, small, got)
	}
	_, err = c.get(&awss3.GetObjectInput{Key: aws.String(fmt.Sprint("small ", kept))})
	require.Equal(t, "NoSuchKey", code(err), "what was refused is not there")
}
