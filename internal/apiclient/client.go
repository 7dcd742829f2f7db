// Package apiclient speaks the gateway's HTTP API for programs: the command and
// the examples. It has one method a route, in the types of package lifecycle,
// and keeps the gateway's errors as they are.
package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// patience is how long one answer may take; the gateway itself gives up sooner.
const patience = time.Minute

// Client speaks to one gateway for one person or machine. It may be used from
// any goroutine.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// New returns a client of the gateway at base, such as http://127.0.0.1:8080,
// that shows token with every request.
func New(base, token string) *Client {
	return &Client{base: strings.TrimRight(base, "/"), token: token, http: &http.Client{Timeout: patience}}
}

// path joins the parts of a route, each escaped.
func path(parts ...any) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(fmt.Sprint(p)))
	}
	return b.String()
}

// call sends in as JSON, unless it is nil, and reads the answer as a T.
func call[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var out T
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return out, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	answer, err := c.do(ctx, method, path, "application/json", body)
	if err != nil {
		return out, err
	}
	if len(answer) == 0 {
		return out, nil
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, fmt.Errorf("%s %s: the answer is no JSON of this version's API: %w", method, path, err)
	}
	return out, nil
}

// do sends one request and returns the body of a 2xx answer.
func (c *Client) do(ctx context.Context, method, path, contentType string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("gateway address %q: %w", c.base, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unreachable(ctx, c.base, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, unreachable(ctx, c.base, err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, refusal(resp.StatusCode, answer)
	}
	return answer, nil
}
