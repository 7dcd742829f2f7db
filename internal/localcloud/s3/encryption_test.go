package s3_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

const keyARN = "arn:aws:kms:us-east-1:000000000000:key/k"

func TestEncryptionIsGivenBack(t *testing.T) {
	c := start(t)
	bucket, key := aws.String("data"), aws.String("k")
	put, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x"), ServerSideEncryption: "aws:kms", SSEKMSKeyId: aws.String(keyARN), BucketKeyEnabled: aws.Bool(true)})
	require.NoError(t, err)
	require.Equal(t, types.ServerSideEncryptionAwsKms, put.ServerSideEncryption)
	c.restart()
	get, err := c.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	require.NoError(t, get.Body.Close())
	require.Equal(t, []any{types.ServerSideEncryptionAwsKms, keyARN, true}, []any{get.ServerSideEncryption, *get.SSEKMSKeyId, *get.BucketKeyEnabled})

	plain, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: bucket, Key: aws.String("plain"), Body: strings.NewReader("x")})
	require.NoError(t, err)
	require.Equal(t, types.ServerSideEncryptionAes256, plain.ServerSideEncryption, "AWS encrypts everything")
	copied, err := c.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: bucket, Key: aws.String("copy"), CopySource: aws.String("data/k")})
	require.NoError(t, err)
	require.Equal(t, types.ServerSideEncryptionAes256, copied.ServerSideEncryption, "that of the source is not copied")
	_, err = c.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: bucket, Key: aws.String("plain"), CopySource: aws.String("data/plain"), ServerSideEncryption: "aws:kms"})
	require.NoError(t, err, "a copy to itself that changes the encryption")
	head, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: bucket, Key: aws.String("plain")})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:kms:us-east-1:000000000000:alias/aws/s3", *head.SSEKMSKeyId)

	u, err := c.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: bucket, Key: key, ServerSideEncryption: "aws:kms", SSEKMSKeyId: aws.String(keyARN)})
	require.NoError(t, err)
	require.Equal(t, keyARN, *u.SSEKMSKeyId)
	part, err := c.UploadPart(t.Context(), &awss3.UploadPartInput{Bucket: bucket, Key: key, UploadId: u.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
	require.NoError(t, err)
	require.Equal(t, types.ServerSideEncryptionAwsKms, part.ServerSideEncryption)
	done, err := c.CompleteMultipartUpload(t.Context(), &awss3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: u.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{ETag: part.ETag, PartNumber: aws.Int32(1)}}}})
	require.NoError(t, err)
	require.Equal(t, keyARN, *done.SSEKMSKeyId)
}

func TestDefaultEncryption(t *testing.T) {
	c := start(t)
	bucket := aws.String("data")
	get := func() types.ServerSideEncryptionByDefault {
		out, err := c.GetBucketEncryption(t.Context(), &awss3.GetBucketEncryptionInput{Bucket: bucket})
		require.NoError(t, err)
		return *out.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault
	}
	set := func(d types.ServerSideEncryptionByDefault) error {
		_, err := c.PutBucketEncryption(t.Context(), &awss3.PutBucketEncryptionInput{Bucket: bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
			Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &d, BucketKeyEnabled: aws.Bool(true)}},
		}})
		return err
	}
	require.Equal(t, types.ServerSideEncryptionByDefault{SSEAlgorithm: "AES256"}, get())
	require.Equal(t, "MalformedXML", code(set(types.ServerSideEncryptionByDefault{SSEAlgorithm: "rot13"})))
	require.Equal(t, "InvalidArgument", code(set(types.ServerSideEncryptionByDefault{SSEAlgorithm: "AES256", KMSMasterKeyID: aws.String(keyARN)})))
	want := types.ServerSideEncryptionByDefault{SSEAlgorithm: "aws:kms", KMSMasterKeyID: aws.String(keyARN)}
	require.NoError(t, set(want))
	c.restart()
	require.Equal(t, want, get())
	out := c.put("k", "x")
	require.Equal(t, []any{types.ServerSideEncryptionAwsKms, keyARN, true}, []any{out.ServerSideEncryption, *out.SSEKMSKeyId, *out.BucketKeyEnabled})
	_, err := c.DeleteBucketEncryption(t.Context(), &awss3.DeleteBucketEncryptionInput{Bucket: bucket})
	require.NoError(t, err)
	require.Equal(t, types.ServerSideEncryptionAes256, c.put("k", "x").ServerSideEncryption)
}

func TestEncryptionThatIsRefused(t *testing.T) {
	c := start(t)
	put := func(change func(*awss3.PutObjectInput)) error {
		in := &awss3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), Body: strings.NewReader("x")}
		change(in)
		_, err := c.PutObject(t.Context(), in)
		return err
	}
	require.Equal(t, "InvalidArgument", code(put(func(in *awss3.PutObjectInput) { in.ServerSideEncryption = "rot13" })))
	require.Equal(t, "InvalidArgument", code(put(func(in *awss3.PutObjectInput) { in.SSEKMSKeyId = aws.String(keyARN) })))
	c.put("k", "x")
	_, err := c.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), SSECustomerAlgorithm: aws.String("AES256"), SSECustomerKey: aws.String("a"), SSECustomerKeyMD5: aws.String("b")})
	require.Equal(t, "NotImplemented", code(err))
	require.ErrorContains(t, err, "SSE-S3 or SSE-KMS")
}
