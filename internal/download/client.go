// Package download fetches files by HTTP for a worker that follows other
// people's model files: only from hosts that its operator listed, and never so
// that such a file could make the worker read its own network.
package download

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"steward/internal/lifecycle"
)

// Host is a host that files may come from.
type Host struct {
	Name     string // host or host:port
	Plain    bool   // http is allowed; else https only
	Internal bool   // its addresses may be loopback, private or link-local
	Header   string // sent to this host and to no other; none when empty
	Value    string
}

// Limits of every download.
const (
	maxRedirects = 5
	defaultLimit = 20 << 30
	tries        = 5 // attempts of one download, each of which goes on where the last ended

	dialTimeout   = 10 * time.Second
	headerTimeout = time.Minute
)

// Client downloads files. Make it with New.
type Client struct {
	hosts map[string]Host // by address: host:port
	limit int64
	http  *http.Client

	pause time.Duration // before the second attempt, doubled for each further one
	watch time.Duration // how often the speed is looked at
	least int64         // bytes in that time, below which a server is too slow
}

// New returns a Client that downloads from hosts, at most limit bytes a file (20
// GiB when 0).
func New(hosts []Host, limit int64) *Client {
	c := &Client{hosts: map[string]Host{}, limit: cmp.Or(limit, defaultLimit), pause: time.Second, watch: 30 * time.Second, least: 30 << 10}
	for _, h := range hosts {
		if _, _, err := net.SplitHostPort(h.Name); err == nil {
			c.hosts[h.Name] = h
			continue
		}
		c.hosts[net.JoinHostPort(h.Name, "443")] = h
		if h.Plain {
			c.hosts[net.JoinHostPort(h.Name, "80")] = h
		}
	}
	c.http = &http.Client{
		Transport: signing{c, &http.Transport{
			DialContext: c.dial, TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: headerTimeout,
			DisableCompression: true, // the file is wanted as it lies there
			ForceAttemptHTTP2:  true, IdleConnTimeout: time.Minute,
		}},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return lifecycle.Fail(lifecycle.DataRejected, "more than %d redirects", maxRedirects)
			}
			_, err := c.allowed(r.URL)
			return err
		},
	}
	return c
}

// address is host:port.
func address(u *url.URL) string {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// allowed finds the host of an address, or lifecycle.Denied.
func (c *Client) allowed(u *url.URL) (Host, error) {
	h, listed := c.hosts[address(u)]
	switch {
	case !listed:
		return h, lifecycle.Fail(lifecycle.Denied, "host %s is not one that this worker may download from: its operator can list it in STEWARD_SOURCES", address(u))
	case u.User != nil:
		return h, lifecycle.Fail(lifecycle.Denied, "the address of host %s holds a name or password: have the worker's operator set a header in STEWARD_SOURCES instead", u.Host)
	case u.Scheme != "https" && (u.Scheme != "http" || !h.Plain):
		return h, lifecycle.Fail(lifecycle.Denied, "host %s may be asked by https only", address(u))
	}
	return h, nil
}

// signing adds the header of a host to what is sent to it. A redirect elsewhere
// does not take it along, since it was never in the request.
type signing struct {
	c    *Client
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (s signing) RoundTrip(r *http.Request) (*http.Response, error) {
	h, err := s.c.allowed(r.URL)
	if err != nil {
		return nil, err
	}
	if h.Header != "" {
		r = r.Clone(r.Context())
		r.Header.Set(h.Header, h.Value)
	}
	return s.next.RoundTrip(r)
}

// dial connects unless the host's name leads to an address inside.
func (c *Client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	h := c.hosts[addr]
	dialer := net.Dialer{Timeout: dialTimeout, Control: func(_, resolved string, _ syscall.RawConn) error {
		ip, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return fmt.Errorf("address %s of %s: %w", resolved, addr, err)
		}
		if !h.Internal && !public(ip.Addr()) {
			return lifecycle.Fail(lifecycle.Denied, "host %s is at %s, an internal address: its operator can allow that in STEWARD_SOURCES by `internal: true`", addr, ip.Addr())
		}
		return nil
	}}
	return dialer.DialContext(ctx, network, addr)
}

// inside are networks that netip has no word for: "this network", shared address
// space, protocol assignments, benchmarks, reserved, and NAT64, which leads to
// IPv4. Source: the IANA registries of special-purpose addresses (RFC 6890).
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
}

func public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, p := range inside {
		if p.Contains(ip) {
			return false
		}
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}
