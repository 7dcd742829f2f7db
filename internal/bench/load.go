package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"golang.org/x/sync/errgroup"
)

// Closed loops: each client asks again when it was answered.
const (
	clients = 8
	rounds  = 5
)

// speed is what a round measured.
type speed struct {
	rate float64 // answers a second
	p99  float64 // of an answer, in ms
}

// loop lets all clients ask for a while.
func loop(ctx context.Context, d time.Duration, ask func(ctx context.Context, client int) error) (speed, error) {
	took := make([][]float64, clients)
	begin := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for i := range clients {
		g.Go(func() error {
			for time.Since(begin) < d {
				asked := time.Now()
				if err := ask(ctx, i); err != nil {
					return err
				}
				took[i] = append(took[i], milliseconds(time.Since(asked)))
			}
			return nil
		})
	}
	err := g.Wait()
	elapsed := time.Since(begin)
	var all []float64
	for _, t := range took {
		all = append(all, t...)
	}
	if err != nil || len(all) == 0 {
		return speed{}, err
	}
	return speed{float64(len(all)) / elapsed.Seconds(), p99(all)}, nil
}

// asking is what a client does again and again.
type asking func(ctx context.Context, client int) error

// compare runs ours and the peer in turns, after a short round of each to warm
// up, and returns the medians.
func compare(ctx context.Context, l lab, what string, ours, peer asking) (mine, theirs speed, err error) {
	for _, ask := range []asking{ours, peer} {
		if _, err := loop(ctx, l.spell/5, ask); err != nil {
			return mine, theirs, err
		}
	}
	var rates, p99s [2][]float64
	for round := range rounds {
		for i := range 2 {
			who := (i + round) % 2
			s, err := loop(ctx, l.spell, []asking{ours, peer}[who])
			if err != nil {
				return mine, theirs, err
			}
			rates[who], p99s[who] = append(rates[who], s.rate), append(p99s[who], s.p99)
		}
		l.say("%s: round %d of %d: %.0f/s beside %.0f/s, p99 %.2f ms beside %.2f ms", what, round+1, rounds, rates[0][round], rates[1][round], p99s[0][round], p99s[1][round])
	}
	return speed{median(rates[0]), median(p99s[0])}, speed{median(rates[1]), median(p99s[1])}, nil
}

// message is a request that can be sent again and again: for the 15 minutes that
// a signature lasts nothing in it changes.
type message struct {
	method, url string
	header      http.Header
	body        []byte
}

// send fails unless it is answered 200.
func (m message) send(ctx context.Context, client *http.Client) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, m.method, m.url, bytes.NewReader(m.body))
	if err != nil {
		return nil, err
	}
	req.Header = m.header
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", m.method, m.url, resp.Status, answer)
	}
	_ = resp.Body.Close()
	return answer, err
}

// sending sends several messages in turn.
func sending(client *http.Client, messages ...message) asking {
	turn := make([]int, clients)
	return func(ctx context.Context, i int) error {
		turn[i]++
		_, err := messages[(turn[i]*clients+i)%len(messages)].send(ctx, client)
		return err
	}
}

// signed is a message with a signature for a service.
func (c *localCloud) signed(ctx context.Context, service, method, path string, body []byte, header http.Header) (message, error) {
	m := message{method, c.url() + path, header.Clone(), body}
	req, err := http.NewRequestWithContext(ctx, method, m.url, bytes.NewReader(body))
	if err != nil {
		return m, err
	}
	if m.header == nil {
		m.header = http.Header{}
	}
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	m.header.Set("X-Amz-Content-Sha256", digest)
	req.Header = m.header
	err = v4.NewSigner().SignHTTP(ctx, c.keys, req, digest, service, "us-east-1", time.Now(), func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
	return m, err
}
