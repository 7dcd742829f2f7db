package localcloud_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// An upload goes through its bucket's topic to whoever listens.
func TestUploadsNotifyTopics(t *testing.T) {
	cfg, _ := serve(t, config(t.TempDir()))
	topic, got := subscribed(t, cfg, "uploads")
	objects, bucket := s3.NewFromConfig(cfg), aws.String("data")
	_, err := objects.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket})
	require.NoError(t, err)
	notify := func(topic string) error {
		_, err := objects.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: bucket, NotificationConfiguration: &types.NotificationConfiguration{
			TopicConfigurations: []types.TopicConfiguration{{TopicArn: &topic, Events: []types.Event{types.EventS3ObjectCreated}}},
		}})
		return err
	}
	require.ErrorContains(t, notify(topic+"-none"), "Unable to validate the following destination configurations")
	require.NoError(t, notify(topic))
	require.Contains(t, (<-got).Message, "s3:TestEvent")

	_, err = objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: aws.String("truth/1.csv"), Body: strings.NewReader("x")})
	require.NoError(t, err)
	m := <-got
	require.Equal(t, []string{"Notification", "Amazon S3 Notification", topic}, []string{m.Type, m.Subject, m.TopicArn})
	var message struct {
		Records []struct {
			EventName string
			S3        struct{ Object struct{ Key string } }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(m.Message), &message))
	require.Equal(t, "ObjectCreated:Put truth/1.csv", message.Records[0].EventName+" "+message.Records[0].S3.Object.Key)
}
