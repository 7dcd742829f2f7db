package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
)

// hopArgument makes this program a bare hop, and nothing else.
const hopArgument = "forward-bare"

// startHop starts a peer of an endpoint: the standard library's reverse proxy in
// front of a server, which checks, measures and captures nothing.
func startHop(ctx context.Context, to string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return startChild(exec.CommandContext(ctx, self, hopArgument, to), "forwards at ", func(line string) (string, error) {
		_, address, _ := strings.Cut(line, "forwards at ")
		return address, nil
	})
}

func forwardBare(to string) error {
	target, err := url.Parse(to)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "forwards at "+l.Addr().String())
	proxy := httputil.ReverseProxy{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
	}
	return http.Serve(l, &proxy) //nolint:gosec // a peer on the loopback interface needs no time-outs
}
