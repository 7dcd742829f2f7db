package localcloud_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/events"
	hosting "steward/internal/localcloud/sagemaker"
)

// mail is a message of SNS.
type mail struct{ Type, Subject, Message, Token, TopicArn string }

// receiver is an address that keeps what it is sent.
func receiver(t *testing.T) (url string, got chan mail) {
	got = make(chan mail, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m mail
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		got <- m
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

// subscribed makes a topic and subscribes a receiver to it.
func subscribed(t *testing.T, cfg aws.Config, name string) (topic string, got chan mail) {
	topics := sns.NewFromConfig(cfg)
	made, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name})
	require.NoError(t, err)
	url, got := receiver(t)
	_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: made.TopicArn, Protocol: aws.String("http"), Endpoint: &url})
	require.NoError(t, err)
	_, err = topics.ConfirmSubscription(t.Context(), &sns.ConfirmSubscriptionInput{TopicArn: made.TopicArn, Token: aws.String((<-got).Token)})
	require.NoError(t, err)
	return *made.TopicArn, got
}

// An alarm goes through its topic to whoever listens.
func TestAlarmsNotifyTopics(t *testing.T) {
	cfg, _ := serve(t, config(t.TempDir()))
	topic, got := subscribed(t, cfg, "ops")
	alarms := cloudwatch.NewFromConfig(cfg)
	_, err := alarms.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{AlarmName: aws.String("errors"), Namespace: aws.String("App"), MetricName: aws.String("Errors"),
		Statistic: types.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("breaching"), AlarmActions: []string{topic}})
	require.NoError(t, err)
	m := <-got
	require.Equal(t, []string{"Notification", `ALARM: "errors" in US East (N. Virginia)`, topic}, []string{m.Type, m.Subject, m.TopicArn})
	var message struct{ AlarmName, NewStateValue, OldStateValue string }
	require.NoError(t, json.Unmarshal([]byte(m.Message), &message))
	require.Equal(t, "errors ALARM INSUFFICIENT_DATA", message.AlarmName+" "+message.NewStateValue+" "+message.OldStateValue)
}

// Older SDKs and boto3 speak JSON to CloudWatch.
func TestMonitoringSpeaksJSON(t *testing.T) {
	cfg, _ := serve(t, config(t.TempDir()))
	const body = `{"Namespace": "App", "MetricData": [{"MetricName": "m", "Value": 1}]}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *cfg.BaseEndpoint+"/", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData")
	sum := sha256.Sum256([]byte(body))
	key, err := cfg.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), key, r, hex.EncodeToString(sum[:]), "monitoring", "us-east-1", time.Now()))
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	list, err := cloudwatch.NewFromConfig(cfg).ListMetrics(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, list.Metrics, 1)
}

// What S3 and SageMaker tell goes through topics as well.
func TestObjectsAndEventsNotifyTopics(t *testing.T) {
	given := config(t.TempDir())
	given.Images = []hosting.Image{{Pattern: "play/*", Command: []string{"true"}}}
	given.Rules = []events.Rule{{DetailType: "SageMaker Model Package *", Target: "arn:aws:sns:us-east-1:000000000000:ops"}}
	cfg, _ := serve(t, given)
	topic, got := subscribed(t, cfg, "ops")
	objects, models := s3.NewFromConfig(cfg), sagemaker.NewFromConfig(cfg)
	_, err := objects.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("box")})
	require.NoError(t, err)
	_, err = objects.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: aws.String("box"),
		NotificationConfiguration: &s3types.NotificationConfiguration{TopicConfigurations: []s3types.TopicConfiguration{{TopicArn: &topic, Events: []s3types.Event{"s3:ObjectCreated:*"}}}}})
	require.NoError(t, err)
	require.Contains(t, (<-got).Message, "s3:TestEvent")
	_, err = objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("k"), Body: strings.NewReader("x")})
	require.NoError(t, err)
	m := <-got
	require.Equal(t, "Amazon S3 Notification", m.Subject)
	require.Contains(t, m.Message, `"eventName":"ObjectCreated:Put"`)

	_, err = models.CreateModelPackageGroup(t.Context(), &sagemaker.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("g")})
	require.NoError(t, err)
	_, err = models.CreateModelPackage(t.Context(), &sagemaker.CreateModelPackageInput{ModelPackageGroupName: aws.String("g"), InferenceSpecification: &smtypes.InferenceSpecification{
		SupportedContentTypes: []string{"text/csv"}, SupportedResponseMIMETypes: []string{"text/csv"},
		Containers: []smtypes.ModelPackageContainerDefinition{{Image: aws.String("play/hello"), ModelDataUrl: aws.String("s3://box/k")}}}})
	require.NoError(t, err)
	var event struct {
		DetailType string `json:"detail-type"`
		Detail     struct{ ModelPackageGroupName string }
	}
	require.NoError(t, json.Unmarshal([]byte((<-got).Message), &event))
	require.Equal(t, "SageMaker Model Package State Change: g", event.DetailType+": "+event.Detail.ModelPackageGroupName)
}
