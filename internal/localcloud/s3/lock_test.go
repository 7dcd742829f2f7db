package s3_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// vault makes a bucket with object lock.
func (c *cloud) vault() *string {
	bucket := aws.String("vault")
	_, err := c.CreateBucket(c.Context(), &awss3.CreateBucketInput{Bucket: bucket, ObjectLockEnabledForBucket: aws.Bool(true)})
	require.NoError(c, err)
	return bucket
}

func (c *cloud) putLocked(in *awss3.PutObjectInput) string {
	in.Bucket, in.Key, in.Body = aws.String("vault"), aws.String("k"), strings.NewReader("x")
	out, err := c.PutObject(c.Context(), in)
	require.NoError(c, err)
	return *out.VersionId
}

func (c *cloud) deleteVersion(version string, bypass bool) error {
	_, err := c.DeleteObject(c.Context(), &awss3.DeleteObjectInput{Bucket: aws.String("vault"), Key: aws.String("k"), VersionId: &version, BypassGovernanceRetention: &bypass})
	return err
}

func (c *cloud) retain(version string, mode types.ObjectLockRetentionMode, until time.Time, bypass bool) error {
	_, err := c.PutObjectRetention(c.Context(), &awss3.PutObjectRetentionInput{
		Bucket: aws.String("vault"), Key: aws.String("k"), VersionId: &version, BypassGovernanceRetention: &bypass,
		Retention: &types.ObjectLockRetention{Mode: mode, RetainUntilDate: &until},
	})
	return err
}

func TestLockedVersionsStay(t *testing.T) {
	c := start(t)
	bucket := c.vault()
	soon, later := time.Now().Add(time.Hour).UTC().Truncate(time.Second), time.Now().Add(2*time.Hour).UTC().Truncate(time.Second)
	governed := c.putLocked(&awss3.PutObjectInput{ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: &soon})
	complied := c.putLocked(&awss3.PutObjectInput{ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: &soon})
	held := c.putLocked(&awss3.PutObjectInput{ObjectLockLegalHoldStatus: "ON"})
	c.restart()

	head, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: bucket, Key: aws.String("k"), VersionId: &complied})
	require.NoError(t, err)
	require.Equal(t, types.ObjectLockModeCompliance, head.ObjectLockMode)
	require.True(t, soon.Equal(*head.ObjectLockRetainUntilDate))
	for _, version := range []string{governed, complied, held} {
		require.Equal(t, "AccessDenied", code(c.deleteVersion(version, false)))
	}
	require.Equal(t, "AccessDenied", code(c.deleteVersion(complied, true)))
	require.Equal(t, "AccessDenied", code(c.deleteVersion(held, true)))
	_, err = c.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: bucket, Key: aws.String("k")})
	require.NoError(t, err, "a delete marker hides, it does not delete")

	require.Equal(t, "AccessDenied", code(c.retain(complied, "COMPLIANCE", soon.Add(-time.Minute), true)))
	require.Equal(t, "AccessDenied", code(c.retain(complied, "GOVERNANCE", later, true)))
	require.NoError(t, c.retain(complied, "COMPLIANCE", later, false))
	require.Equal(t, "AccessDenied", code(c.retain(governed, "GOVERNANCE", soon.Add(-time.Minute), false)))
	require.NoError(t, c.retain(governed, "GOVERNANCE", soon.Add(-time.Minute), true))
	got, err := c.GetObjectRetention(t.Context(), &awss3.GetObjectRetentionInput{Bucket: bucket, Key: aws.String("k"), VersionId: &complied})
	require.NoError(t, err)
	require.True(t, later.Equal(*got.Retention.RetainUntilDate))

	require.NoError(t, c.deleteVersion(governed, true))
	_, err = c.PutObjectLegalHold(t.Context(), &awss3.PutObjectLegalHoldInput{Bucket: bucket, Key: aws.String("k"), VersionId: &held, LegalHold: &types.ObjectLockLegalHold{Status: "OFF"}})
	require.NoError(t, err)
	hold, err := c.GetObjectLegalHold(t.Context(), &awss3.GetObjectLegalHoldInput{Bucket: bucket, Key: aws.String("k"), VersionId: &held})
	require.NoError(t, err)
	require.Equal(t, types.ObjectLockLegalHoldStatusOff, hold.LegalHold.Status)

	out, err := c.DeleteObjects(t.Context(), &awss3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: aws.String("k"), VersionId: &complied}, {Key: aws.String("k"), VersionId: &held},
	}}})
	require.NoError(t, err)
	require.Len(t, out.Deleted, 1)
	require.Equal(t, held, *out.Deleted[0].VersionId)
	require.Len(t, out.Errors, 1)
	require.Equal(t, "AccessDenied", *out.Errors[0].Code)
	require.Equal(t, complied, *out.Errors[0].VersionId)
}

func TestDefaultRetention(t *testing.T) {
	c := start(t)
	bucket := c.vault()
	configure := func(rule *types.ObjectLockRule) error {
		_, err := c.PutObjectLockConfiguration(t.Context(), &awss3.PutObjectLockConfigurationInput{Bucket: bucket, ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: "Enabled", Rule: rule}})
		return err
	}
	days := func(mode types.ObjectLockRetentionMode, n int32) *types.ObjectLockRule {
		return &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: mode, Days: &n}}
	}
	require.Equal(t, "InvalidRetentionPeriod", code(configure(days("GOVERNANCE", 0))))
	require.Equal(t, "MalformedXML", code(configure(days("NONE", 1))))
	both := days("GOVERNANCE", 1)
	both.DefaultRetention.Years = aws.Int32(1)
	require.Equal(t, "MalformedXML", code(configure(both)))
	require.NoError(t, configure(days("GOVERNANCE", 3)))
	c.restart()
	config, err := c.GetObjectLockConfiguration(t.Context(), &awss3.GetObjectLockConfigurationInput{Bucket: bucket})
	require.NoError(t, err)
	require.Equal(t, days("GOVERNANCE", 3).DefaultRetention, config.ObjectLockConfiguration.Rule.DefaultRetention)

	version := c.putLocked(&awss3.PutObjectInput{})
	got, err := c.GetObjectRetention(t.Context(), &awss3.GetObjectRetentionInput{Bucket: bucket, Key: aws.String("k")})
	require.NoError(t, err)
	require.Equal(t, types.ObjectLockRetentionModeGovernance, got.Retention.Mode)
	require.WithinDuration(t, time.Now().AddDate(0, 0, 3), *got.Retention.RetainUntilDate, time.Minute)
	require.Equal(t, "AccessDenied", code(c.deleteVersion(version, false)))

	_, err = c.PutBucketVersioning(t.Context(), &awss3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: "Suspended"}})
	require.Equal(t, "InvalidBucketState", code(err))
}

func TestLocksAreChecked(t *testing.T) {
	c := start(t)
	plain, key := aws.String("data"), aws.String("k")
	c.put("k", "x")
	_, err := c.GetObjectLockConfiguration(t.Context(), &awss3.GetObjectLockConfigurationInput{Bucket: plain})
	require.Equal(t, "ObjectLockConfigurationNotFoundError", code(err))
	require.Equal(t, 404, status(err))
	_, err = c.PutObjectLockConfiguration(t.Context(), &awss3.PutObjectLockConfigurationInput{Bucket: plain, ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: "Enabled"}})
	require.Equal(t, "InvalidBucketState", code(err))
	require.Equal(t, 409, status(err))
	_, err = c.GetObjectRetention(t.Context(), &awss3.GetObjectRetentionInput{Bucket: plain, Key: key})
	require.Equal(t, "InvalidRequest", code(err))

	put := func(bucket *string, mode types.ObjectLockMode, until *time.Time) error {
		_, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x"), ObjectLockMode: mode, ObjectLockRetainUntilDate: until})
		return err
	}
	hour := aws.Time(time.Now().Add(time.Hour))
	require.Equal(t, "InvalidRequest", code(put(plain, "GOVERNANCE", hour)))
	vault := c.vault()
	require.Equal(t, "InvalidArgument", code(put(vault, "GOVERNANCE", nil)))
	require.Equal(t, "InvalidArgument", code(put(vault, "NONE", hour)))
	require.Equal(t, "InvalidArgument", code(put(vault, "GOVERNANCE", aws.Time(time.Now().Add(-time.Hour)))))
	version := c.putLocked(&awss3.PutObjectInput{})
	require.Equal(t, "MalformedXML", code(c.retain(version, "NONE", *hour, false)))
	_, err = c.GetObjectRetention(t.Context(), &awss3.GetObjectRetentionInput{Bucket: vault, Key: key})
	require.Equal(t, "NoSuchObjectLockConfiguration", code(err))
	_, err = c.GetObjectLegalHold(t.Context(), &awss3.GetObjectLegalHoldInput{Bucket: vault, Key: key})
	require.Equal(t, "NoSuchObjectLockConfiguration", code(err))
	require.NoError(t, c.deleteVersion(version, false))
}

// TestLocksComeByCopiesAndPartsToo gives the lock in the headers of both.
func TestLocksComeByCopiesAndPartsToo(t *testing.T) {
	c := start(t)
	bucket, key := c.vault(), aws.String("k")
	c.put("source", "x")
	copied, err := c.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: bucket, Key: key, CopySource: aws.String("data/source"), ObjectLockLegalHoldStatus: "ON"})
	require.NoError(t, err)
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	u, err := c.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: bucket, Key: key, ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: &until})
	require.NoError(t, err)
	part, err := c.UploadPart(t.Context(), &awss3.UploadPartInput{Bucket: bucket, Key: key, UploadId: u.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
	require.NoError(t, err)
	c.restart()
	done, err := c.CompleteMultipartUpload(t.Context(), &awss3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: u.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{ETag: part.ETag, PartNumber: aws.Int32(1)}}}})
	require.NoError(t, err)
	for _, version := range []*string{copied.VersionId, done.VersionId} {
		require.Equal(t, "AccessDenied", code(c.deleteVersion(*version, true)))
	}
	got, err := c.GetObjectRetention(t.Context(), &awss3.GetObjectRetentionInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	require.True(t, until.Equal(*got.Retention.RetainUntilDate))
}
