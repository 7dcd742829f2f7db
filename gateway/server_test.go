package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"github.com/uber-go/tally/v4"
	"go.temporal.io/sdk/client"

	"steward/internal/lifecycle"
)

func TestNewNamesWhatIsMissing(t *testing.T) {
	_, err := New(Config{})
	for _, field := range []string{"Addr", "Temporal", "Users", "Signer", "Ledger", "Packs", "Load"} {
		require.ErrorContains(t, err, "Config."+field+" is missing")
	}
}

func TestTakenAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	cfg := newSite(t).cfg
	cfg.Listener, cfg.Addr = nil, taken.Addr().String()
	_, err = New(cfg)
	require.ErrorContains(t, err, "address already in use; choose another address")
}

func TestSessionKeyOfWrongLength(t *testing.T) {
	cfg := newSite(t).cfg
	cfg.SessionKey = []byte("short")
	_, err := New(cfg)
	require.ErrorContains(t, err, "session key has 5 bytes")
}

// TestServeDrains stops the gateway while a request is under way: the request
// ends well, then Serve returns.
func TestServeDrains(t *testing.T) {
	s := newSite(t)
	begun, finish := make(chan struct{}), make(chan struct{})
	s.temporal.On("QueryWorkflow", mock.Anything, "model/m", "", lifecycle.StateQuery).
		Run(func(mock.Arguments) { close(begun); <-finish }).Return(answers{lifecycle.ModelState{Author: "ana"}}, nil)
	ctx, stop := context.WithCancel(t.Context())
	served, answered := make(chan error, 1), make(chan string, 1)
	go func() { served <- s.Serve(ctx) }()
	go func() { answered <- get(s.URL()+"/v1/models/m", "ana") }()
	<-begun
	stop()
	select {
	case err := <-served:
		t.Fatalf("Serve returned %v with a request under way", err)
	default:
	}
	close(finish)
	require.Contains(t, <-answered, `"author":"ana"`)
	require.NoError(t, <-served)
	require.Contains(t, get(s.URL()+"/healthz", ""), "refused")
}

// get returns what an address answers, or the error.
func get(url, token string) string {
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return err.Error()
	}
	return string(body)
}

func TestReady(t *testing.T) {
	s := newSite(t)
	s.temporal.On("CheckHealth", mock.Anything, mock.Anything).Return(&client.CheckHealthResponse{}, nil).Once()
	require.Equal(t, 200, s.ask("", "GET", "/readyz", "").Code)
	s.temporal.On("CheckHealth", mock.Anything, mock.Anything).Return(nil, errors.New("down"))
	rec := s.ask("", "GET", "/readyz", "")
	require.Equal(t, 503, rec.Code)
	require.Equal(t, Unavailable, refusalIn(t, rec).Type)
}

func TestPanicIsAnInternalError(t *testing.T) {
	s := newSite(t)
	s.temporal.On("QueryWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Panic("secret")
	rec := s.ask("ana", "GET", "/v1/models/m", "")
	require.Equal(t, 500, rec.Code)
	require.Equal(t, Internal, refusalIn(t, rec).Type)
	require.Contains(t, s.log.String(), "secret")
	require.Contains(t, s.log.String(), rec.Header().Get("X-Request-Id"))
}

func TestRequestsAreCounted(t *testing.T) {
	s := newSite(t)
	scope := tally.NewTestScope("", nil)
	s.cfg.Scope = scope
	s.ask("", "GET", "/healthz", "")
	counters := scope.Snapshot().Counters()
	require.Equal(t, int64(1), counters["http_requests+method=GET,route=/healthz,status=200"].Value(), "%v", counters)
}

// Whoever has no token must not be able to make the metrics grow.
func TestMadeUpRequestsShareTheirCounters(t *testing.T) {
	s := newSite(t)
	scope := tally.NewTestScope("", nil)
	s.cfg.Scope = scope
	for i := range 20 {
		n := strconv.Itoa(i)
		s.ask("", "BREW"+n, "/healthz", "")
		s.ask("", "GET", "/nowhere/"+n, "")
		s.ask("", "GET", "/models/"+n, "")
		s.ask("aud", "GET", "/nowhere/"+n, "")
		s.ask("aud", "DELETE", "/v1/models/m"+n, "")
		s.ask("", "GET", "/assets/"+n, "")
	}
	counters := scope.Snapshot().Counters()
	require.LessOrEqual(t, len(counters), 6, "%v", counters)
	require.Contains(t, counters, "http_requests+method=other,route=/healthz,status=405")
}

// An answer is given up before its connection is, and a page does not wait long
// for the ledger.
func TestDeadlines(t *testing.T) {
	require.Less(t, answerWithin, writeWithin)
	s := newSite(t)
	s.sample(sampleModel(), sampleRelease())
	for path, limit := range map[string]time.Duration{"/v1/models/flight-delay/ledger": answerWithin, "/models/flight-delay": tailWithin} {
		before := time.Now()
		require.Equal(t, 200, s.ask("aud", "GET", path, "").Code)
		require.WithinRange(t, s.archive.until, before, time.Now().Add(limit), path)
	}
}

// Whoever leaves before the answer is no error of ours, but one that takes too
// long is.
func TestWhoLeavesIsNoError(t *testing.T) {
	for _, left := range []bool{true, false} {
		s := newSite(t)
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		failure := context.DeadlineExceeded
		if left {
			failure = context.Canceled
		}
		s.temporal.On("QueryWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Run(func(mock.Arguments) {
			if left {
				leave()
			}
		}).Return(nil, failure)
		req := httptest.NewRequestWithContext(ctx, "GET", "/v1/models/m", nil)
		req.Header.Set("Authorization", "Bearer aud")
		s.handler.ServeHTTP(httptest.NewRecorder(), req)
		require.Equal(t, !left, strings.Contains(s.log.String(), `"level":"ERROR"`), s.log.String())
		require.Contains(t, s.log.String(), `"status":503`)
	}
}

func TestChangesAreLogged(t *testing.T) {
	s := newSite(t)
	s.updates(lifecycle.ModelState{}, nil, nil)
	s.ask("oli", "POST", "/v1/models/m/pause", `{"reason": "x"}`)
	require.Contains(t, s.log.String(), `"path":"/v1/models/m/pause","status":200`)
	require.Contains(t, s.log.String(), `"subject":"oli"`)
}
