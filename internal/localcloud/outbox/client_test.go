package outbox

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClientStaysOnThisMachine(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:9")
	asked := make(chan string, 8)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(server.Close)
	post := func(c *http.Client, to string) (int, error) {
		t.Cleanup(c.CloseIdleConnections)
		resp, err := c.Post(to, "text/plain", strings.NewReader("x"))
		if err != nil {
			return 0, err
		}
		return resp.StatusCode, resp.Body.Close()
	}
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	for _, host := range []string{"127.0.0.1", "localhost"} {
		status, err := post(Client(time.Second, false), "http://"+net.JoinHostPort(host, at.Port())+"/here")
		require.NoError(t, err, host)
		require.Equal(t, http.StatusTemporaryRedirect, status)
		require.Equal(t, "/here", <-asked)
	}
	require.Empty(t, asked, "a redirect is an answer")

	// 192.0.2.1 is for documentation, 0.0.0.0 reaches this machine on all interfaces.
	for _, far := range []string{"192.0.2.1", "[2001:db8::1]", "0.0.0.0"} {
		_, err := post(Client(time.Second, false), "http://"+far+":"+at.Port())
		require.ErrorContains(t, err, "is not on the loopback interface of this machine")
		require.True(t, isPermanent(err), far)
	}
	_, err = post(Client(time.Second, true), "http://0.0.0.0:"+at.Port()+"/anywhere")
	require.NoError(t, err, "unless it may go anywhere")
	require.Equal(t, "/anywhere", <-asked)
}

func TestOnThisMachine(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "localhost"} {
		require.NoError(t, OnThisMachine(t.Context(), host), host)
	}
	for _, host := range []string{"192.0.2.1", "0.0.0.0", "2001:db8::1", "169.254.169.254", "no.such.host.invalid"} {
		require.Error(t, OnThisMachine(t.Context(), host), host)
	}
}
