package sns

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// Limits of Publish in the SNS API reference.
const (
	maxMessage = 256 << 10
	maxSubject = 100
)

// content is a checked message.
type content struct {
	Subject *string
	// Message is by protocol; "default" is for those not named.
	Message    map[string]string
	Attributes map[string]attribute
}

// attribute is a message attribute as receivers get it; Value of Binary is base64.
type attribute struct{ Type, Value string }

// Publish sends a message to a topic of this cloud. It is stored when Publish
// returns. A *[wire.Error] says that the topic does not take it.
func (s *Service) Publish(ctx context.Context, topicARN, subject, message string) error {
	in := &sns.PublishInput{TopicArn: &topicARN, Message: &message}
	if subject != "" {
		in.Subject = &subject
	}
	_, err := s.publish(ctx, in)
	return err
}

func (s *Service) publish(_ context.Context, in *sns.PublishInput) (*sns.PublishOutput, error) {
	to := in.TopicArn
	if to == nil {
		to = in.TargetArn
	}
	switch {
	case in.PhoneNumber != nil:
		return nil, invalid("PhoneNumber Reason: text messages are not supported by the local cloud: name a TopicArn")
	case to == nil:
		return nil, invalid("TopicArn or TargetArn Reason: no value for required parameter")
	}
	c, err := checked(types.PublishBatchRequestEntry{Subject: in.Subject, Message: in.Message, MessageAttributes: in.MessageAttributes,
		MessageStructure: in.MessageStructure, MessageGroupId: in.MessageGroupId, MessageDeduplicationId: in.MessageDeduplicationId})
	if err != nil {
		return nil, err
	}
	ids, err := s.distribute(to, c)
	if err != nil {
		return nil, err
	}
	return &sns.PublishOutput{MessageId: &ids[0]}, nil
}

// distribute stores messages for every subscription that takes them, in one
// transaction, and gives their ids.
func (s *Service) distribute(topicARN *string, messages ...content) ([]string, error) {
	ids := make([]string, len(messages))
	err := s.db.Update(func(tx *bolt.Tx) error {
		t, err := s.topic(tx, topicARN)
		if err != nil {
			return err
		}
		subs, err := s.subscriptions(tx, t.ARN)
		if err != nil {
			return err
		}
		for i, c := range messages {
			ids[i] = uuid.NewString()
			for _, sub := range subs {
				if err := s.offer(tx, sub, ids[i], c); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return ids, err
}

// offer stores a message for a subscription, unless that does not take it.
func (s *Service) offer(tx *bolt.Tx, sub *subscription, id string, c content) error {
	if sub.State != confirmed {
		return nil
	}
	if policy := sub.Attributes[filterPolicy]; policy != "" {
		f, err := parseFilter(policy)
		if err != nil || !f.takes(c.Attributes) {
			return err
		}
	}
	text, ok := c.Message[sub.Protocol]
	if !ok {
		text = c.Message["default"]
	}
	return s.put(tx, sub, letter{Type: notificationType, Subscription: sub.ARN, ID: id, At: s.cfg.Now().UTC(), Subject: c.Subject, Message: text, Attributes: c.Attributes})
}

// checked refuses what SNS would, in its words.
func checked(in types.PublishBatchRequestEntry) (c content, err error) {
	switch {
	case in.MessageGroupId != nil:
		return c, invalid("MessageGroupId Reason: The request includes MessageGroupId parameter that is not valid for this topic type")
	case in.MessageDeduplicationId != nil:
		return c, invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	case aws.ToString(in.Message) == "":
		return c, invalid("Empty message")
	case len(*in.Message) > maxMessage:
		return c, invalid("Message too long")
	case in.Subject != nil && !goodSubject(*in.Subject):
		return c, invalid("Subject")
	}
	c = content{Subject: in.Subject, Message: map[string]string{"default": *in.Message}, Attributes: map[string]attribute{}}
	switch structure := aws.ToString(in.MessageStructure); {
	case structure == "json":
		if c.Message, err = structured(*in.Message); err != nil {
			return c, err
		}
	case structure != "":
		return c, invalid("MessageStructure Reason: %q is not json", structure)
	}
	for name, value := range in.MessageAttributes {
		if c.Attributes[name], err = attributeOf(name, value); err != nil {
			return c, err
		}
	}
	return c, nil
}

func goodSubject(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= maxSubject && !strings.ContainsFunc(s, unicode.IsControl)
}

// structured reads a message that differs by protocol.
func structured(message string) (map[string]string, error) {
	var all map[string]any
	if err := json.Unmarshal([]byte(message), &all); err != nil {
		return nil, invalid("Message Structure - JSON message body failed to parse")
	}
	texts := map[string]string{}
	for protocol, v := range all {
		if text, ok := v.(string); ok { // SNS passes over what is no text
			texts[protocol] = text
		}
	}
	if _, ok := texts["default"]; !ok {
		return nil, invalid("Message Structure - No default entry in JSON message body")
	}
	return texts, nil
}

var attributeName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,256}$`)

func attributeOf(name string, in types.MessageAttributeValue) (attribute, error) {
	a := attribute{Type: aws.ToString(in.DataType), Value: aws.ToString(in.StringValue)}
	kind, _, _ := strings.Cut(a.Type, ".")
	switch kind {
	case "String", "Number":
	case "Binary":
		a.Value = base64.StdEncoding.EncodeToString(in.BinaryValue)
	default:
		return a, refusedAttribute("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	}
	switch {
	case !attributeName.MatchString(name):
		return a, refusedAttribute("The message attribute name '%s' must have 1 to 256 letters, digits, underscores, hyphens and periods.", name)
	case a.Value == "":
		return a, refusedAttribute("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, a.Type)
	}
	if _, err := strconv.ParseFloat(a.Value, 64); err != nil && kind == "Number" {
		return a, refusedAttribute("Could not cast message attribute '%s' value to number.", name)
	}
	return a, nil
}

func refusedAttribute(format string, args ...any) error {
	return wire.Errorf("ParameterValueInvalid", format, args...)
}
