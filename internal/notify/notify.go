// Package notify tells people: always in the log, and by webhook where one is
// set. How often to try again is the caller's business.
package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"steward/internal/lifecycle"
)

// timeout is the most that a webhook may take to answer.
const timeout = 10 * time.Second

// Notifier sends notices. The zero value of Webhook means that only the log and
// the address in a notice are used.
type Notifier struct {
	Log     *slog.Logger
	Webhook string // address that gets every notice, from the configuration

	client http.Client
}

// New returns a Notifier with a webhook of its own, or "" for none.
func New(log *slog.Logger, webhook string) *Notifier {
	return &Notifier{Log: log, Webhook: webhook, client: http.Client{
		Timeout: timeout,
		// A redirect would turn the POST into a GET: it is an answer like any other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Send logs a notice and posts it, as the JSON of lifecycle.Notice, to the
// configured webhook and to the address in the notice. A receiver may get a
// notice twice when another one failed; the header Idempotency-Key is the same
// then. An address that is no http or https URL is lifecycle.Invalid; any answer
// but 2xx is an error with its status. Addresses hold secrets, so errors and
// log name only their host.
func (n *Notifier) Send(ctx context.Context, notice lifecycle.Notice) error {
	n.Log.InfoContext(ctx, notice.Text, "kind", notice.Kind, "model", notice.Model,
		"release", notice.Release, "to", strings.Join(notice.To, ", "))
	key, err := lifecycle.Digest(notice)
	if err != nil {
		return err
	}
	targets := []string{n.Webhook}
	if notice.URL != n.Webhook {
		targets = append(targets, notice.URL)
	}
	notice.URL = "" // one receiver need not know the other's address
	body, err := json.Marshal(notice)
	if err != nil {
		return fmt.Errorf("notice %s: %w", notice.Kind, err)
	}
	var problems []error
	for _, target := range targets {
		if target != "" {
			problems = append(problems, n.post(ctx, target, key, body))
		}
	}
	return join(problems)
}

func (n *Notifier) post(ctx context.Context, target, key string, body []byte) error {
	address, err := url.Parse(target)
	if err != nil || address.Host == "" || (address.Scheme != "http" && address.Scheme != "https") {
		return lifecycle.Fail(lifecycle.Invalid, "webhook: the address is not an http or https URL: correct notify.webhook in the model file or the configuration")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("webhook at %s: the address cannot be used", address.Host)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	answer, err := n.client.Do(request)
	if err != nil {
		return fmt.Errorf("webhook at %s: %w", address.Host, withoutURL(err))
	}
	defer func() { _ = answer.Body.Close() }()
	// Reading a little of the answer lets the connection be used again.
	_, _ = io.CopyN(io.Discard, answer.Body, 4<<10)
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("webhook at %s: answered %s", address.Host, answer.Status)
	}
	return nil
}

// withoutURL takes the address, which may hold a secret, out of a client error.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// join keeps a single error as it is, so that its type stays visible.
func join(problems []error) error {
	var real []error
	for _, err := range problems {
		if err != nil {
			real = append(real, err)
		}
	}
	if len(real) == 1 {
		return real[0]
	}
	return errors.Join(real...)
}
