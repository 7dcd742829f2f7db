package sns

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	bolt "go.etcd.io/bbolt"
)

// Attributes of subscriptions.
const (
	rawDelivery  = "RawMessageDelivery"
	filterPolicy = "FilterPolicy"
)

var subscriptionAttributes = map[string][]string{rawDelivery: {"true", "false"}, filterPolicy: nil, "FilterPolicyScope": {"MessageAttributes"}}

func checkSubscriptionAttribute(field, name, value string) error {
	if name == filterPolicy && value != "" {
		if _, err := parseFilter(value); err != nil {
			return err
		}
	}
	return checkAttribute(subscriptionAttributes, field, name, value)
}

func (s *Service) listSubscriptions(_ context.Context, in *sns.ListSubscriptionsInput) (*sns.ListSubscriptionsOutput, error) {
	list, next, err := s.page("", in.NextToken)
	return &sns.ListSubscriptionsOutput{Subscriptions: list, NextToken: next}, err
}

func (s *Service) listByTopic(_ context.Context, in *sns.ListSubscriptionsByTopicInput) (*sns.ListSubscriptionsByTopicOutput, error) {
	err := s.db.View(func(tx *bolt.Tx) error {
		_, err := s.topic(tx, in.TopicArn)
		return err
	})
	if err != nil {
		return nil, err
	}
	list, next, err := s.page(*in.TopicArn+":", in.NextToken)
	return &sns.ListSubscriptionsByTopicOutput{Subscriptions: list, NextToken: next}, err
}

// page lists subscriptions whose ARN has a prefix; a token is the last ARN of the page
// before.
func (s *Service) page(prefix string, token *string) (list []types.Subscription, next *string, err error) {
	list = []types.Subscription{}
	last, now := "", s.cfg.Now()
	err = s.db.View(func(tx *bolt.Tx) error {
		return each(tx, subscriptionBucket, prefix, aws.ToString(token), func(sub *subscription) bool {
			if sub.State == ended || sub.over(now) {
				return true
			}
			if len(list) == pageSize {
				next = &last
				return false
			}
			last = sub.ARN
			shown := &sub.ARN
			if sub.State == pending {
				shown = aws.String("PendingConfirmation")
			}
			list = append(list, types.Subscription{SubscriptionArn: shown, TopicArn: &sub.Topic, Protocol: &sub.Protocol, Endpoint: &sub.Endpoint, Owner: &s.cfg.Account})
			return true
		})
	})
	return list, next, err
}

func (s *Service) getSubscriptionAttributes(_ context.Context, in *sns.GetSubscriptionAttributesInput) (*sns.GetSubscriptionAttributesOutput, error) {
	var out *sns.GetSubscriptionAttributesOutput
	err := s.db.View(func(tx *bolt.Tx) error {
		sub, err := s.subscription(tx, in.SubscriptionArn)
		if err != nil {
			return err
		}
		all := map[string]string{
			"SubscriptionArn": sub.ARN, "TopicArn": sub.Topic, "Owner": s.cfg.Account, "Protocol": sub.Protocol, "Endpoint": sub.Endpoint,
			"PendingConfirmation": strconv.FormatBool(sub.State == pending), "ConfirmationWasAuthenticated": strconv.FormatBool(sub.Authenticated),
			"SubscriptionPrincipal": "arn:aws:iam::" + s.cfg.Account + ":user/local", "EffectiveDeliveryPolicy": s.deliveryPolicy(), rawDelivery: "false",
		}
		for name, value := range sub.Attributes {
			all[name] = value
		}
		if all[filterPolicy] != "" {
			all["FilterPolicyScope"] = "MessageAttributes"
		}
		out = &sns.GetSubscriptionAttributesOutput{Attributes: all}
		return nil
	})
	return out, err
}

func (s *Service) setSubscriptionAttributes(_ context.Context, in *sns.SetSubscriptionAttributesInput) (*sns.SetSubscriptionAttributesOutput, error) {
	name, value := aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue)
	if err := checkSubscriptionAttribute("AttributeName", name, value); err != nil {
		return nil, err
	}
	return &sns.SetSubscriptionAttributesOutput{}, s.db.Update(func(tx *bolt.Tx) error {
		sub, err := s.subscription(tx, in.SubscriptionArn)
		if err != nil {
			return err
		}
		sub.Attributes[name] = value
		if name == filterPolicy && value == "" {
			delete(sub.Attributes, name)
		}
		return errors.Join(write(tx, subscriptionBucket, sub.ARN, sub))
	})
}
