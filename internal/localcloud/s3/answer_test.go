package s3_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

func TestErrorsHaveTheWordsOfS3(t *testing.T) {
	c := start(t)
	bucket := aws.String("data")
	_, err := c.get(&awss3.GetObjectInput{Key: aws.String("missing")})
	require.ErrorContains(t, err, "NoSuchKey: The specified key does not exist.")
	c.put("k", "x")
	_, err = c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: bucket, Key: aws.String("k"), Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")})
	require.Equal(t, 412, status(err))
	require.ErrorContains(t, err, "PreconditionFailed: At least one of the pre-conditions you specified did not hold")
	_, err = c.get(&awss3.GetObjectInput{Key: aws.String("k"), Range: aws.String("bytes=7-9")})
	require.Equal(t, 416, status(err))
	require.ErrorContains(t, err, "InvalidRange: The requested range is not satisfiable")
	_, err = c.PutBucketAccelerateConfiguration(t.Context(), &awss3.PutBucketAccelerateConfigurationInput{Bucket: bucket, AccelerateConfiguration: &types.AccelerateConfiguration{Status: "Enabled"}})
	require.Equal(t, 501, status(err))
	require.ErrorContains(t, err, "PUT /data?accelerate= is not offered")
}

func TestObjectsWithoutATypeAreBinary(t *testing.T) {
	c := start(t)
	bucket := aws.String("data")
	require.NoError(t, c.store.Put(t.Context(), "data", "plain", strings.NewReader("text"), -1))
	_, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: bucket, Key: aws.String("table"), Body: strings.NewReader("a,b"), ContentType: aws.String("text/csv")})
	require.NoError(t, err)
	for key, want := range map[string]string{"plain": "binary/octet-stream", "table": "text/csv"} {
		head, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: bucket, Key: &key})
		require.NoError(t, err)
		got, err := c.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: bucket, Key: &key})
		require.NoError(t, err)
		require.NoError(t, got.Body.Close())
		require.Equal(t, []string{want, want}, []string{*head.ContentType, *got.ContentType})
	}
}
