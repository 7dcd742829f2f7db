package s3_test

import (
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"
)

// TestFailedCleanUpLosesNothing makes the replaced body impossible to remove.
func TestFailedCleanUpLosesNothing(t *testing.T) {
	c := start(t)
	old, body := string(randomBytes(32<<10)), string(randomBytes(32<<10))
	c.put("k", old)
	require.Len(t, c.blobs(), 1)
	file := c.blobs()[0]
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.MkdirAll(file+"/full", 0o700)) // a folder with something in it cannot be removed
	c.put("k", body)
	got, err := c.get(&awss3.GetObjectInput{Key: aws.String("k")})
	require.NoError(t, err)
	require.True(t, got == body)
	require.NoError(t, os.RemoveAll(file))
	c.put("k", "its body is gone, which is what was wanted")
}
