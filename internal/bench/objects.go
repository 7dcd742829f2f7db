package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
)

// kib is the content of a small object.
func kib(seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // content, not secrets
	return fmt.Appendf(nil, "%01024x", random.Uint64())
}

// beside runs a case with a cloud and a bare server.
func beside(ctx context.Context, l lab, measure func(c *localCloud, bare *child, dir string) ([]result, error)) (_ []result, err error) {
	c, err := startCloud(ctx, l)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	dir := filepath.Join(l.dir, "bare")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	bare, err := startBare(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = bare.stop() }() // a signal is its only end
	return measure(c, bare, dir)
}

// measurePut stores new objects of 1 KiB. The peer is a bare server that stores
// each in a file of its own; both have synced what they acknowledge.
func measurePut(ctx context.Context, l lab) ([]result, error) {
	return beside(ctx, l, func(c *localCloud, bare *child, _ string) ([]result, error) {
		body, n := kib(1), make([]int, clients)
		ours := func(ctx context.Context, i int) error {
			n[i]++
			return c.put(ctx, fmt.Sprintf("/%s/put/%d/%d", bucket, i, n[i]), body)
		}
		mine, theirs, err := compare(ctx, l, "put", ours, sending(c.client, message{http.MethodPut, bare.url() + "/put", nil, body}))
		return []result{{ours: mine.rate, peer: theirs.rate, unit: "/s", least: 0.25, floor: 1000}}, err
	})
}

// small is how many objects are read in turns.
const small = 256

// measureGet reads objects of 1 KiB. The peer is a bare server.
func measureGet(ctx context.Context, l lab) ([]result, error) {
	return beside(ctx, l, func(c *localCloud, bare *child, dir string) ([]result, error) {
		var ours, theirs []message
		for n := range small {
			body, path := kib(uint64(n)), fmt.Sprintf("/%s/get/%d", bucket, n)
			if err := c.put(ctx, path, body); err != nil {
				return nil, err
			}
			get, err := c.signed(ctx, "s3", http.MethodGet, path, nil, nil)
			if err != nil {
				return nil, err
			}
			if got, err := get.send(ctx, c.client); err != nil || !bytes.Equal(got, body) {
				return nil, errors.Join(fmt.Errorf("%s is not what was put", path), err)
			}
			name := fmt.Sprint(n)
			if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
				return nil, err
			}
			ours, theirs = append(ours, get), append(theirs, message{http.MethodGet, bare.url() + "/" + name, get.header, nil})
		}
		mine, peer, err := compare(ctx, l, "get", sending(c.client, ours...), sending(c.client, theirs...))
		return []result{{ours: mine.rate, peer: peer.rate, unit: "/s", least: 0.25, floor: 3000}}, err
	})
}

func (c *localCloud) put(ctx context.Context, path string, body []byte) error {
	m, err := c.signed(ctx, "s3", http.MethodPut, path, body, nil)
	if err != nil {
		return err
	}
	_, err = m.send(ctx, c.client)
	return err
}
