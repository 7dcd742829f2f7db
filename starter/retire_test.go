package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/apiclient"
)

func TestAwaitGone(t *testing.T) {
	const (
		away = "" // the gateway cannot reach Temporal
		at   = `{"retired":{"author":"oli"}}`
		gone = `{"retired":{"author":"oli"},"gone":"2026-01-01T00:00:00Z"}`
	)
	for _, tt := range []struct {
		name     string
		answers  []string // the last one stays
		patience time.Duration
		want     int
		says     string
	}{
		{"it takes a while", []string{at, at, gone}, time.Minute, exitOK, ""},
		{"the gateway is away for a while", []string{at, away, away, gone}, time.Minute, exitOK, ""},
		{"the gateway stays away", []string{at, away}, time.Millisecond, exitUnreachable, "steward status m"},
		{"it came back", []string{at, `{}`}, time.Minute, exitError, "declared it anew"},
		{"it failed", []string{at, `{"problem":{"type":"Timeout","message":"the endpoint stays"}}`}, time.Minute,
			exitError, "m is not retired, something of it may still serve: Timeout: the endpoint stays"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answers := tt.answers
			g := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				answer := answers[0]
				if len(answers) > 1 {
					answers = answers[1:]
				}
				if answer == away {
					w.WriteHeader(http.StatusServiceUnavailable)
					answer = `{"type":"Unavailable","message":"Temporal does not answer"}`
				}
				_, _ = w.Write([]byte(answer))
			}))
			defer g.Close()
			r := retiring{every: time.Millisecond, patience: tt.patience}
			_, err := r.awaitGone(t.Context(), apiclient.New(g.URL, ""), "m")
			require.Equal(t, tt.want, exitCode(err), "%v", err)
			if tt.says != "" {
				require.ErrorContains(t, err, tt.says)
			}
		})
	}
}
