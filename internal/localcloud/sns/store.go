package sns

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	bolt "go.etcd.io/bbolt"
)

var (
	topicBucket        = []byte("topics")
	subscriptionBucket = []byte("subscriptions") // by ARN, which begins with the topic's
	keyBucket          = []byte("keys")
)

// topic is the record of a topic.
type topic struct {
	ARN        string
	Attributes map[string]string
	Tags       map[string]string
	Deleted    int // subscriptions that were ended
}

// subscription is the record of a subscription.
type subscription struct {
	ARN, Topic, Protocol, Endpoint string
	Attributes                     map[string]string
	State                          string
	// Token confirms the subscription, or restores one that was ended, until Expires.
	Token   string
	Expires time.Time
	// Authenticated tells that a signed request confirmed it, Guarded that only a
	// signed request may end it.
	Authenticated, Guarded bool
}

// States of a subscription.
const (
	pending   = "pending"
	confirmed = "confirmed"
	ended     = "ended"
)

// tokenLife is how long a token may be used, as on AWS.
const tokenLife = 48 * time.Hour

// over tells whether nothing can bring a subscription to life any more.
func (s *subscription) over(now time.Time) bool {
	return s.State != confirmed && !now.Before(s.Expires)
}

var errMissing = errors.New("does not exist")

func read[T any](tx *bolt.Tx, bucket []byte, key string) (*T, error) {
	data := tx.Bucket(bucket).Get([]byte(key))
	if data == nil {
		return nil, errMissing
	}
	return parse[T](bucket, key, data)
}

func parse[T any](bucket []byte, key string, data []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(data, v); err != nil {
		return nil, fmt.Errorf("record %s/%s is damaged: %w", bucket, key, err)
	}
	return v, nil
}

func write(tx *bolt.Tx, bucket []byte, key string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("record %s/%s: %w", bucket, key, err)
	}
	return tx.Bucket(bucket).Put([]byte(key), data)
}

// each gives the records whose keys have a prefix and are above a key, in order,
// until f tells to stop.
func each[T any](tx *bolt.Tx, bucket []byte, prefix, above string, f func(*T) (more bool)) error {
	c := tx.Bucket(bucket).Cursor()
	for k, data := c.Seek([]byte(max(prefix, above))); bytes.HasPrefix(k, []byte(prefix)) && k != nil; k, data = c.Next() {
		if string(k) == above {
			continue
		}
		v, err := parse[T](bucket, string(k), data)
		if err != nil {
			return err
		}
		if !f(v) {
			return nil
		}
	}
	return nil
}

// subscriptions gives the subscriptions of a topic that are not over.
func (s *Service) subscriptions(tx *bolt.Tx, topicARN string) ([]*subscription, error) {
	var list []*subscription
	now := s.cfg.Now()
	err := each(tx, subscriptionBucket, topicARN+":", "", func(sub *subscription) bool {
		if !sub.over(now) {
			list = append(list, sub)
		}
		return true
	})
	return list, err
}

// purge forgets subscriptions that are over.
func (s *Service) purge(tx *bolt.Tx) error {
	var gone []string
	err := each(tx, subscriptionBucket, "", "", func(sub *subscription) bool {
		if sub.over(s.cfg.Now()) {
			gone = append(gone, sub.ARN)
		}
		return true
	})
	for _, arn := range gone {
		err = errors.Join(err, tx.Bucket(subscriptionBucket).Delete([]byte(arn)))
	}
	return err
}

// topic reads a topic by its ARN, with AWS's words if there is none.
func (s *Service) topic(tx *bolt.Tx, arn *string) (*topic, error) {
	if err := checkARN("TopicArn", arn); err != nil {
		return nil, err
	}
	t, err := read[topic](tx, topicBucket, *arn)
	if errors.Is(err, errMissing) {
		return nil, notFound("Topic")
	}
	return t, err
}

// changeTopic edits a topic in one transaction.
func (s *Service) changeTopic(arn *string, edit func(tx *bolt.Tx, t *topic) error) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		t, err := s.topic(tx, arn)
		if err != nil {
			return err
		}
		if err := edit(tx, t); err != nil {
			return err
		}
		return write(tx, topicBucket, t.ARN, t)
	})
}

// subscription reads one that is there for its subscriber.
func (s *Service) subscription(tx *bolt.Tx, arn *string) (*subscription, error) {
	if err := checkARN("SubscriptionArn", arn); err != nil {
		return nil, err
	}
	sub, err := read[subscription](tx, subscriptionBucket, *arn)
	if errors.Is(err, errMissing) || err == nil && (sub.State == ended || sub.over(s.cfg.Now())) {
		return nil, notFound("Subscription")
	}
	return sub, err
}

func checkARN(field string, arn *string) error {
	if n := len(strings.Split(aws.ToString(arn), ":")); n < 6 {
		return invalid("%s Reason: An ARN must have at least 6 elements, not %d", field, n)
	}
	return nil
}
