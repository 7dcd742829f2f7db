package sns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"steward/internal/localcloud/outbox"
	"steward/internal/localcloud/wire"
)

// Namespace is that of SNS's answers.
const Namespace = "http://sns.amazonaws.com/doc/2010-03-31/"

// Path is where the service answers requests without signature: the certificate of
// its messages, and the addresses in them that confirm and end a subscription.
const Path = "/_local/sns/"

// attemptTimeout is how long a receiver may take, as on AWS.
const attemptTimeout = 15 * time.Second

// Config says where the service keeps its state and how it is reached.
type Config struct {
	Dir, Region, Account string
	URL                  string // such as http://127.0.0.1:4566
	Anywhere             bool   // endpoints may be on other machines
	Log                  *slog.Logger

	// First, Last and Attempts say when deliveries are tried again: see
	// [outbox.Config].
	First, Last time.Duration
	Attempts    int
	Now         func() time.Time // the clock of subscriptions, time.Now if nil
}

// Service is the running service.
type Service struct {
	cfg        Config
	db         *bolt.DB
	deliveries *outbox.Queue
	client     *http.Client

	cancel  context.CancelFunc
	running sync.WaitGroup

	signing sync.Mutex
	signer  *signer // made when it is needed
}

// Open takes up the topics and undelivered messages in a directory, and makes it if
// it is not there.
func Open(cfg Config) (*Service, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("sns: %w", err)
	}
	path := filepath.Join(cfg.Dir, "sns.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("sns: %s is in use: another local cloud runs on this directory; stop it or choose another directory", path)
	}
	if err != nil {
		return nil, fmt.Errorf("sns: open %s: %w", path, err)
	}
	s := &Service{cfg: cfg, db: db, client: outbox.Client(attemptTimeout, cfg.Anywhere)}
	if err := s.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("sns: open %s: %w", path, err), db.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.running.Go(func() { s.deliveries.Run(ctx) })
	return s, nil
}

func (s *Service) load() error {
	err := s.db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{topicBucket, subscriptionBucket, keyBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return s.purge(tx)
	})
	if err != nil {
		return err
	}
	s.deliveries, err = outbox.Open(outbox.Config{DB: s.db, Bucket: "deliveries", Send: s.deliver,
		First: s.cfg.First, Last: s.cfg.Last, Attempts: s.cfg.Attempts, Log: s.cfg.Log})
	return err
}

// Close ends the deliveries; what was not delivered is kept.
func (s *Service) Close() error {
	s.cancel()
	s.running.Wait()
	s.client.CloseIdleConnections()
	return s.db.Close()
}

// Operations are the operations of SNS that this cloud offers.
func (s *Service) Operations() wire.Operations {
	return wire.Operations{
		"CreateTopic":               wire.Op(s.createTopic),
		"DeleteTopic":               wire.Op(s.deleteTopic),
		"ListTopics":                wire.Op(s.listTopics),
		"GetTopicAttributes":        wire.Op(s.getTopicAttributes),
		"SetTopicAttributes":        wire.Op(s.setTopicAttributes),
		"Subscribe":                 wire.Op(s.subscribe),
		"ConfirmSubscription":       wire.Op(s.confirm),
		"Unsubscribe":               wire.Op(s.unsubscribe),
		"ListSubscriptions":         wire.Op(s.listSubscriptions),
		"ListSubscriptionsByTopic":  wire.Op(s.listByTopic),
		"GetSubscriptionAttributes": wire.Op(s.getSubscriptionAttributes),
		"SetSubscriptionAttributes": wire.Op(s.setSubscriptionAttributes),
		"Publish":                   wire.Op(s.publish),
		"PublishBatch":              wire.Op(s.publishBatch),
		"TagResource":               wire.Op(s.tag),
		"UntagResource":             wire.Op(s.untag),
		"ListTagsForResource":       wire.Op(s.listTags),
	}
}

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf("InvalidParameter", "Invalid parameter: "+format, args...)
}

func notFound(what string) *wire.Error {
	return &wire.Error{Code: "NotFound", Message: what + " does not exist", Status: http.StatusNotFound}
}
