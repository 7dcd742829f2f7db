package sns_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/stretchr/testify/require"
)

func TestTopics(t *testing.T) {
	c := start(t)
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("risk")}}
	create := &awssns.CreateTopicInput{Name: aws.String("alerts"), Attributes: map[string]string{"DisplayName": "Alerts & more"}, Tags: tags}
	first, err := c.CreateTopic(t.Context(), create)
	require.NoError(t, err)
	c.shut()
	c.open()
	again, err := c.CreateTopic(t.Context(), create)
	require.NoError(t, err)
	require.Equal(t, first.TopicArn, again.TopicArn)
	c.topic("alerts", nil)
	_, err = c.CreateTopic(t.Context(), &awssns.CreateTopicInput{Name: aws.String("alerts"), Attributes: map[string]string{"DisplayName": "other"}})
	c.refused(err, "InvalidParameter", "Topic already exists with different attributes")
	_, err = c.CreateTopic(t.Context(), &awssns.CreateTopicInput{Name: aws.String("alerts"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
	c.refused(err, "InvalidParameter", "Topic already exists with different tags")

	_, err = c.SetTopicAttributes(t.Context(), &awssns.SetTopicAttributesInput{TopicArn: first.TopicArn, AttributeName: aws.String("SignatureVersion"), AttributeValue: aws.String("1")})
	require.NoError(t, err)
	got, err := c.GetTopicAttributes(t.Context(), &awssns.GetTopicAttributesInput{TopicArn: first.TopicArn})
	require.NoError(t, err)
	require.Equal(t, []string{*first.TopicArn, "Alerts & more", "1", "000000000000", "0", "0", "0"},
		[]string{got.Attributes["TopicArn"], got.Attributes["DisplayName"], got.Attributes["SignatureVersion"], got.Attributes["Owner"],
			got.Attributes["SubscriptionsConfirmed"], got.Attributes["SubscriptionsPending"], got.Attributes["SubscriptionsDeleted"]})

	for range 2 { // the second time there is none
		_, err = c.DeleteTopic(t.Context(), &awssns.DeleteTopicInput{TopicArn: first.TopicArn})
		require.NoError(t, err)
	}
	_, err = c.GetTopicAttributes(t.Context(), &awssns.GetTopicAttributesInput{TopicArn: first.TopicArn})
	require.ErrorAs(t, err, new(*types.NotFoundException))
	require.ErrorContains(t, c.service.Publish(t.Context(), *first.TopicArn, "", "x"), "Topic does not exist")
}

func TestPagesOfTopicsAndSubscriptions(t *testing.T) {
	c, r := start(t), receive(t)
	for i := range 101 {
		c.topic(fmt.Sprintf("t%03d", i), nil)
	}
	var topics []string
	pages := awssns.NewListTopicsPaginator(c, nil)
	for pages.HasMorePages() {
		p, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, x := range p.Topics {
			topics = append(topics, *x.TopicArn)
		}
	}
	require.Len(t, topics, 101)
	require.True(t, slices.IsSorted(topics))

	c.subscribe(topics[0], r, nil)
	_, err := c.Subscribe(t.Context(), &awssns.SubscribeInput{TopicArn: &topics[0], Protocol: aws.String("http"), Endpoint: aws.String(r.URL + "/other")})
	require.NoError(t, err)
	<-r.mail // it is asked, and does not confirm
	c.subscribe(topics[1], r, nil)
	list, err := c.ListSubscriptionsByTopic(t.Context(), &awssns.ListSubscriptionsByTopicInput{TopicArn: &topics[0]})
	require.NoError(t, err)
	require.Len(t, list.Subscriptions, 2)
	arns := []string{*list.Subscriptions[0].SubscriptionArn, *list.Subscriptions[1].SubscriptionArn}
	require.Contains(t, arns, "PendingConfirmation")
	all, err := c.ListSubscriptions(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, all.Subscriptions, 3)
	_, err = c.DeleteTopic(t.Context(), &awssns.DeleteTopicInput{TopicArn: &topics[0]})
	require.NoError(t, err)
	all, err = c.ListSubscriptions(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, all.Subscriptions, 1)
}

func TestTags(t *testing.T) {
	c := start(t)
	topic := c.topic("alerts", nil)
	_, err := c.TagResource(t.Context(), &awssns.TagResourceInput{ResourceArn: &topic, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("1")}, {Key: aws.String("a"), Value: aws.String("")}}})
	require.NoError(t, err)
	_, err = c.UntagResource(t.Context(), &awssns.UntagResourceInput{ResourceArn: &topic, TagKeys: []string{"b", "none"}})
	require.NoError(t, err)
	out, err := c.ListTagsForResource(t.Context(), &awssns.ListTagsForResourceInput{ResourceArn: &topic})
	require.NoError(t, err)
	require.Equal(t, []types.Tag{{Key: aws.String("a"), Value: aws.String("")}}, out.Tags)
	_, err = c.ListTagsForResource(t.Context(), &awssns.ListTagsForResourceInput{ResourceArn: aws.String(topic + "x")})
	c.refused(err, "ResourceNotFound", "Resource does not exist")
}

func TestPublishBatch(t *testing.T) {
	c, r := start(t), receive(t)
	topic := c.topic("alerts", nil)
	c.subscribe(topic, r, nil)
	entry := func(id, message string) types.PublishBatchRequestEntry {
		return types.PublishBatchRequestEntry{Id: &id, Message: &message}
	}
	out, err := c.PublishBatch(t.Context(), &awssns.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{entry("a", "one"), entry("bad", ""), entry("b", "two")}})
	require.NoError(t, err)
	require.Len(t, out.Successful, 2)
	require.Equal(t, []string{"bad", "InvalidParameter", "Invalid parameter: Empty message"}, []string{*out.Failed[0].Id, *out.Failed[0].Code, *out.Failed[0].Message})
	require.True(t, out.Failed[0].SenderFault)
	want := map[string]string{*out.Successful[0].MessageId: "one", *out.Successful[1].MessageId: "two"}
	for range 2 {
		g := <-r.mail
		require.Equal(t, want[g.str("MessageId")], g.str("Message"))
	}
	eleven := slices.Repeat([]types.PublishBatchRequestEntry{entry("x", "y")}, 11)
	for code, entries := range map[string][]types.PublishBatchRequestEntry{
		"EmptyBatchRequest": {}, "TooManyEntriesInBatchRequest": eleven, "BatchEntryIdsNotDistinct": eleven[:2], "InvalidBatchEntryId": {entry("a b", "x")},
		"BatchRequestTooLong": {entry("a", strings.Repeat("x", 200_000)), entry("b", strings.Repeat("x", 200_000))},
	} {
		_, err := c.PublishBatch(t.Context(), &awssns.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: entries})
		c.refused(err, code, "")
	}
}

func TestWhatIsRefused(t *testing.T) {
	c := start(t)
	ctx, topic := t.Context(), c.topic("alerts", nil)
	create := func(name string, attributes map[string]string) error {
		_, err := c.CreateTopic(ctx, &awssns.CreateTopicInput{Name: &name, Attributes: attributes})
		return err
	}
	subscribe := func(protocol, endpoint string, attributes map[string]string) error {
		_, err := c.Subscribe(ctx, &awssns.SubscribeInput{TopicArn: &topic, Protocol: &protocol, Endpoint: &endpoint, Attributes: attributes})
		return err
	}
	publish := func(in awssns.PublishInput) error {
		if in.TopicArn == nil && in.PhoneNumber == nil {
			in.TopicArn = &topic
		}
		if in.Message == nil {
			in.Message = aws.String("x")
		}
		_, err := c.Publish(ctx, &in)
		return err
	}
	attribute := func(kind, value string) awssns.PublishInput {
		return awssns.PublishInput{MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: &kind, StringValue: &value}}}
	}
	const local = "http://127.0.0.1:1/"
	for _, x := range []struct {
		err         error
		code, words string
	}{
		{create("a.fifo", nil), "InvalidParameter", "FIFO topics are not supported"},
		{create("", nil), "InvalidParameter", "Topic Name"},
		{create("a", map[string]string{"FifoTopic": "true"}), "InvalidParameter", "FifoTopic: Invalid value [true]"},
		{create("a", map[string]string{"DeliveryPolicy": "{}"}), "InvalidParameter", "DeliveryPolicy is not supported"},
		{create("a", map[string]string{"SignatureVersion": "3"}), "InvalidParameter", `Must be one of ["1" "2"]`},
		{create("a", map[string]string{"Nonsense": "1"}), "InvalidParameter", `unknown attribute "Nonsense"`},
		{subscribe("sqs", "arn:aws:sqs:us-east-1:000000000000:q", nil), "InvalidParameter", "sqs is not supported by the local cloud: use http or https"},
		{subscribe("pigeon", "x", nil), "InvalidParameter", "does not support this protocol string: pigeon"},
		{subscribe("https", local, nil), "InvalidParameter", "Endpoint must match the specified protocol"},
		{subscribe("http", "nowhere", nil), "InvalidParameter", `"nowhere" is not a URL`},
		{subscribe("http", "http://192.0.2.1/x", nil), "InvalidParameter", `"http://192.0.2.1/x": 192.0.2.1 (192.0.2.1) is not on the loopback interface of this machine: use 127.0.0.1, or start the local cloud with --remote-receivers`},
		{subscribe("https", "https://169.254.169.254/latest/", nil), "InvalidParameter", "is not on the loopback interface of this machine"},
		{subscribe("http", "http://no.such.host.invalid/", nil), "InvalidParameter", `"http://no.such.host.invalid/": `},
		{subscribe("http", local, map[string]string{"RawMessageDelivery": "yes"}), "InvalidParameter", "Invalid value [yes]"},
		{subscribe("http", local, map[string]string{"RedrivePolicy": "{}"}), "InvalidParameter", "RedrivePolicy is not supported"},
		{subscribe("http", local, map[string]string{"FilterPolicyScope": "MessageBody"}), "InvalidParameter", "FilterPolicyScope: Invalid value [MessageBody]"},
		{subscribe("http", local, map[string]string{"FilterPolicy": `{"a": [{"prefix": "b"}]}`}), "InvalidParameter", "operators such as prefix"},
		{subscribe("http", local, map[string]string{"FilterPolicy": `{"a": "b"}`}), "InvalidParameter", "an object of lists of values"},
		{publish(awssns.PublishInput{PhoneNumber: aws.String("+1")}), "InvalidParameter", "text messages are not supported"},
		{publish(awssns.PublishInput{Message: aws.String("")}), "InvalidParameter", "Empty message"},
		{publish(awssns.PublishInput{Message: aws.String(strings.Repeat("x", 256<<10+1))}), "InvalidParameter", "Message too long"},
		{publish(awssns.PublishInput{Subject: aws.String("a\nb")}), "InvalidParameter", "Invalid parameter: Subject"},
		{publish(awssns.PublishInput{Subject: aws.String(strings.Repeat("é", 101))}), "InvalidParameter", "Invalid parameter: Subject"},
		{publish(awssns.PublishInput{MessageGroupId: aws.String("g")}), "InvalidParameter", "not valid for this topic type"},
		{publish(awssns.PublishInput{TopicArn: aws.String("alerts")}), "InvalidParameter", "An ARN must have at least 6 elements, not 1"},
		{publish(awssns.PublishInput{TopicArn: aws.String(topic + "x")}), "NotFound", "Topic does not exist"},
		{publish(attribute("Text", "x")), "ParameterValueInvalid", "invalid message attribute type"},
		{publish(attribute("String", "")), "ParameterValueInvalid", "must contain non-empty message attribute value"},
		{publish(attribute("Number", "many")), "ParameterValueInvalid", "to number"},
	} {
		c.refused(x.err, x.code, x.words)
	}
	_, status := c.get(c.server.URL + "/_local/sns/SimpleNotificationService-0.pem")
	require.Equal(t, http.StatusNotFound, status)
}
