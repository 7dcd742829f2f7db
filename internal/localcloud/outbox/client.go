package outbox

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Client posts messages to receivers of this machine, or anywhere. What it sends is
// asked for by whoever may call the local cloud, from where that runs; so by default
// it connects to the loopback interface only, whatever name a receiver goes by and
// however that is resolved, follows no redirects and uses no proxy. An attempt takes
// at most timeout.
func Client(timeout time.Duration, anywhere bool) *http.Client {
	transport := &http.Transport{IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: timeout}
	dialer := &net.Dialer{Timeout: timeout}
	if !anywhere {
		dialer.Control = onlyLoopback
	}
	transport.DialContext = dialer.DialContext
	return &http.Client{Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// onlyLoopback sees the address that a connection is made to.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err == nil && at.Addr().Unmap().IsLoopback() {
		return nil
	}
	return Permanent(fmt.Errorf("%s is not on the loopback interface of this machine", address))
}

// OnThisMachine refuses the name or IP address of a host that does not resolve, or
// not to this machine's loopback interface only.
func OnThisMachine(ctx context.Context, host string) error {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return err
	}
	for _, ip := range ips {
		if !ip.Unmap().IsLoopback() {
			return fmt.Errorf("%s (%s) is not on the loopback interface of this machine", host, ip.Unmap())
		}
	}
	return nil
}
