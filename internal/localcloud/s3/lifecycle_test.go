package s3_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

const day = 24 * time.Hour

func (c *cloud) rules(rules ...types.LifecycleRule) error {
	_, err := c.PutBucketLifecycleConfiguration(c.Context(), &awss3.PutBucketLifecycleConfigurationInput{
		Bucket: aws.String("data"), LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules},
	})
	return err
}

func rule(id string, filter *types.LifecycleRuleFilter) types.LifecycleRule {
	return types.LifecycleRule{ID: &id, Status: types.ExpirationStatusEnabled, Filter: filter}
}

func prefix(p string) *types.LifecycleRuleFilter { return &types.LifecycleRuleFilter{Prefix: &p} }

// keys are those of the versions that are left, markers with a "-" before them.
func (c *cloud) keys() (keys []string) {
	out, err := c.ListObjectVersions(c.Context(), &awss3.ListObjectVersionsInput{Bucket: aws.String("data")})
	require.NoError(c, err)
	for _, v := range out.Versions {
		keys = append(keys, *v.Key)
	}
	for _, m := range out.DeleteMarkers {
		keys = append(keys, "-"+*m.Key)
	}
	return keys
}

func bubble(t *testing.T, test func(t *testing.T, c *cloud)) {
	synctest.Test(t, func(t *testing.T) {
		c := inBubble(t, t.TempDir())
		defer func() { require.NoError(t, c.store.Close()) }()
		_, err := c.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: aws.String("data"), ObjectLockEnabledForBucket: aws.Bool(strings.Contains(t.Name(), "Lock"))})
		require.NoError(t, err)
		test(t, c)
	})
}

func TestObjectsExpire(t *testing.T) {
	bubble(t, func(t *testing.T, c *cloud) {
		pass(10 * time.Hour) // the bubble begins at midnight
		tagged := func(key, tags, body string) {
			_, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String("data"), Key: &key, Tagging: &tags, Body: strings.NewReader(body)})
			require.NoError(t, err)
		}
		tagged("tmp/a", "", "x")
		tagged("tmp/b", "", "x")
		tagged("keep", "", "x")
		tagged("log/old", "keep=no&a=b", "x")
		tagged("log/other", "keep=yes", "x")
		tagged("big", "", strings.Repeat("x", 100))
		days, date, both, size, off := rule("days", prefix("tmp/")), rule("date", prefix("log/")), rule("and", nil), rule("size", nil), rule("off", prefix(""))
		days.Expiration = &types.LifecycleExpiration{Days: aws.Int32(2)}
		date.Expiration = &types.LifecycleExpiration{Date: aws.Time(time.Now().Truncate(day).Add(9 * day))}
		both.Filter = &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{Prefix: aws.String("log/"), Tags: []types.Tag{{Key: aws.String("keep"), Value: aws.String("no")}, {Key: aws.String("a"), Value: aws.String("b")}}}}
		both.Expiration = &types.LifecycleExpiration{Days: aws.Int32(1)}
		size.Filter = &types.LifecycleRuleFilter{ObjectSizeGreaterThan: aws.Int64(99)}
		size.Expiration = &types.LifecycleExpiration{Days: aws.Int32(4)}
		off.Status, off.Expiration = types.ExpirationStatusDisabled, &types.LifecycleExpiration{Days: aws.Int32(1)}
		require.NoError(t, c.rules(days, date, both, size, off))

		head, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String("data"), Key: aws.String("tmp/a")})
		require.NoError(t, err)
		require.Equal(t, `expiry-date="Tue, 04 Jan 2000 00:00:00 GMT", rule-id="days"`, *head.Expiration)
		pass(day) // 2 January, 10:00
		require.Len(t, c.keys(), 6)
		pass(14 * time.Hour)
		pass(time.Minute)
		require.ElementsMatch(t, []string{"tmp/a", "tmp/b", "keep", "log/other", "big"}, c.keys())
		pass(day)
		require.ElementsMatch(t, []string{"keep", "log/other", "big"}, c.keys())
		pass(2 * day)
		require.ElementsMatch(t, []string{"keep", "log/other"}, c.keys())
		pass(4 * day)
		require.ElementsMatch(t, []string{"keep"}, c.keys())
	})
}

func TestVersionsExpireUnlessLocked(t *testing.T) {
	bubble(t, func(t *testing.T, c *cloud) {
		bucket, until := aws.String("data"), time.Now().Add(20*day)
		put := func(key string, in awss3.PutObjectInput) {
			in.Bucket, in.Key, in.Body, in.ChecksumAlgorithm = bucket, &key, strings.NewReader("x"), "CRC32"
			_, err := c.PutObject(t.Context(), &in)
			require.NoError(t, err)
		}
		put("locked", awss3.PutObjectInput{ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: &until})
		put("locked", awss3.PutObjectInput{})
		put("k", awss3.PutObjectInput{})
		put("k", awss3.PutObjectInput{})
		put("k", awss3.PutObjectInput{})
		put("gone", awss3.PutObjectInput{})
		_, err := c.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: bucket, Key: aws.String("gone")})
		require.NoError(t, err)
		old, marker := rule("old", prefix("")), rule("marker", prefix(""))
		old.NoncurrentVersionExpiration = &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(3), NewerNoncurrentVersions: aws.Int32(1)}
		require.NoError(t, c.rules(old))
		pass(3 * day)
		require.ElementsMatch(t, []string{"locked", "locked", "k", "k", "k", "gone", "-gone"}, c.keys())
		pass(day + time.Minute)
		require.ElementsMatch(t, []string{"locked", "locked", "k", "k", "gone", "-gone"}, c.keys())

		old.NoncurrentVersionExpiration.NewerNoncurrentVersions = nil
		marker.Expiration = &types.LifecycleExpiration{ExpiredObjectDeleteMarker: aws.Bool(true)}
		require.NoError(t, c.rules(old, marker))
		pass(2 * time.Hour) // the marker goes when it is alone, so one sweep later
		require.ElementsMatch(t, []string{"locked", "locked", "k"}, c.keys())
		pass(16 * day)
		require.ElementsMatch(t, []string{"locked", "k"}, c.keys())

		days := rule("days", prefix(""))
		days.Expiration = &types.LifecycleExpiration{Days: aws.Int32(1)}
		require.NoError(t, c.rules(days))
		pass(time.Minute)
		require.ElementsMatch(t, []string{"locked", "-locked", "k", "-k"}, c.keys(), "the current version is hidden by a marker")
	})
}

func TestUploadsExpire(t *testing.T) {
	bubble(t, func(t *testing.T, c *cloud) {
		bucket := aws.String("data")
		begin := func(key string) *string {
			u, err := c.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: bucket, Key: &key})
			require.NoError(t, err)
			_, err = c.UploadPart(t.Context(), &awss3.UploadPartInput{Bucket: bucket, Key: &key, UploadId: u.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
			require.NoError(t, err)
			return u.UploadId
		}
		begin("tmp/a")
		kept := begin("other")
		r := rule("abort", prefix("tmp/"))
		r.AbortIncompleteMultipartUpload = &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(7)}
		require.NoError(t, c.rules(r))
		pass(7*day + 23*time.Hour)
		require.Len(t, c.blobs(), 2)
		pass(2 * time.Hour)
		require.Len(t, c.blobs(), 1)
		out, err := c.ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: bucket})
		require.NoError(t, err)
		require.Len(t, out.Uploads, 1)
		require.Equal(t, *kept, *out.Uploads[0].UploadId)
	})
}

func TestLifecycleIsKeptAndChecked(t *testing.T) {
	c := start(t)
	get := func() ([]types.LifecycleRule, error) {
		out, err := c.GetBucketLifecycleConfiguration(t.Context(), &awss3.GetBucketLifecycleConfigurationInput{Bucket: aws.String("data")})
		if err != nil {
			return nil, err
		}
		return out.Rules, nil
	}
	_, err := get()
	require.Equal(t, "NoSuchLifecycleConfiguration", code(err))
	require.Equal(t, 404, status(err))
	expire := func(e types.LifecycleExpiration, change func(*types.LifecycleRule)) types.LifecycleRule {
		r := rule("r", prefix("p"))
		r.Expiration = &e
		if change != nil {
			change(&r)
		}
		return r
	}
	one := types.LifecycleExpiration{Days: aws.Int32(1)}
	for want, rules := range map[string][]types.LifecycleRule{
		"MalformedXML":    {expire(types.LifecycleExpiration{}, nil)},
		"InvalidRequest":  {rule("nothing", prefix(""))},
		"InvalidArgument": {expire(one, nil), expire(one, nil)},
		"NotImplemented": {expire(one, func(r *types.LifecycleRule) {
			r.Transitions = []types.Transition{{Days: aws.Int32(1), StorageClass: "GLACIER"}}
		})},
	} {
		require.Equal(t, want, code(c.rules(rules...)))
	}
	require.Equal(t, "InvalidArgument", code(c.rules(expire(types.LifecycleExpiration{Days: aws.Int32(0)}, nil))))
	require.Equal(t, "InvalidArgument", code(c.rules(expire(types.LifecycleExpiration{Date: aws.Time(time.Unix(3601, 0))}, nil))))
	require.Equal(t, "MalformedXML", code(c.rules(expire(one, func(r *types.LifecycleRule) { r.Filter = nil }))))
	good := expire(one, func(r *types.LifecycleRule) {
		r.Filter = &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{Prefix: aws.String("p"), ObjectSizeLessThan: aws.Int64(7)}}
		r.NoncurrentVersionExpiration = &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(3)}
	})
	require.NoError(t, c.rules(good))
	c.restart()
	rules, err := get()
	require.NoError(t, err)
	require.Equal(t, []types.LifecycleRule{good}, rules)
	_, err = c.DeleteBucketLifecycle(t.Context(), &awss3.DeleteBucketLifecycleInput{Bucket: aws.String("data")})
	require.NoError(t, err)
	_, err = get()
	require.Equal(t, "NoSuchLifecycleConfiguration", code(err))
}
