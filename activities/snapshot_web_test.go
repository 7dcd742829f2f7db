package activities

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/cloud"
	"steward/internal/download"
	"steward/internal/lifecycle"
)

// webSite serves one text that can be changed, and counts whole answers.
type webSite struct {
	*httptest.Server
	text atomic.Value
	sent atomic.Int32
}

func newWebSite(t *testing.T, text string) *webSite {
	t.Helper()
	s := &webSite{}
	s.text.Store(text)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := s.text.Load().(string)
		sum := sha256.Sum256([]byte(text))
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
		if r.Header.Get("If-None-Match") == "" {
			s.sent.Add(1)
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestSnapshotOfADownload(t *testing.T) {
	site := newWebSite(t, flights(0, 300))
	objects := cloud.NewObjects(startCloud(t).S3)
	host := download.Host{Name: strings.TrimPrefix(site.URL, "http://"), Plain: true, Internal: true}
	data := &Data{Objects: objects, Bucket: testBucket, Web: download.New([]download.Host{host}, 0)}
	env := environment(t, data)
	in := flightData(site.URL + "/flights.csv")
	take := func(of lifecycle.Of) lifecycle.Snapshot {
		return run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: of, Data: in})
	}
	a := take(first)
	require.Equal(t, []lifecycle.SourceUse{{Name: "flights", Files: 1, New: 1, Rows: 300}}, a.Sources)
	doc := readLineage(t, data, a)
	require.Equal(t, site.URL+"/flights.csv", doc.Files[0].Source)
	require.Regexp(t, `^"[0-9a-f]+"$`, doc.Files[0].Version)

	same := take(second)
	require.Equal(t, a.Digest, same.Digest)
	require.Equal(t, []lifecycle.SourceUse{{Name: "flights", Files: 1, New: 0, Rows: 300}}, same.Sources)
	require.Equal(t, int32(1), site.sent.Load(), "an unchanged file is not sent again")

	site.text.Store(flights(0, 400))
	sum := sha256.Sum256([]byte(flights(0, 300)))
	in.Sources[0].SHA256 = hex.EncodeToString(sum[:])
	_, err := try(env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: second, Data: in})
	require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, "it is not the file that was meant")
	in.Sources[0].SHA256 = ""
	require.Equal(t, int64(400), take(second).Rows)

	site.Close()
	parts := run(t, env, data.PrepareParts, lifecycle.PrepareInput{Of: first, Data: in, Snapshot: a})
	require.Equal(t, int64(180), parts.Train.Rows, "the snapshot needs its source no more")

	data.Web = nil
	_, err = try(env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: second, Data: in})
	require.Equal(t, lifecycle.Denied, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, "source flights: download "+site.URL)
	require.ErrorContains(t, err, "STEWARD_SOURCES")
}
