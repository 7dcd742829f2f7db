package s3_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/s3"
)

const topicARN = "arn:aws:sns:eu-west-1:123456789012:uploads"

// topics keeps what was published, unless it is down.
type topics struct {
	mu   sync.Mutex
	down bool
	got  chan string
}

func newTopics() *topics { return &topics{got: make(chan string, 100)} }

func notifying(t *testing.T, to *topics, options ...s3.Option) *cloud {
	c := start(t, options...)
	c.topics = to
	c.restart()
	return c
}

func (t *topics) set(down bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.down = down
}

func (t *topics) Publish(_ context.Context, topic, subject, message string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.down || topic != topicARN || subject != "Amazon S3 Notification" {
		return errors.New("no such topic")
	}
	t.got <- message
	return nil
}

func (t *topics) next(c *cloud) string {
	select {
	case m := <-t.got:
		return m
	case <-time.After(10 * time.Second):
		require.Fail(c, "no message came")
		return ""
	}
}

type notice struct {
	EventName, EventSource, AwsRegion, EventVersion string
	S3                                              struct {
		ConfigurationID string
		Bucket          struct{ Name, ARN string }
		Object          struct {
			Key, ETag, VersionID, Sequencer string
			Size                            *int64
		}
	}
}

func (t *topics) notice(c *cloud) notice {
	var m struct{ Records []notice }
	require.NoError(c, json.Unmarshal([]byte(t.next(c)), &m))
	require.Len(c, m.Records, 1)
	return m.Records[0]
}

func (c *cloud) notify(config types.NotificationConfiguration) error {
	_, err := c.PutBucketNotificationConfiguration(c.Context(), &awss3.PutBucketNotificationConfigurationInput{Bucket: aws.String("data"), NotificationConfiguration: &config})
	return err
}

func topicConfig(id string, prefix string, events ...types.Event) types.TopicConfiguration {
	return types.TopicConfiguration{Id: &id, TopicArn: aws.String(topicARN), Events: events, Filter: &types.NotificationConfigurationFilter{
		Key: &types.S3KeyFilter{FilterRules: []types.FilterRule{{Name: "prefix", Value: &prefix}, {Name: "suffix", Value: aws.String(".csv")}}},
	}}
}

func TestNotifications(t *testing.T) {
	to := newTopics()
	c := notifying(t, to, s3.Location("eu-west-1", "123456789012"))
	config := types.NotificationConfiguration{TopicConfigurations: []types.TopicConfiguration{topicConfig("in", "in/", "s3:ObjectCreated:*", "s3:ObjectRemoved:Delete")}}
	require.NoError(t, c.notify(config))
	var test map[string]string
	require.NoError(t, json.Unmarshal([]byte(to.next(c)), &test))
	require.Equal(t, []string{"Amazon S3", "s3:TestEvent", "data"}, []string{test["Service"], test["Event"], test["Bucket"]})
	got, err := c.GetBucketNotificationConfiguration(t.Context(), &awss3.GetBucketNotificationConfigurationInput{Bucket: aws.String("data")})
	require.NoError(t, err)
	require.Equal(t, config.TopicConfigurations, got.TopicConfigurations)

	c.put("in/a b+ä.csv", "hello")
	n := to.notice(c)
	require.Equal(t, []string{"ObjectCreated:Put", "aws:s3", "eu-west-1", "2.1", "in"}, []string{n.EventName, n.EventSource, n.AwsRegion, n.EventVersion, n.S3.ConfigurationID})
	require.Equal(t, []string{"data", "arn:aws:s3:::data"}, []string{n.S3.Bucket.Name, n.S3.Bucket.ARN})
	require.Equal(t, []any{"in/a+b%2B%C3%A4.csv", "5d41402abc4b2a76b9719d911017c592", int64(5)}, []any{n.S3.Object.Key, n.S3.Object.ETag, *n.S3.Object.Size})

	c.put("in/no.txt", "x")
	c.put("out/no.csv", "x")
	_, err = c.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: aws.String("data"), Key: aws.String("in/copy.csv"), CopySource: aws.String("data/out/no.csv")})
	require.NoError(t, err)
	copied := to.notice(c)
	require.Equal(t, "ObjectCreated:Copy", copied.EventName)
	require.Greater(t, copied.S3.Object.Sequencer, n.S3.Object.Sequencer)
	_, err = c.DeleteObjects(t.Context(), &awss3.DeleteObjectsInput{Bucket: aws.String("data"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("in/none.csv")}, {Key: aws.String("in/copy.csv")}}}})
	require.NoError(t, err)
	removed := to.notice(c)
	require.Equal(t, []string{"ObjectRemoved:Delete", "in/copy.csv"}, []string{removed.EventName, removed.S3.Object.Key})
	require.Nil(t, removed.S3.Object.Size)
	require.NoError(t, c.store.Put(t.Context(), "data", "in/inside.csv", strings.NewReader(""), 0))
	require.Equal(t, "in/inside.csv", to.notice(c).S3.Object.Key)
}

// TestNotificationsWaitForTheirTopic takes the topic away, and the cloud too.
func TestNotificationsWaitForTheirTopic(t *testing.T) {
	to := newTopics()
	c := notifying(t, to)
	require.NoError(t, c.notify(types.NotificationConfiguration{TopicConfigurations: []types.TopicConfiguration{topicConfig("in", "", "s3:ObjectCreated:*")}}))
	to.next(c)
	to.set(true)
	c.put("1.csv", "x")
	c.put("2.csv", "x")
	c.restart()
	c.put("3.csv", "x")
	to.set(false)
	var keys []string
	for range 3 {
		keys = append(keys, to.notice(c).S3.Object.Key)
	}
	require.ElementsMatch(t, []string{"1.csv", "2.csv", "3.csv"}, keys)
	require.Empty(t, to.got)
}

func TestNotificationsAreChecked(t *testing.T) {
	c := notifying(t, newTopics())
	empty, err := c.GetBucketNotificationConfiguration(t.Context(), &awss3.GetBucketNotificationConfigurationInput{Bucket: aws.String("data")})
	require.NoError(t, err)
	require.Empty(t, empty.TopicConfigurations)
	for name, config := range map[string]types.NotificationConfiguration{
		"QueueConfiguration":         {QueueConfigurations: []types.QueueConfiguration{{QueueArn: aws.String("arn:aws:sqs:us-east-1:000000000000:q"), Events: []types.Event{"s3:ObjectCreated:*"}}}},
		"CloudFunctionConfiguration": {LambdaFunctionConfigurations: []types.LambdaFunctionConfiguration{{LambdaFunctionArn: aws.String("arn"), Events: []types.Event{"s3:ObjectCreated:*"}}}},
		"EventBridgeConfiguration":   {EventBridgeConfiguration: &types.EventBridgeConfiguration{}},
	} {
		err := c.notify(config)
		require.Equal(t, "NotImplemented", code(err), name)
		require.ErrorContains(t, err, name)
	}
	with := func(topics ...types.TopicConfiguration) error {
		return c.notify(types.NotificationConfiguration{TopicConfigurations: topics})
	}
	elsewhere := topicConfig("a", "", "s3:ObjectCreated:*")
	elsewhere.TopicArn = aws.String("arn:aws:sns:us-east-1:000000000000:none")
	queue := topicConfig("a", "", "s3:ObjectCreated:*")
	queue.TopicArn = aws.String("arn:aws:sqs:us-east-1:000000000000:q")
	for want, err := range map[string]error{
		"Unable to validate the following destination": with(elsewhere),
		"is not that of an SNS topic":                  with(queue),
		"s3:Replication:*' is not supported":           with(topicConfig("a", "", "s3:Replication:*")),
		"Configurations overlap":                       with(topicConfig("a", "x", "s3:ObjectCreated:*"), topicConfig("b", "xy", "s3:ObjectCreated:Put")),
		"must be unique":                               with(topicConfig("a", "x", "s3:ObjectCreated:*"), topicConfig("a", "y", "s3:ObjectCreated:Put")),
	} {
		require.Equal(t, "InvalidArgument", code(err), want)
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, with(topicConfig("a", "x", "s3:ObjectCreated:*"), topicConfig("b", "y", "s3:ObjectCreated:Put")))
	require.NoError(t, with())
	empty, err = c.GetBucketNotificationConfiguration(t.Context(), &awss3.GetBucketNotificationConfigurationInput{Bucket: aws.String("data")})
	require.NoError(t, err)
	require.Empty(t, empty.TopicConfigurations, "an empty configuration ends notifications")
}
