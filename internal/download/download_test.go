package download

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

// content is more than any buffer on the way.
var content = bytes.Repeat([]byte("flight,late\n"), 200_000)

// site serves one handler and is listed as a host.
func site(t *testing.T, handler http.HandlerFunc) (*httptest.Server, Host) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s, Host{Name: strings.TrimPrefix(s.URL, "http://"), Plain: true, Internal: true}
}

func client(limit int64, hosts ...Host) *Client {
	c := New(hosts, limit)
	c.pause, c.watch, c.least = time.Millisecond, 50*time.Millisecond, 1000
	return c
}

func get(t *testing.T, c *Client, uri, known string) (File, []byte, error) {
	t.Helper()
	dir := t.TempDir()
	f, err := c.Fetch(t.Context(), uri, known, dir, io.Discard)
	left, readErr := os.ReadDir(dir)
	require.NoError(t, readErr)
	if err != nil || f.Same {
		require.Empty(t, left, "nothing is left behind")
		return f, nil, err
	}
	b, err := os.ReadFile(f.Name)
	require.NoError(t, err)
	sum := sha256.Sum256(b)
	require.Equal(t, hex.EncodeToString(sum[:]), f.SHA256)
	require.Equal(t, int64(len(b)), f.Bytes)
	return f, b, nil
}

func TestFetch(t *testing.T) {
	date := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tag := range map[string]string{"by tag": `"v1"`, "by weak tag": `W/"v1"`, "by date": ""} {
		t.Run(name, func(t *testing.T) {
			sent := 0
			s, host := site(t, func(w http.ResponseWriter, r *http.Request) {
				require.Equal(t, "identity", r.Header.Get("Accept-Encoding"))
				if tag != "" {
					w.Header().Set("ETag", tag)
				}
				http.ServeContent(w, r, "a.csv", date, bytes.NewReader(content))
				sent++
			})
			c := client(0, host)
			f, b, err := get(t, c, s.URL+"/a.csv", "")
			require.NoError(t, err)
			require.Equal(t, content, b)
			require.NotEmpty(t, f.Version)
			again, _, err := get(t, c, s.URL+"/a.csv", f.Version)
			require.NoError(t, err)
			require.Equal(t, File{Same: true, Version: f.Version}, again)
			other, b, err := get(t, c, s.URL+"/a.csv", map[string]string{"": "modified Mon, 01 Jan 2024 00:00:00 GMT"}[tag])
			require.NoError(t, err)
			require.Equal(t, content, b)
			require.Equal(t, f.Version, other.Version)
		})
	}
}

// cut sends all it is asked for but breaks off the first answers after n bytes.
func cut(times, n int, version func(try int) string, asked *[]string) http.HandlerFunc {
	try := 0
	return func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Header.Get("Range"))
		w.Header().Set("ETag", version(try))
		try++
		if try <= times {
			w.Header().Set("Content-Length", strconv.Itoa(len(content)))
			if from := r.Header.Get("Range"); from != "" {
				at, _ := strconv.Atoi(strings.Trim(from, "bytes=-"))
				w.Header().Set("Content-Length", strconv.Itoa(len(content)-at))
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(content)-1, len(content)))
				w.WriteHeader(http.StatusPartialContent)
				_, _ = w.Write(content[at : at+n])
			} else {
				_, _ = w.Write(content[:n])
			}
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "a.csv", time.Time{}, bytes.NewReader(content))
	}
}

func TestFetchGoesOnAfterAnInterruption(t *testing.T) {
	var asked []string
	s, host := site(t, cut(3, 100_000, func(int) string { return `"v1"` }, &asked))
	_, b, err := get(t, client(0, host), s.URL+"/a.csv", "")
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, b))
	require.Len(t, asked, 4)
	require.NotEmpty(t, asked[1], "it asks for the rest: %v", asked)
}

func TestFetchOfAFileThatChangesInTheMiddle(t *testing.T) {
	var asked []string
	s, host := site(t, cut(1, 100_000, func(try int) string { return fmt.Sprintf("%q", strconv.Itoa(min(try, 1))) }, &asked))
	f, b, err := get(t, client(0, host), s.URL+"/a.csv", "")
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, b), "the new one from its beginning, not half of each")
	require.Equal(t, `"1"`, f.Version)
}

func TestFetchNeverJoinsWhatCannotBeProvenTheSame(t *testing.T) {
	for name, tag := range map[string]string{"weak": `W/"v1"`, "none": ""} {
		var asked []string
		s, host := site(t, cut(1, 100_000, func(int) string { return tag }, &asked))
		_, b, err := get(t, client(0, host), s.URL+"/a.csv", "")
		require.NoError(t, err, name)
		require.True(t, bytes.Equal(content, b), name)
		require.Equal(t, []string{"", ""}, asked, name)
	}
}

func TestFetchGivesUp(t *testing.T) {
	tries := func(n *atomic.Int32, answer http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { n.Add(1); answer(w, r) }
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		limit  int64
		kind   string
		says   string
		tries  int32
	}{
		"no such file": {status(404), 0, lifecycle.DataRejected, "/a.csv?x=1: the server answers 404 Not Found", 1},
		"not allowed":  {status(403), 0, lifecycle.DataRejected, "403 Forbidden: the operator can set a header", 1},
		"broken":       {status(503), 0, "", "503 Service Unavailable", tries0},
		"declared too large": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2400000")
			_, _ = w.Write(content)
		}, 1000, lifecycle.DataRejected, "larger than 1000 bytes", 1},
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			_, _ = w.Write(content)
		}, 1000, lifecycle.DataRejected, "larger than 1000 bytes", 1},
		"always cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("x"))
			panic(http.ErrAbortHandler)
		}, 0, "", "EOF", tries0},
		"another part": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v"`)
			if r.Header.Get("Range") == "" {
				w.Header().Set("Content-Length", "10")
				_, _ = w.Write([]byte("12345"))
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Content-Range", "bytes 7-9/10")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write([]byte("890"))
		}, 0, "", "", tries0},
		"slow loris": {func(w http.ResponseWriter, r *http.Request) {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("x"))
				w.(http.Flusher).Flush()
				<-tick.C
			}
		}, 0, "", "which is too slow", tries0},
		"redirects without end": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/a.csv?x=1", http.StatusFound)
		}, 0, lifecycle.DataRejected, "more than 5 redirects", 6},
		"redirect to another host": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		}, 0, lifecycle.Denied, "host 169.254.169.254:80 is not one that this worker may download from", 1},
		"redirect to a file": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		}, 0, lifecycle.Denied, "is not one that this worker may download from", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int32
			s, host := site(t, tries(&n, tt.answer))
			_, _, err := get(t, client(tt.limit, host), s.URL+"/a.csv?x=1", "")
			require.ErrorContains(t, err, tt.says)
			require.Equal(t, tt.kind, lifecycle.ErrorType(err), "%v", err)
			require.Equal(t, tt.tries, n.Load())
		})
	}
}

const tries0 = int32(tries)

func TestFetchAsksListedHostsOnly(t *testing.T) {
	s, host := site(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) })
	port := host.Name[strings.LastIndex(host.Name, ":"):]
	outside := host
	outside.Internal = false
	secure := host
	secure.Plain = false
	for name, tt := range map[string]struct {
		hosts []Host
		uri   string
		says  string
	}{
		"none listed":       {nil, s.URL, "is not one that this worker may download from"},
		"other port":        {[]Host{{Name: "127.0.0.1", Plain: true, Internal: true}}, s.URL, "is not one that"},
		"other name of it":  {[]Host{host}, "http://localhost" + port, "host localhost" + port + " is not one"},
		"another scheme":    {[]Host{host}, "ftp" + strings.TrimPrefix(s.URL, "http"), "may be asked by https only"},
		"in plain text":     {[]Host{secure}, s.URL, "may be asked by https only"},
		"inside":            {[]Host{outside}, s.URL, "is at 127.0.0.1, an internal address"},
		"a name for inside": {[]Host{{Name: "localhost" + port, Plain: true}}, "http://localhost" + port, "an internal address"},
		"with a password":   {[]Host{host}, strings.Replace(s.URL, "//", "//user:hush@", 1), "holds a name or password"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := get(t, client(0, tt.hosts...), tt.uri, "")
			require.ErrorContains(t, err, tt.says)
			require.Equal(t, lifecycle.Denied, lifecycle.ErrorType(err))
			require.NotContains(t, err.Error(), "hush")
		})
	}
}

func TestSecretsGoToTheirHostOnly(t *testing.T) {
	var there atomic.Value
	other, to := site(t, func(w http.ResponseWriter, r *http.Request) {
		there.Store(r.Header.Get("X-Api-Key") + r.Header.Get("X-Other"))
		_, _ = w.Write(content)
	})
	s, host := site(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "hush", r.Header.Get("X-Api-Key"))
		http.Redirect(w, r, other.URL, http.StatusFound)
	})
	host.Header, host.Value = "X-Api-Key", "hush"
	to.Header, to.Value = "X-Other", "own"
	_, b, err := get(t, client(0, host, to), s.URL, "")
	require.NoError(t, err)
	require.Len(t, b, len(content))
	require.Equal(t, "own", there.Load())
}

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1": true, "127.0.0.1": false, "::1": false, "10.0.0.1": false, "172.16.0.1": false,
		"192.168.1.1": false, "169.254.169.254": false, "fe80::1%eth0": false, "fd00:ec2::254": false, "0.0.0.0": false, "::": false,
		"100.64.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false,
		"64:ff9b::7f00:1": false, "198.18.0.1": false, "2002:7f00:1::": false,
	} {
		require.Equal(t, want, public(netip.MustParseAddr(text)), text)
	}
}

// FuzzAllowed holds that no way to write an address leads past the list.
func FuzzAllowed(f *testing.F) {
	for _, uri := range []string{"https://listed.example/a", "http://listed.example:80/", "https://LISTED.example:443", "https://listed.example@evil/", "https://evil/?listed.example"} {
		f.Add(uri)
	}
	c := New([]Host{{Name: "listed.example"}}, 0)
	f.Fuzz(func(t *testing.T, uri string) {
		r, err := http.NewRequest(http.MethodGet, uri, http.NoBody)
		if err != nil {
			return
		}
		if _, err := c.allowed(r.URL); err == nil {
			require.Equal(t, "https", r.URL.Scheme)
			require.Equal(t, "listed.example:443", address(r.URL))
			require.Nil(t, r.URL.User)
		}
	})
}
