package conformance

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// Compliance mode is for nobody to lift, so that what is locked here is governed.
var lockCases = []kase{
	{name: "object lock", covers: "PutObjectLockConfiguration GetObjectLockConfiguration PutObject HeadObject GetObjectRetention PutObjectRetention DeleteObject", run: governedVersion},
	{name: "legal hold", covers: "PutObjectLegalHold GetObjectLegalHold DeleteObjects", run: heldVersion},
	{name: "no object lock", covers: "GetObjectLockConfiguration PutObjectLockConfiguration GetObjectRetention PutObject", run: withoutLock},
}

// vault makes a versioned bucket with object lock.
func (c *cloud) vault(rule *types.ObjectLockRule) *string {
	c.Helper()
	bucket := c.bucket()
	c.versioning(bucket, types.BucketVersioningStatusEnabled)
	_, err := c.s3.PutObjectLockConfiguration(c.Context(), &s3.PutObjectLockConfigurationInput{Bucket: bucket, ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled, Rule: rule}})
	require.NoError(c, err)
	return bucket
}

func governedVersion(c *cloud) {
	ctx, key := c.Context(), aws.String("k")
	rule := &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: aws.Int32(1)}}
	bucket := c.vault(rule)
	config, err := c.s3.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: bucket})
	require.NoError(c, err)
	require.Equal(c, rule.DefaultRetention.Mode, config.ObjectLockConfiguration.Rule.DefaultRetention.Mode)
	require.Equal(c, int32(1), *config.ObjectLockConfiguration.Rule.DefaultRetention.Days)
	version := c.version(bucket, *key, "x")
	remove := func(bypass bool) error {
		in := &s3.DeleteObjectInput{Bucket: bucket, Key: key, VersionId: version}
		if bypass {
			in.BypassGovernanceRetention = aws.Bool(true)
		}
		_, err := c.s3.DeleteObject(ctx, in)
		return err
	}
	head, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	require.NoError(c, err)
	require.Equal(c, types.ObjectLockModeGovernance, head.ObjectLockMode)
	require.WithinDuration(c, time.Now().AddDate(0, 0, 1), *head.ObjectLockRetainUntilDate, time.Hour)
	c.refused(remove(false), "AccessDenied", "")
	retain := func(until time.Time) error {
		_, err := c.s3.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{Bucket: bucket, Key: key, VersionId: version, Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeGovernance, RetainUntilDate: &until}})
		return err
	}
	c.refused(retain(time.Now().Add(time.Hour)), "AccessDenied", "")
	later := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	require.NoError(c, retain(later))
	got, err := c.s3.GetObjectRetention(ctx, &s3.GetObjectRetentionInput{Bucket: bucket, Key: key, VersionId: version})
	require.NoError(c, err)
	require.WithinDuration(c, later, *got.Retention.RetainUntilDate, time.Second)
	_, err = c.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusSuspended}})
	c.refused(err, "InvalidBucketState", "")
	require.NoError(c, remove(true))
}

func heldVersion(c *cloud) {
	ctx, bucket, key := c.Context(), c.vault(nil), aws.String("k")
	version := c.version(bucket, *key, "x")
	hold := func(status types.ObjectLockLegalHoldStatus) {
		_, err := c.s3.PutObjectLegalHold(ctx, &s3.PutObjectLegalHoldInput{Bucket: bucket, Key: key, VersionId: version, LegalHold: &types.ObjectLockLegalHold{Status: status}})
		require.NoError(c, err)
		got, err := c.s3.GetObjectLegalHold(ctx, &s3.GetObjectLegalHoldInput{Bucket: bucket, Key: key, VersionId: version})
		require.NoError(c, err)
		require.Equal(c, status, got.LegalHold.Status)
	}
	remove := func() *s3.DeleteObjectsOutput {
		out, err := c.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, BypassGovernanceRetention: aws.Bool(true), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: key, VersionId: version}}}})
		require.NoError(c, err)
		return out
	}
	hold(types.ObjectLockLegalHoldStatusOn)
	refused := remove()
	require.Empty(c, refused.Deleted)
	require.Equal(c, []string{"AccessDenied", *version}, []string{*refused.Errors[0].Code, *refused.Errors[0].VersionId})
	hold(types.ObjectLockLegalHoldStatusOff)
	require.Equal(c, *version, *remove().Deleted[0].VersionId)
}

func withoutLock(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), aws.String("k")
	c.put(bucket, *key, "x")
	_, err := c.s3.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: bucket})
	c.refused(err, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
	_, err = c.s3.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{Bucket: bucket, ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled}})
	c.refused(err, "InvalidBucketState", "")
	_, err = c.s3.GetObjectRetention(ctx, &s3.GetObjectRetentionInput{Bucket: bucket, Key: key})
	c.refused(err, "InvalidRequest", "Bucket is missing Object Lock Configuration")
	_, err = c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x"), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32, ObjectLockLegalHoldStatus: types.ObjectLockLegalHoldStatusOn})
	c.refused(err, "InvalidRequest", "Bucket is missing Object Lock Configuration")
}
