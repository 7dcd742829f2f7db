package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	bolt "go.etcd.io/bbolt"
)

// signatureVersion is the attribute that chooses how messages are signed.
const signatureVersion = "SignatureVersion"

// topicAttributes are those that may be set, with the values they may have; none
// means any. Policy and KmsMasterKeyId have no effect: there are no users and no keys.
var topicAttributes = map[string][]string{
	"DisplayName": nil, "Policy": nil, "KmsMasterKeyId": nil,
	signatureVersion: {"1", "2"}, "TracingConfig": {"PassThrough"}, "FifoTopic": {"false"}, "ContentBasedDeduplication": {"false"},
}

// knownAttributes are attributes of AWS that would change what is not offered.
var knownAttributes = []string{"DeliveryPolicy", "RedrivePolicy", "ReplayPolicy", "SubscriptionRoleArn", "ArchivePolicy", "FifoThroughputScope",
	"HTTPSuccessFeedbackRoleArn", "HTTPSuccessFeedbackSampleRate", "HTTPFailureFeedbackRoleArn"}

func checkTopicAttribute(field, name, value string) error {
	return checkAttribute(topicAttributes, field, name, value)
}

func checkAttribute(known map[string][]string, field, name, value string) error {
	values, ok := known[name]
	switch {
	case slices.Contains(knownAttributes, name):
		return invalid("%s Reason: %s is not supported by the local cloud: leave it out", field, name)
	case !ok:
		return invalid("%s Reason: unknown attribute %q", field, name)
	case len(values) > 0 && !slices.Contains(values, value):
		return invalid("%s Reason: %s: Invalid value [%s]. Must be one of %q", field, name, value, values)
	}
	return nil
}

func (s *Service) setTopicAttributes(_ context.Context, in *sns.SetTopicAttributesInput) (*sns.SetTopicAttributesOutput, error) {
	name, value := aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue)
	if err := checkTopicAttribute("AttributeName", name, value); err != nil {
		return nil, err
	}
	return &sns.SetTopicAttributesOutput{}, s.changeTopic(in.TopicArn, func(_ *bolt.Tx, t *topic) error {
		t.Attributes[name] = value
		return nil
	})
}

func (s *Service) getTopicAttributes(_ context.Context, in *sns.GetTopicAttributesInput) (*sns.GetTopicAttributesOutput, error) {
	var out *sns.GetTopicAttributesOutput
	err := s.db.View(func(tx *bolt.Tx) error {
		t, err := s.topic(tx, in.TopicArn)
		if err != nil {
			return err
		}
		subs, err := s.subscriptions(tx, t.ARN)
		if err != nil {
			return err
		}
		count := map[string]int{}
		for _, sub := range subs {
			count[sub.State]++
		}
		all := map[string]string{
			"TopicArn": t.ARN, "Owner": s.cfg.Account, "DisplayName": "", "Policy": s.defaultPolicy(t.ARN), "EffectiveDeliveryPolicy": s.deliveryPolicy(),
			"SubscriptionsConfirmed": strconv.Itoa(count[confirmed]), "SubscriptionsPending": strconv.Itoa(count[pending]), "SubscriptionsDeleted": strconv.Itoa(t.Deleted),
		}
		maps.Copy(all, t.Attributes)
		out = &sns.GetTopicAttributesOutput{Attributes: all}
		return nil
	})
	return out, err
}

// defaultPolicy is what AWS gives a new topic: its owner may do everything.
func (s *Service) defaultPolicy(arn string) string {
	return fmt.Sprintf(`{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},`+
		`"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],`+
		`"Resource":%q,"Condition":{"StringEquals":{"AWS:SourceOwner":%q}}}]}`, arn, s.cfg.Account)
}

// deliveryPolicy tells in AWS's form when deliveries are tried again.
func (s *Service) deliveryPolicy() string {
	first, last, attempts := s.deliveries.Schedule()
	policy, _ := json.Marshal(map[string]any{"http": map[string]any{"defaultHealthyRetryPolicy": map[string]any{ // numbers and texts
		"minDelayTarget": int(max(first/time.Second, 1)), "maxDelayTarget": int(max(last/time.Second, 1)), "numRetries": attempts - 1, "backoffFunction": "exponential",
	}}})
	return string(policy)
}
