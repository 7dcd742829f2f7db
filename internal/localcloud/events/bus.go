package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/outbox"
	"steward/internal/localcloud/wire"
)

// attemptTimeout is how long a URL may take, as for EventBridge's API destinations.
const attemptTimeout = 5 * time.Second

// maxReply bounds what is read of an answer, so that its connection can be used again.
const maxReply = 64 << 10

// Topics takes the events for SNS topics. A *[wire.Error] means that another attempt
// is of no use.
type Topics interface {
	Publish(ctx context.Context, topicARN, subject, message string) error
}

// Config says where events are kept and where they go.
type Config struct {
	DB              *bolt.DB
	Region, Account string
	Rules           []Rule
	Topics          Topics // nil if no rule names a topic
	Log             *slog.Logger
	First           time.Duration // see [outbox.Config]
}

// Event is what happened, as EventBridge writes it.
type Event struct {
	Version    string    `json:"version"`
	ID         string    `json:"id"`
	DetailType string    `json:"detail-type"`
	Source     string    `json:"source"`
	Account    string    `json:"account"`
	Time       time.Time `json:"time"`
	Region     string    `json:"region"`
	Resources  []string  `json:"resources"`
	Detail     any       `json:"detail"`
}

// Bus takes events and delivers them.
type Bus struct {
	cfg    Config
	queue  *outbox.Queue
	client *http.Client
}

// Open takes up the events that were not delivered yet; Run delivers them.
func Open(cfg Config) (*Bus, error) {
	b := &Bus{cfg: cfg, client: outbox.Client(attemptTimeout, false)}
	var err error
	b.queue, err = outbox.Open(outbox.Config{DB: cfg.DB, Bucket: "events", Send: b.send, First: cfg.First, Log: cfg.Log})
	return b, err
}

// Run delivers until ctx ends.
func (b *Bus) Run(ctx context.Context) {
	b.queue.Run(ctx)
	b.client.CloseIdleConnections()
}

// Wanted tells whether any rule matches.
func (b *Bus) Wanted(source, detailType string) bool {
	return slices.ContainsFunc(b.cfg.Rules, func(r Rule) bool { return r.matches(source, detailType) })
}

// Put adds an event to a transaction: it is delivered if that commits, once to each
// target. What the caller does not know of it is filled in.
func (b *Bus) Put(tx *bolt.Tx, e Event) error {
	e.Version, e.ID, e.Account, e.Region = "0", uuid.NewString(), b.cfg.Account, b.cfg.Region
	e.Time = e.Time.UTC().Truncate(time.Second)
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("event %s: %w", e.DetailType, err)
	}
	sent := map[string]bool{}
	for _, r := range b.cfg.Rules {
		if sent[r.Target] || !r.matches(e.Source, e.DetailType) {
			continue
		}
		sent[r.Target] = true
		if err := b.queue.Put(tx, r.Target, text); err != nil {
			return err
		}
	}
	return nil
}

// send delivers an event to a target, if any rule still names that.
func (b *Bus) send(ctx context.Context, target string, event []byte) error {
	i := slices.IndexFunc(b.cfg.Rules, func(r Rule) bool { return r.Target == target })
	switch {
	case i < 0:
		return nil
	case !b.cfg.Rules[i].toTopic():
		return b.post(ctx, b.cfg.Rules[i], event)
	case b.cfg.Topics == nil:
		return outbox.Permanent(errors.New("there is no SNS"))
	}
	err := b.cfg.Topics.Publish(ctx, target, "", string(event))
	if _, refused := errors.AsType[*wire.Error](err); refused {
		return outbox.Permanent(err)
	}
	return err
}

// transient are the answers below 500 after which an event is sent again.
var transient = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests}

// post takes any 2xx for a delivery. Other answers below 500 are the target's word
// that it will not have the event, unless it is busy or does not know the credentials
// of the rule, which are perhaps being changed.
func (b *Bus) post(ctx context.Context, to Rule, event []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.Target, bytes.NewReader(event))
	if err != nil {
		return outbox.Permanent(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("User-Agent", "Amazon/EventBridge/ApiDestinations")
	if name, value, ok := strings.Cut(to.Header, ":"); ok {
		r.Header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, maxReply) // what it says does not matter
	code := resp.StatusCode
	failure := fmt.Errorf("%s answered %s", r.URL.Redacted(), resp.Status)
	switch {
	case code/100 == 2:
		return nil
	case code >= 500, slices.Contains(transient, code):
		return failure
	default:
		return outbox.Permanent(failure)
	}
}
