package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

var notice = lifecycle.Notice{
	Of: lifecycle.Of{Model: "fraud", Release: 3}, Kind: lifecycle.NoticeApproval, To: []string{"data-scientist"},
	Text: "release 3 waits for you", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
}

// receiver notes what is posted to it and answers status.
type receiver struct {
	*httptest.Server
	status int
	got    []lifecycle.Notice
	keys   []string
}

func newReceiver(t *testing.T, status int) *receiver {
	r := &receiver{status: status}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var n lifecycle.Notice
		if json.NewDecoder(q.Body).Decode(&n) == nil && q.Method == http.MethodPost {
			r.got, r.keys = append(r.got, n), append(r.keys, q.Header.Get("Idempotency-Key"))
		}
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func TestEveryReceiverGetsTheNotice(t *testing.T) {
	own, extra := newReceiver(t, 200), newReceiver(t, 204)
	var log bytes.Buffer
	n := New(slog.New(slog.NewTextHandler(&log, nil)), own.URL+"/token-one")
	sent := notice
	sent.URL = extra.URL + "/token-two"
	require.NoError(t, n.Send(context.Background(), sent))
	require.Equal(t, []lifecycle.Notice{notice}, own.got)
	require.Equal(t, []lifecycle.Notice{notice}, extra.got)
	require.Equal(t, own.keys, extra.keys)
	require.Contains(t, log.String(), "release 3 waits for you")
	require.NotContains(t, log.String(), "token")
}

func TestOneReceiverFailing(t *testing.T) {
	own, extra := newReceiver(t, 503), newReceiver(t, 200)
	n := New(slog.New(slog.DiscardHandler), own.URL+"/secret")
	sent := notice
	sent.URL = extra.URL
	err := n.Send(context.Background(), sent)
	require.ErrorContains(t, err, "503 Service Unavailable")
	require.NotContains(t, err.Error(), "secret")
	require.Len(t, extra.got, 1, "a failing receiver does not silence the other")
	_ = n.Send(context.Background(), sent)
	require.Equal(t, extra.keys[0], extra.keys[1], "a repeat is recognisable")
}

func TestAnswersAndAddresses(t *testing.T) {
	gone := newReceiver(t, 200)
	gone.Close()
	for _, tt := range []struct {
		name, address, want string
		kind                string
	}{
		{"redirect", newReceiver(t, 302).URL, "302", ""},
		{"refused", newReceiver(t, 404).URL, "404", ""},
		{"nobody listens", gone.URL + "/hook/secret", "refused", ""},
		{"not http", "ftp://example.com/secret", "not an http or https URL", lifecycle.Invalid},
		{"no host", "https:secret", "not an http or https URL", lifecycle.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := New(slog.New(slog.DiscardHandler), tt.address).Send(context.Background(), notice)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "secret")
			require.Equal(t, tt.kind, lifecycle.ErrorType(err))
		})
	}
}

func TestAHangingReceiverIsLeft(t *testing.T) {
	block := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(block) })
	n := New(slog.New(slog.DiscardHandler), server.URL)
	require.Equal(t, timeout, n.client.Timeout)
	n.client.Timeout = 20 * time.Millisecond
	require.ErrorContains(t, n.Send(context.Background(), notice), "Timeout exceeded")
}
