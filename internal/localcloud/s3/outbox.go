package s3

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/outbox"
	"steward/internal/localcloud/wire"
)

// Topics takes notifications. Publish returns when a message is kept durably; it
// may come twice. A *[wire.Error] means that another attempt is of no use.
type Topics interface {
	Publish(ctx context.Context, topicARN, subject, message string) error
}

var errNoTopics = errors.New("there is no SNS here")

// Notify says where notifications go, before the store serves, and sends those
// that wait. Without it, a bucket cannot have any.
func (s *Store) Notify(topics Topics) {
	s.topics = topics
	s.background.Go(func() { s.notices.Run(s.live) })
}

// openOutbox takes up the notifications that nobody has taken yet.
func (s *Store) openOutbox() (err error) {
	s.notices, err = outbox.Open(outbox.Config{DB: s.db, Bucket: "notifications", Send: s.send, Log: slog.Default()})
	return err
}

func (s *Store) send(ctx context.Context, topic string, body []byte) error {
	err := s.topics.Publish(ctx, topic, notificationSubject, string(body))
	if _, refused := errors.AsType[*wire.Error](err); refused {
		return outbox.Permanent(err)
	}
	return err
}

// post puts the records of a notification into the outbox: they are sent if the
// transaction commits.
func (s *Store) post(tx *bolt.Tx, topic string, records ...eventRecord) error {
	body, err := json.Marshal(map[string][]eventRecord{"Records": records})
	if err != nil {
		return err
	}
	return s.notices.Put(tx, topic, body)
}
