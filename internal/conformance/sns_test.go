package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/stretchr/testify/require"
)

var topicCases = []kase{
	{name: "topic lives", covers: "CreateTopic ListTopics GetTopicAttributes SetTopicAttributes DeleteTopic TagResource UntagResource ListTagsForResource", run: topicLives},
	// AWS does not reach this machine.
	{name: "message is delivered", covers: "Subscribe ConfirmSubscription GetSubscriptionAttributes SetSubscriptionAttributes ListSubscriptions ListSubscriptionsByTopic Publish PublishBatch Unsubscribe", run: messageDelivered, local: true},
	{name: "messages are checked", covers: "CreateTopic Publish PublishBatch Subscribe", run: messagesChecked},
}

// topic makes one, which goes at the end of the case.
func (c *cloud) topic() *string {
	c.Helper()
	name := c.name()
	out, err := c.sns.CreateTopic(c.Context(), &sns.CreateTopicInput{Name: name})
	require.NoError(c, err)
	require.Equal(c, "arn:aws:sns:"+at.sdk.Region+":"+at.account+":"+*name, *out.TopicArn)
	c.atEnd(func(ctx context.Context) error {
		_, err := c.sns.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: out.TopicArn})
		return err
	})
	return out.TopicArn
}

func topicLives(c *cloud) {
	ctx, arn := c.Context(), c.topic()
	name := (*arn)[strings.LastIndex(*arn, ":")+1:]
	again, err := c.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name})
	require.NoError(c, err)
	require.Equal(c, *arn, *again.TopicArn)
	_, err = c.sns.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: arn, AttributeName: aws.String("DisplayName"), AttributeValue: aws.String("shown")})
	require.NoError(c, err)
	out, err := c.sns.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: arn})
	require.NoError(c, err)
	for key, want := range map[string]string{"TopicArn": *arn, "DisplayName": "shown", "Owner": at.account, "SubscriptionsConfirmed": "0", "SubscriptionsPending": "0", "SubscriptionsDeleted": "0"} {
		require.Equal(c, want, out.Attributes[key], key)
	}
	require.NotEmpty(c, out.Attributes["Policy"])
	var found bool
	pages := sns.NewListTopicsPaginator(c.sns, &sns.ListTopicsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(c, err)
		for _, t := range page.Topics {
			found = found || *t.TopicArn == *arn
		}
	}
	require.True(c, found)
	_, err = c.sns.TagResource(ctx, &sns.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}})
	require.NoError(c, err)
	_, err = c.sns.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}})
	require.NoError(c, err)
	tags, err := c.sns.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: arn})
	require.NoError(c, err)
	require.Equal(c, []string{"b", "2"}, []string{*tags.Tags[0].Key, *tags.Tags[0].Value})
	for range 2 { // deleting what is gone is done
		_, err = c.sns.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: arn})
		require.NoError(c, err)
	}
	_, err = c.sns.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: arn})
	c.refused(err, "NotFound", "Topic does not exist")
	require.Equal(c, 404, status(err))
}

// receiver is an HTTP endpoint that SNS delivers to.
func receiver(c *cloud) (*string, chan map[string]any) {
	received := make(chan map[string]any, 20)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		message := map[string]any{"type of the header": r.Header.Get("X-Amz-Sns-Message-Type"), "raw": string(body)}
		if err == nil {
			_ = json.Unmarshal(body, &message) // a raw message need not be JSON
		}
		received <- message
	}))
	c.Cleanup(server.Close)
	return &server.URL, received
}

func messageDelivered(c *cloud) {
	ctx, arn := c.Context(), c.topic()
	url, received := receiver(c)
	asked, err := c.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: arn, Protocol: aws.String("http"), Endpoint: url})
	require.NoError(c, err)
	require.Equal(c, "pending confirmation", *asked.SubscriptionArn)
	ask := <-received
	require.Equal(c, []any{"SubscriptionConfirmation", "SubscriptionConfirmation", *arn}, []any{ask["type of the header"], ask["Type"], ask["TopicArn"]})
	confirmed, err := c.sns.ConfirmSubscription(ctx, &sns.ConfirmSubscriptionInput{TopicArn: arn, Token: aws.String(ask["Token"].(string))})
	require.NoError(c, err)
	subscription := confirmed.SubscriptionArn
	require.Contains(c, *subscription, *arn+":")

	sent, err := c.sns.Publish(ctx, &sns.PublishInput{TopicArn: arn, Message: aws.String("hello"), Subject: aws.String("subject"),
		MessageAttributes: map[string]types.MessageAttributeValue{"team": {DataType: aws.String("String"), StringValue: aws.String("a")}}})
	require.NoError(c, err)
	got := <-received
	require.Equal(c, []any{"Notification", "Notification", *sent.MessageId, "hello", "subject", *arn}, []any{got["type of the header"], got["Type"], got["MessageId"], got["Message"], got["Subject"], got["TopicArn"]})
	require.Equal(c, map[string]any{"team": map[string]any{"Type": "String", "Value": "a"}}, got["MessageAttributes"])
	for _, member := range []string{"Timestamp", "SignatureVersion", "Signature", "SigningCertURL", "UnsubscribeURL"} {
		require.NotEmpty(c, got[member], member)
	}
	subscriptionSettings(c, arn, subscription)
	batch, err := c.sns.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: arn, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{{Id: aws.String("1"), Message: aws.String("raw")}}})
	require.NoError(c, err)
	require.Len(c, batch.Successful, 1)
	require.Equal(c, "raw", (<-received)["raw"])
	_, err = c.sns.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: subscription})
	require.NoError(c, err)
}

func subscriptionSettings(c *cloud, topic, subscription *string) {
	c.Helper()
	ctx := c.Context()
	_, err := c.sns.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{SubscriptionArn: subscription, AttributeName: aws.String("RawMessageDelivery"), AttributeValue: aws.String("true")})
	require.NoError(c, err)
	d, err := c.sns.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: subscription})
	require.NoError(c, err)
	for key, want := range map[string]string{"RawMessageDelivery": "true", "TopicArn": *topic, "Protocol": "http", "PendingConfirmation": "false", "Owner": at.account} {
		require.Equal(c, want, d.Attributes[key], key)
	}
	of, err := c.sns.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: topic})
	require.NoError(c, err)
	require.Equal(c, *subscription, *of.Subscriptions[0].SubscriptionArn)
	all, err := c.sns.ListSubscriptions(ctx, &sns.ListSubscriptionsInput{})
	require.NoError(c, err)
	require.NotEmpty(c, all.Subscriptions)
}

func messagesChecked(c *cloud) {
	ctx, arn := c.Context(), c.topic()
	_, err := c.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("a b")})
	c.refused(err, "InvalidParameter", "Invalid parameter: Topic Name")
	require.Equal(c, 400, status(err))
	_, err = c.sns.Publish(ctx, &sns.PublishInput{TopicArn: arn, Message: aws.String("")})
	c.refused(err, "InvalidParameter", "Invalid parameter: Empty message")
	_, err = c.sns.Publish(ctx, &sns.PublishInput{TopicArn: arn, Message: aws.String(strings.Repeat("m", 256<<10+1))})
	c.refused(err, "InvalidParameter", "Invalid parameter: Message too long")
	_, err = c.sns.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(*arn + "-nowhere"), Message: aws.String("m")})
	c.refused(err, "NotFound", "Topic does not exist")
	_, err = c.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: arn, Protocol: aws.String("pigeon"), Endpoint: aws.String("roof")})
	c.refused(err, "InvalidParameter", "Invalid parameter: ")
	entries := func(ids ...string) (list []types.PublishBatchRequestEntry) {
		for _, id := range ids {
			list = append(list, types.PublishBatchRequestEntry{Id: &id, Message: aws.String("m")})
		}
		return list
	}
	_, err = c.sns.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: arn, PublishBatchRequestEntries: entries("a", "a")})
	c.refused(err, "BatchEntryIdsNotDistinct", "")
	var many []string
	for i := range 11 {
		many = append(many, fmt.Sprint(i))
	}
	_, err = c.sns.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: arn, PublishBatchRequestEntries: entries(many...)})
	c.refused(err, "TooManyEntriesInBatchRequest", "")
}
