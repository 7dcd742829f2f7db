package events_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/events"
)

func TestLoad(t *testing.T) {
	for _, x := range []struct{ text, says string }{
		{`[{"target": "http://127.0.0.1:8000/x", "header": "Authorization: Bearer s"}, {"detail-type": "SageMaker *", "target": "arn:aws:sns:us-east-1:000000000000:t"}]`, ""},
		{`[{"target": "http://localhost/x"}]`, ""},
		{`{"target": "x"}`, "line 1 or after"},
		{`[{"target": "http://127.0.0.1/", "pattern": "x"}]`, `unknown field "pattern"`},
		{`[] []`, "more follows the list"},
		{`[{"target": "http://127.0.0.1/"}, {"target": "http://example.com/"}]`, `rule 2: target "http://example.com/" is neither`},
		{`[{"target": "arn:aws:sqs:us-east-1:000000000000:q"}]`, "is neither the ARN of an SNS topic nor a URL of this machine"},
		{`[{"target": "http://127.0.0.1/"}, {"target": "http://127.0.0.1/", "header": "A: b"}]`, "rule 2: its target http://127.0.0.1/ has another header in rule 1: give both the same"},
		{`[{"target": "http://127.0.0.1/", "header": "nothing"}]`, `write it as "Name: value"`},
		{`[{"target": "arn:aws:sns:us-east-1:000000000000:t", "header": "A: b"}]`, `header "A" goes with a URL only`},
	} {
		path := filepath.Join(t.TempDir(), "events.json")
		require.NoError(t, os.WriteFile(path, []byte(x.text), 0o600))
		rules, err := events.Load(path)
		if x.says != "" {
			require.ErrorContains(t, err, x.says)
			require.ErrorContains(t, err, path)
			continue
		}
		require.NoError(t, err)
		require.NotEmpty(t, rules)
	}
	_, err := events.Load(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// topics keeps what it is given.
type topics chan string

func (s topics) Publish(_ context.Context, topic, subject, message string) error {
	s <- topic + "|" + subject + "|" + message
	return nil
}

// bus runs a bus on a database until the test or stop ends it.
func bus(t *testing.T, db *bolt.DB, to events.Topics, rules ...events.Rule) (b *events.Bus, stop func()) {
	b, err := events.Open(events.Config{DB: db, Region: "eu-west-1", Account: "123456789012", Rules: rules, Topics: to, Log: slog.New(slog.DiscardHandler), First: time.Millisecond})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); b.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return b, stop
}

func happen(t *testing.T, db *bolt.DB, b *events.Bus, kind string) {
	require.NoError(t, db.Update(func(tx *bolt.Tx) error {
		return b.Put(tx, events.Event{Source: "aws.sagemaker", DetailType: kind, Time: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Resources: []string{"arn"}, Detail: map[string]string{"a": "b"}})
	}))
}

func TestEventsReachTheTargetsOfTheRulesThatMatch(t *testing.T) {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	type request struct{ body, authorization, kind string }
	got := make(chan request, 10)
	var status atomic.Int32
	status.Store(http.StatusServiceUnavailable)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		got <- request{string(body), r.Header.Get("Authorization"), r.Header.Get("Content-Type")}
		w.WriteHeader(int(status.Load()))
	}))
	t.Cleanup(server.Close)
	const topic = "arn:aws:sns:eu-west-1:123456789012:t"
	rules := []events.Rule{{Source: "aws.*", DetailType: "SageMaker Training*", Target: server.URL, Header: "Authorization: Bearer secret"},
		{DetailType: "* Job *", Target: server.URL}, {DetailType: "SageMaker Transform*", Target: topic}, {Source: "aws.s3", Target: topic}}
	told := make(topics, 10)
	b, stop := bus(t, db, told, rules...)
	require.True(t, b.Wanted("aws.sagemaker", "SageMaker Transform Job State Change"))
	require.False(t, b.Wanted("aws.sagemaker", "SageMaker Endpoint State Change"))

	happen(t, db, b, "SageMaker Training Job State Change")
	first := <-got
	for _, later := range []int32{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests} {
		status.Store(later)
		for range 3 { // of which one at least was answered so
			require.Equal(t, first, <-got, "sent again until it is taken")
		}
	}
	require.Equal(t, "Bearer secret", first.authorization)
	require.Equal(t, "application/json; charset=utf-8", first.kind)
	var e map[string]any
	require.NoError(t, json.Unmarshal([]byte(first.body), &e))
	require.Regexp(t, `^[0-9a-f-]{36}$`, e["id"])
	delete(e, "id")
	require.Equal(t, map[string]any{"version": "0", "detail-type": "SageMaker Training Job State Change", "source": "aws.sagemaker", "account": "123456789012",
		"time": "2026-01-02T03:04:05Z", "region": "eu-west-1", "resources": []any{"arn"}, "detail": map[string]any{"a": "b"}}, e)

	stop() // it was not taken: the next bus has it
	status.Store(http.StatusOK)
	for len(got) > 0 {
		<-got
	}
	b, _ = bus(t, db, told, rules...)
	require.Equal(t, first, <-got)
	require.Empty(t, told)

	happen(t, db, b, "SageMaker Transform Job State Change")
	require.Contains(t, <-told, topic+`||{"version":"0"`)
	<-got // the second rule is on that address too
	happen(t, db, b, "SageMaker Endpoint State Change")
	happen(t, db, b, "SageMaker Training Job State Change")
	require.Contains(t, (<-got).body, "Training Job", "nobody has asked for endpoints, and one target gets an event once")
	require.Empty(t, got)
}
