package sns

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/outbox"
)

// maxReply bounds what is read of a receiver's answer, so that its connection can be
// used again.
const maxReply = 64 << 10

// deliver sends one letter. One whose subscription or topic is gone, or has changed
// meanwhile so that it does not matter any more, is dropped.
func (s *Service) deliver(ctx context.Context, _ string, body []byte) error {
	var l letter
	if err := json.Unmarshal(body, &l); err != nil {
		return outbox.Permanent(fmt.Errorf("a letter is damaged: %w", err))
	}
	sub, t, err := s.receiver(l.Subscription)
	if errors.Is(err, errMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	wanted := map[string]string{notificationType: confirmed, confirmationType: pending, unsubscribedType: ended}
	if sub.State != wanted[l.Type] {
		return nil
	}
	r, err := s.request(ctx, l, sub, t)
	if err != nil {
		return err
	}
	return s.send(r)
}

func (s *Service) receiver(arn string) (sub *subscription, t *topic, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		if sub, err = read[subscription](tx, subscriptionBucket, arn); err != nil {
			return err
		}
		t, err = read[topic](tx, topicBucket, sub.Topic)
		return err
	})
	return sub, t, err
}

// request is a letter in the form that its subscription asks for.
func (s *Service) request(ctx context.Context, l letter, sub *subscription, t *topic) (*http.Request, error) {
	raw := l.Type == notificationType && sub.Attributes[rawDelivery] == "true"
	body := []byte(l.Message)
	if !raw {
		e, err := s.seal(l, t)
		if err != nil {
			return nil, err
		}
		if body, err = e.text(); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.Endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, outbox.Permanent(err)
	}
	r.Header.Set("Content-Type", "text/plain; charset=UTF-8")
	r.Header.Set("User-Agent", "Amazon Simple Notification Service Agent")
	r.Header.Set("X-Amz-Sns-Message-Type", l.Type)
	r.Header.Set("X-Amz-Sns-Message-Id", l.ID)
	r.Header.Set("X-Amz-Sns-Topic-Arn", t.ARN)
	if l.Type != confirmationType {
		r.Header.Set("X-Amz-Sns-Subscription-Arn", sub.ARN)
	}
	if raw {
		r.Header.Set("X-Amz-Sns-Rawdelivery", "true")
	}
	return r, nil
}

// send takes any 2xx for a delivery. Other answers below 500 are the receiver's word
// that it will not have the message, unless it is busy.
func (s *Service) send(r *http.Request) error {
	resp, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, maxReply) // what it says does not matter
	switch code := resp.StatusCode; {
	case code/100 == 2:
		return nil
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		return fmt.Errorf("%s answered %s", r.URL.Redacted(), resp.Status)
	default:
		return outbox.Permanent(fmt.Errorf("%s answered %s", r.URL.Redacted(), resp.Status))
	}
}
