package sns

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/outbox"
	"steward/internal/localcloud/wire"
)

// otherProtocols are those of AWS that are not offered.
var otherProtocols = []string{"email", "email-json", "sms", "sqs", "application", "lambda", "firehose"}

// subscribe adds a receiver to a topic and asks it to confirm. One that is there
// already is asked again or, if it has confirmed, given as it is.
func (s *Service) subscribe(ctx context.Context, in *sns.SubscribeInput) (*sns.SubscribeOutput, error) {
	if err := s.checkReceiver(ctx, aws.ToString(in.Protocol), aws.ToString(in.Endpoint)); err != nil {
		return nil, err
	}
	for name, value := range in.Attributes {
		if err := checkSubscriptionAttribute("Attributes", name, value); err != nil {
			return nil, err
		}
	}
	var sub *subscription
	err := s.db.Update(func(tx *bolt.Tx) error {
		t, err := s.topic(tx, in.TopicArn)
		if err != nil {
			return err
		}
		if sub, err = s.subscriber(tx, t.ARN, in); err != nil || sub.State == confirmed {
			return err
		}
		sub.Expires = s.cfg.Now().Add(tokenLife)
		return errors.Join(write(tx, subscriptionBucket, sub.ARN, sub),
			s.put(tx, sub, s.control(confirmationType, sub, "You have chosen to subscribe to the topic "+t.ARN+
				".\nTo confirm the subscription, visit the SubscribeURL included in this message.")))
	})
	if err != nil {
		return nil, err
	}
	if sub.State == pending && !in.ReturnSubscriptionArn {
		return &sns.SubscribeOutput{SubscriptionArn: aws.String("pending confirmation")}, nil
	}
	return &sns.SubscribeOutput{SubscriptionArn: &sub.ARN}, nil
}

// lookupTimeout is how long the name of a receiver may take to resolve.
const lookupTimeout = 5 * time.Second

func (s *Service) checkReceiver(ctx context.Context, protocol, endpoint string) error {
	switch {
	case slices.Contains(otherProtocols, protocol):
		return invalid("Protocol Reason: %s is not supported by the local cloud: use http or https", protocol)
	case protocol != "http" && protocol != "https":
		return invalid("Amazon SNS does not support this protocol string: %s", protocol)
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return invalid("Endpoint Reason: %q is not a URL such as http://127.0.0.1:8000/alerts", endpoint)
	}
	if u.Scheme != protocol {
		return invalid("Endpoint must match the specified protocol")
	}
	if s.cfg.Anywhere {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	if err := outbox.OnThisMachine(ctx, u.Hostname()); err != nil {
		return invalid("Endpoint Reason: %q: %v: use 127.0.0.1, or start the local cloud with --remote-receivers", endpoint, err)
	}
	return nil
}

// subscriber gives the subscription that a request asks for, a new one if there is
// none.
func (s *Service) subscriber(tx *bolt.Tx, topicARN string, in *sns.SubscribeInput) (*subscription, error) {
	subs, err := s.subscriptions(tx, topicARN)
	if err != nil {
		return nil, err
	}
	for _, sub := range subs {
		if sub.State == ended || sub.Protocol != *in.Protocol || sub.Endpoint != *in.Endpoint {
			continue
		}
		if len(in.Attributes) > 0 && !within(in.Attributes, sub.Attributes) {
			return nil, invalid("Attributes Reason: Subscription already exists with different attributes")
		}
		return sub, nil
	}
	sub := &subscription{ARN: topicARN + ":" + uuid.NewString(), Topic: topicARN, Protocol: *in.Protocol, Endpoint: *in.Endpoint,
		Attributes: map[string]string{}, State: pending, Token: newToken()}
	maps.Copy(sub.Attributes, in.Attributes)
	return sub, nil
}

func newToken() string {
	b := make([]byte, 128)
	_, _ = rand.Read(b) // it does not fail
	return hex.EncodeToString(b)
}

// confirm is ConfirmSubscription by a signed request.
func (s *Service) confirm(_ context.Context, in *sns.ConfirmSubscriptionInput) (*sns.ConfirmSubscriptionOutput, error) {
	return s.confirmed(in, true)
}

// confirmed begins a subscription, or begins one again that was ended. A token may be
// used more than once.
func (s *Service) confirmed(in *sns.ConfirmSubscriptionInput, signed bool) (*sns.ConfirmSubscriptionOutput, error) {
	var arn string
	err := s.db.Update(func(tx *bolt.Tx) error {
		t, err := s.topic(tx, in.TopicArn)
		if err != nil {
			return err
		}
		subs, err := s.subscriptions(tx, t.ARN)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(subs, func(sub *subscription) bool { return sub.Token == aws.ToString(in.Token) })
		if at < 0 {
			return invalid("Token")
		}
		sub := subs[at]
		if arn = sub.ARN; sub.State == confirmed {
			return nil
		}
		sub.State, sub.Authenticated = confirmed, signed
		sub.Guarded = signed && aws.ToString(in.AuthenticateOnUnsubscribe) == "true"
		return write(tx, subscriptionBucket, sub.ARN, sub)
	})
	return &sns.ConfirmSubscriptionOutput{SubscriptionArn: &arn}, err
}

// unsubscribe is Unsubscribe by a signed request.
func (s *Service) unsubscribe(_ context.Context, in *sns.UnsubscribeInput) (*sns.UnsubscribeOutput, error) {
	return s.end(in, true)
}

// end ends a subscription and tells its receiver how to take that back. One that is
// not there is fine, as on AWS.
func (s *Service) end(in *sns.UnsubscribeInput, signed bool) (*sns.UnsubscribeOutput, error) {
	err := s.db.Update(func(tx *bolt.Tx) error {
		sub, err := s.subscription(tx, in.SubscriptionArn)
		if e, ok := errors.AsType[*wire.Error](err); ok && e.Code == "NotFound" {
			return nil
		}
		if err != nil {
			return err
		}
		if sub.Guarded && !signed {
			return &wire.Error{Code: "AuthorizationError", Message: "Not authorized: the subscription asks for a signed request", Status: http.StatusForbidden}
		}
		t, err := read[topic](tx, topicBucket, sub.Topic)
		if err != nil {
			return err
		}
		t.Deleted++
		if err := write(tx, topicBucket, t.ARN, t); err != nil || sub.State == pending {
			return errors.Join(err, tx.Bucket(subscriptionBucket).Delete([]byte(sub.ARN)))
		}
		sub.State, sub.Token, sub.Expires = ended, newToken(), s.cfg.Now().Add(tokenLife)
		return errors.Join(write(tx, subscriptionBucket, sub.ARN, sub),
			s.put(tx, sub, s.control(unsubscribedType, sub, "You have chosen to deactivate subscription "+sub.ARN+
				".\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.")))
	})
	return &sns.UnsubscribeOutput{}, err
}
