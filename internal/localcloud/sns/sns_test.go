package sns_test

import (
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/sns"
	"steward/internal/localcloud/wire"
)

// cloud is an SNS behind HTTP that can be stopped and opened again.
type cloud struct {
	*testing.T
	dir     string
	far     bool // endpoints may be on other machines
	service *sns.Service
	server  *httptest.Server
	late    atomic.Int64 // by how much the service's clock is ahead
	*awssns.Client
}

func start(t *testing.T) *cloud {
	c := &cloud{T: t, dir: t.TempDir()}
	c.open()
	t.Cleanup(c.shut)
	return c
}

func (c *cloud) open() {
	c.server = httptest.NewUnstartedServer(nil)
	var err error
	c.service, err = sns.Open(sns.Config{Dir: c.dir, Region: "us-east-1", Account: "000000000000", URL: "http://" + c.server.Listener.Addr().String(), Anywhere: c.far,
		Log: slog.New(slog.DiscardHandler), First: time.Millisecond, Last: 20 * time.Millisecond,
		Now: func() time.Time { return time.Now().Add(time.Duration(c.late.Load())) }})
	require.NoError(c, err)
	router := wire.NewRouter(wire.Verifier{AccessKey: "key", SecretKey: "secret"}, wire.Query("sns", sns.Namespace, c.service.Operations()))
	c.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, sns.Path) {
			c.service.ServeHTTP(w, r)
			return
		}
		router.ServeHTTP(w, r)
	})
	c.server.Start()
	c.Client = awssns.NewFromConfig(aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(c.server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")})
}

func (c *cloud) shut() {
	c.server.Close()
	require.NoError(c, c.service.Close())
}

func (c *cloud) topic(name string, attributes map[string]string) string {
	out, err := c.CreateTopic(c.Context(), &awssns.CreateTopicInput{Name: &name, Attributes: attributes})
	require.NoError(c, err)
	return *out.TopicArn
}

// got is what a receiver was sent.
type got struct {
	header http.Header
	text   string
	member map[string]any
}

func (g got) str(name string) string {
	text, _ := g.member[name].(string)
	return text
}

// receiver answers with the status that reply gives.
type receiver struct {
	*httptest.Server
	mail  chan got
	reply atomic.Int32
}

func receive(t *testing.T) *receiver {
	r := &receiver{mail: make(chan got, 100)}
	r.reply.Store(http.StatusOK)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		g := got{header: req.Header, text: string(body)}
		_ = json.Unmarshal(body, &g.member) // raw messages are none
		reply := int(r.reply.Load())        // what it is when the mail comes, not when somebody has read it
		r.mail <- g
		w.WriteHeader(reply)
	}))
	t.Cleanup(r.Close)
	return r
}

// subscribe subscribes a receiver and confirms by the token that it was sent.
func (c *cloud) subscribe(topic string, r *receiver, attributes map[string]string) string {
	out, err := c.Subscribe(c.Context(), &awssns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("http"), Endpoint: aws.String(r.URL + "/alerts"), Attributes: attributes})
	require.NoError(c, err)
	require.Equal(c, "pending confirmation", *out.SubscriptionArn)
	asked := <-r.mail
	require.Equal(c, "SubscriptionConfirmation", asked.str("Type"))
	c.verify(asked)
	confirmed, err := c.ConfirmSubscription(c.Context(), &awssns.ConfirmSubscriptionInput{TopicArn: &topic, Token: aws.String(asked.str("Token"))})
	require.NoError(c, err)
	return *confirmed.SubscriptionArn
}

func (c *cloud) publish(topic, message string) string {
	out, err := c.Publish(c.Context(), &awssns.PublishInput{TopicArn: &topic, Message: &message})
	require.NoError(c, err)
	return *out.MessageId
}

// signed are the members that a signature covers, by type, as the SNS developer guide
// lists them.
var signed = map[string][]string{
	"Notification":             {"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"},
	"SubscriptionConfirmation": {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
	"UnsubscribeConfirmation":  {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
}

// verify checks a message as a stranger does who knows only the documentation.
func (c *cloud) verify(g got) {
	require.True(c, strings.HasPrefix(g.str("SigningCertURL"), c.server.URL+"/"), g.text)
	body, status := c.get(g.str("SigningCertURL"))
	require.Equal(c, http.StatusOK, status)
	block, _ := pem.Decode([]byte(body))
	require.NotNil(c, block)
	cert, err := x509.ParseCertificate(block.Bytes)
	require.NoError(c, err)
	var text strings.Builder
	for _, name := range signed[g.str("Type")] {
		if _, ok := g.member[name]; ok {
			text.WriteString(name + "\n" + g.str(name) + "\n")
		}
	}
	signature, err := base64.StdEncoding.DecodeString(g.str("Signature"))
	require.NoError(c, err)
	algorithm := map[string]x509.SignatureAlgorithm{"1": x509.SHA1WithRSA, "2": x509.SHA256WithRSA}[g.str("SignatureVersion")]
	require.NoError(c, cert.CheckSignature(algorithm, []byte(text.String()), signature), g.text)
	require.Error(c, cert.CheckSignature(algorithm, []byte(text.String()+" "), signature))
	at, err := time.Parse(time.RFC3339, g.str("Timestamp"))
	require.NoError(c, err)
	require.WithinDuration(c, time.Now(), at, time.Minute)
}

func (c *cloud) get(url string) (body string, status int) {
	r, err := http.NewRequestWithContext(c.Context(), http.MethodGet, url, nil)
	require.NoError(c, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(c, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(c, err)
	require.NoError(c, resp.Body.Close())
	return string(text), resp.StatusCode
}

func (c *cloud) refused(err error, code, words string) {
	c.Helper()
	var api smithy.APIError
	require.ErrorAs(c, err, &api)
	require.Equal(c, code, api.ErrorCode())
	require.Contains(c, api.ErrorMessage(), words)
}

func TestMessagesAreSignedAndDelivered(t *testing.T) {
	for _, version := range []string{"", "1", "2"} {
		c, r := start(t), receive(t)
		attributes := map[string]string{}
		if version != "" {
			attributes["SignatureVersion"] = version
		}
		topic := c.topic("alerts", attributes)
		require.Equal(t, "arn:aws:sns:us-east-1:000000000000:alerts", topic)
		sub := c.subscribe(topic, r, nil)
		out, err := c.Publish(t.Context(), &awssns.PublishInput{TopicArn: &topic, Subject: aws.String("drift"), Message: aws.String("a <b>\n& \"é\" 漢"),
			MessageAttributes: map[string]types.MessageAttributeValue{"level": {DataType: aws.String("String"), StringValue: aws.String("high")}, "raw": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1}}}})
		require.NoError(t, err)
		g := <-r.mail
		c.verify(g)
		require.Equal(t, cmp.Or(version, "2"), g.str("SignatureVersion"))
		require.Equal(t, []string{"Notification", *out.MessageId, topic, "drift", "a <b>\n& \"é\" 漢"},
			[]string{g.str("Type"), g.str("MessageId"), g.str("TopicArn"), g.str("Subject"), g.str("Message")})
		require.Equal(t, map[string]any{"level": map[string]any{"Type": "String", "Value": "high"}, "raw": map[string]any{"Type": "Binary", "Value": "AAE="}}, g.member["MessageAttributes"])
		require.Equal(t, []string{"Notification", *out.MessageId, topic, sub, "text/plain; charset=UTF-8", "Amazon Simple Notification Service Agent"},
			[]string{g.header.Get("x-amz-sns-message-type"), g.header.Get("x-amz-sns-message-id"), g.header.Get("x-amz-sns-topic-arn"), g.header.Get("x-amz-sns-subscription-arn"),
				g.header.Get("Content-Type"), g.header.Get("User-Agent")})
		c.publish(topic, "without a subject")
		g = <-r.mail
		require.NotContains(t, g.member, "Subject")
		c.verify(g)
	}
}

// The same certificate and the same message, under the address that the cloud has now.
func TestDeliveriesSurviveARestart(t *testing.T) {
	c, r := start(t), receive(t)
	topic := c.topic("alerts", nil)
	c.subscribe(topic, r, nil)
	r.reply.Store(http.StatusServiceUnavailable)
	id := c.publish(topic, "kept")
	first := <-r.mail
	c.shut()
	for len(r.mail) > 0 { // further attempts before the end
		<-r.mail
	}
	r.reply.Store(http.StatusOK)
	c.open()
	again := <-r.mail
	require.Equal(t, id, again.str("MessageId"))
	require.Equal(t, []string{first.str("Message"), first.str("Timestamp"), first.str("Signature")}, []string{again.str("Message"), again.str("Timestamp"), again.str("Signature")})
	c.verify(again)
}

func TestAReceiverThatRefusesIsNotAskedAgain(t *testing.T) {
	c, r := start(t), receive(t)
	topic := c.topic("alerts", nil)
	c.subscribe(topic, r, nil)
	r.reply.Store(http.StatusUnauthorized)
	first := c.publish(topic, "one")
	require.Equal(t, first, (<-r.mail).str("MessageId"))
	r.reply.Store(http.StatusInternalServerError)
	second := c.publish(topic, "two")
	for range 3 {
		require.Equal(t, second, (<-r.mail).str("MessageId"), "only what failed by chance is tried again")
	}
}

// Whoever has the addresses in messages may confirm and end a subscription.
func TestSubscriptionsByTheAddressesInMessages(t *testing.T) {
	c, r := start(t), receive(t)
	topic := c.topic("alerts", nil)
	in := &awssns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("http"), Endpoint: &r.URL, ReturnSubscriptionArn: true}
	out, err := c.Subscribe(t.Context(), in)
	require.NoError(t, err)
	sub := *out.SubscriptionArn
	asked := <-r.mail
	require.Equal(t, []string{"SubscriptionConfirmation", ""}, []string{asked.header.Get("x-amz-sns-message-type"), asked.header.Get("x-amz-sns-subscription-arn")})
	c.publish(topic, "nobody has confirmed")
	body, status := c.get(asked.str("SubscribeURL"))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "<SubscriptionArn>"+sub+"</SubscriptionArn>")
	again, err := c.Subscribe(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, sub, *again.SubscriptionArn)

	id := c.publish(topic, "hello")
	told := <-r.mail
	require.Equal(t, id, told.str("MessageId"))
	_, status = c.get(told.str("UnsubscribeURL"))
	require.Equal(t, http.StatusOK, status)
	bye := <-r.mail
	require.Equal(t, "UnsubscribeConfirmation", bye.str("Type"))
	c.verify(bye)
	c.publish(topic, "nobody listens")
	_, err = c.GetSubscriptionAttributes(t.Context(), &awssns.GetSubscriptionAttributesInput{SubscriptionArn: &sub})
	c.refused(err, "NotFound", "Subscription does not exist")

	_, status = c.get(bye.str("SubscribeURL"))
	require.Equal(t, http.StatusOK, status, "taken back")
	id = c.publish(topic, "back again")
	require.Equal(t, id, (<-r.mail).str("MessageId"))

	_, status = c.get(strings.Replace(asked.str("SubscribeURL"), "Token=", "Token=0", 1))
	require.Equal(t, http.StatusBadRequest, status)
	_, status = c.get(c.server.URL + sns.Path + "?Action=DeleteTopic&TopicArn=" + topic)
	require.Equal(t, http.StatusBadRequest, status, "nothing else goes without a signature")
}

func TestUnsubscribeMayAskForASignature(t *testing.T) {
	c, r := start(t), receive(t)
	topic := c.topic("alerts", nil)
	_, err := c.Subscribe(t.Context(), &awssns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("http"), Endpoint: &r.URL})
	require.NoError(t, err)
	out, err := c.ConfirmSubscription(t.Context(), &awssns.ConfirmSubscriptionInput{TopicArn: &topic, Token: aws.String((<-r.mail).str("Token")), AuthenticateOnUnsubscribe: aws.String("true")})
	require.NoError(t, err)
	c.publish(topic, "x")
	body, status := c.get((<-r.mail).str("UnsubscribeURL"))
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "<Code>AuthorizationError</Code>")
	_, err = c.Unsubscribe(t.Context(), &awssns.UnsubscribeInput{SubscriptionArn: out.SubscriptionArn})
	require.NoError(t, err)
	require.Equal(t, "UnsubscribeConfirmation", (<-r.mail).str("Type"))
	_, err = c.Unsubscribe(t.Context(), &awssns.UnsubscribeInput{SubscriptionArn: out.SubscriptionArn})
	require.NoError(t, err, "one that is gone is fine")
}

func TestTokensExpire(t *testing.T) {
	c, r := start(t), receive(t)
	topic := c.topic("alerts", nil)
	_, err := c.Subscribe(t.Context(), &awssns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("http"), Endpoint: &r.URL})
	require.NoError(t, err)
	token := (<-r.mail).str("Token")
	c.late.Store(int64(49 * time.Hour))
	_, err = c.ConfirmSubscription(t.Context(), &awssns.ConfirmSubscriptionInput{TopicArn: &topic, Token: &token})
	c.refused(err, "InvalidParameter", "Invalid parameter: Token")
	list, err := c.ListSubscriptions(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, list.Subscriptions)
}

func TestRawDeliveryAndFilters(t *testing.T) {
	c := start(t)
	topic := c.topic("alerts", nil)
	raw, high := receive(t), receive(t)
	sub := c.subscribe(topic, raw, map[string]string{"RawMessageDelivery": "true"})
	filtered := c.subscribe(topic, high, map[string]string{"FilterPolicy": `{"level": ["high", "low"], "count": [3], "tags": ["a"]}`})
	send := func(message, level, count, tags string) {
		_, err := c.Publish(t.Context(), &awssns.PublishInput{TopicArn: &topic, Message: &message, MessageAttributes: map[string]types.MessageAttributeValue{
			"level": {DataType: aws.String("String"), StringValue: &level}, "count": {DataType: aws.String("Number"), StringValue: &count}, "tags": {DataType: aws.String("String.Array"), StringValue: &tags}}})
		require.NoError(t, err)
	}
	send("other level", "middle", "3", `["a"]`)
	send("other count", "high", "4", `["a"]`)
	send("other tags", "high", "3", `["b", null]`)
	c.publish(topic, "no attributes")
	send("passes", "high", "3.0", `["b", "a"]`)
	require.Equal(t, "passes", (<-high.mail).str("Message"))
	require.Empty(t, high.mail)
	var texts []string
	for range 5 {
		g := <-raw.mail
		require.Equal(t, []string{"true", sub}, []string{g.header.Get("x-amz-sns-rawdelivery"), g.header.Get("x-amz-sns-subscription-arn")})
		texts = append(texts, g.text)
	}
	slices.Sort(texts)
	require.Equal(t, []string{"no attributes", "other count", "other level", "other tags", "passes"}, texts)

	_, err := c.SetSubscriptionAttributes(t.Context(), &awssns.SetSubscriptionAttributesInput{SubscriptionArn: &filtered, AttributeName: aws.String("FilterPolicy"), AttributeValue: aws.String("")})
	require.NoError(t, err)
	c.publish(topic, "no filter")
	require.Equal(t, "no filter", (<-high.mail).str("Message"))
	got, err := c.GetSubscriptionAttributes(t.Context(), &awssns.GetSubscriptionAttributesInput{SubscriptionArn: &sub})
	require.NoError(t, err)
	require.Equal(t, []string{"true", "false", "true", raw.URL + "/alerts", topic}, []string{got.Attributes["RawMessageDelivery"], got.Attributes["PendingConfirmation"],
		got.Attributes["ConfirmationWasAuthenticated"], got.Attributes["Endpoint"], got.Attributes["TopicArn"]})
}

func TestMessagesByProtocol(t *testing.T) {
	c, r := start(t), receive(t)
	topic := c.topic("alerts", nil)
	c.subscribe(topic, r, nil)
	for message, want := range map[string]string{`{"default": "a", "http": "b", "sqs": 5}`: "b", `{"default": "a", "https": "b"}`: "a"} {
		_, err := c.Publish(t.Context(), &awssns.PublishInput{TopicArn: &topic, MessageStructure: aws.String("json"), Message: &message})
		require.NoError(t, err)
		require.Equal(t, want, (<-r.mail).str("Message"))
	}
	_, err := c.Publish(t.Context(), &awssns.PublishInput{TopicArn: &topic, MessageStructure: aws.String("json"), Message: aws.String(`{"http": "b"}`)})
	c.refused(err, "InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body")
}

// What may be posted to is asked again of each connection: a subscription may be
// older than the rule, and a name may come to mean another host.
func TestReceiversBeyondThisMachine(t *testing.T) {
	c := &cloud{T: t, dir: t.TempDir(), far: true}
	c.open()
	topic, near, far := c.topic("t", nil), receive(t), receive(t)
	far.URL = strings.Replace(far.URL, "127.0.0.1", "0.0.0.0", 1) // reaches it, but is none of the loopback interface's
	c.subscribe(topic, far, nil)
	c.publish(topic, "one")
	require.Equal(t, "one", (<-far.mail).str("Message"))
	c.shut()

	c.far = false
	c.open()
	_, err := c.Subscribe(t.Context(), &awssns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("http"), Endpoint: aws.String(far.URL)})
	require.ErrorContains(t, err, "--remote-receivers")
	c.subscribe(topic, near, nil)
	c.publish(topic, "two")
	require.Equal(t, "two", (<-near.mail).str("Message"))
	c.shut()
	require.Empty(t, far.mail)
}
