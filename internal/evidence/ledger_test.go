package evidence

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
	"steward/internal/localcloud/s3"
	"steward/internal/localcloud/wire"
)

const bucket = "steward"

// store is a bucket of the local cloud. Lose, when set, is asked before the
// answer to a request is delivered: true drops the answer, not the request.
type store struct {
	*cloud.Objects
	client *awss3.Client
	mu     sync.Mutex
	lose   func(*http.Request) bool
	seen   []string // method and path of every request
}

func newStore(t *testing.T) *store {
	t.Helper()
	disk, err := s3.Open(t.TempDir())
	require.NoError(t, err)
	handler, err := disk.Handler(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	s := &store{}
	server := httptest.NewServer(s.unreliable(wire.NewRouter(wire.Verifier{AccessKey: "key", SecretKey: "secret"}, wire.S3(handler))))
	t.Cleanup(func() { server.Close(); require.NoError(t, disk.Close()) })
	s.client = awss3.New(awss3.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	s.Objects = cloud.NewObjects(s.client)
	require.NoError(t, s.EnsureBucket(t.Context(), bucket))
	return s
}

func (s *store) unreliable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.Method+" "+r.URL.Path)
		lose := s.lose != nil && s.lose(r)
		s.mu.Unlock()
		if !lose {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
}

// losing sets which answers get lost from now on.
func (s *store) losing(lose func(*http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose = lose
}

// requests returns what was asked for since the last time.
func (s *store) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}

func (s *store) delete(t *testing.T, uri string) {
	t.Helper()
	_, err := s.client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(strings.TrimPrefix(uri, "s3://"+bucket+"/"))})
	require.NoError(t, err)
}

func entry(id string) lifecycle.Entry {
	return lifecycle.Entry{ID: id, Model: "fraud", Kind: lifecycle.EntryAlert, Actor: "test", Text: "entry <" + id + "> & more",
		At:   time.Date(2026, 3, 4, 5, 6, 7, 89, time.FixedZone("somewhere", 3600)),
		Data: map[string]any{"big": int64(1) << 60, "share": 0.1, "nested": struct{ B, A int }{1, 2}}}
}

func TestConcurrentAppends(t *testing.T) {
	const writers, each = 8, 25
	s := newStore(t)
	shared := NewLedger(s.Objects, bucket)
	var group sync.WaitGroup
	failed := make(chan error, writers*each)
	for w := range writers {
		ledger := shared
		if w%2 == 0 { // half of the writers are processes of their own
			ledger = NewLedger(s.Objects, bucket)
		}
		group.Go(func() {
			for i := range each {
				if _, err := ledger.Append(context.Background(), entry(fmt.Sprintf("%d/%d", w, i))); err != nil {
					failed <- err
				}
			}
		})
	}
	group.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	entries, err := shared.Audit(t.Context(), "fraud")
	require.NoError(t, err)
	require.Len(t, entries, writers*each)
	ids := map[string]int{}
	for _, e := range entries {
		ids[e.ID]++
	}
	require.Len(t, ids, writers*each, "every entry is there once")
}

func TestTheSameIDIsAppendedOnce(t *testing.T) {
	s := newStore(t)
	ledger := NewLedger(s.Objects, bucket)
	first, err := ledger.Append(t.Context(), entry("a"))
	require.NoError(t, err)
	require.Equal(t, int64(1), first.Seq)
	for i := range 40 {
		_, err := ledger.Append(t.Context(), entry(fmt.Sprint(i)))
		require.NoError(t, err)
	}
	for name, l := range map[string]*Ledger{"same process": ledger, "new process": NewLedger(s.Objects, bucket)} {
		again, err := l.Append(t.Context(), entry("a"))
		require.NoError(t, err, name)
		require.Equal(t, first, again, name)
	}
	entries, err := ledger.Audit(t.Context(), "fraud")
	require.NoError(t, err)
	require.Len(t, entries, 41)
}

// A writer that dies after any request, whose answer it never saw, leaves a
// ledger on which a retry by another process appends exactly once, even after
// others have appended.
func TestRetryAfterACrashAtAnyRequest(t *testing.T) {
	for _, crash := range []string{"ledger/000000000003", "ledger-ids/", "nothing"} {
		for _, others := range []int{0, 1, 5} {
			t.Run(fmt.Sprintf("%s then %d others", crash, others), func(t *testing.T) {
				s := newStore(t)
				ledger := NewLedger(s.Objects, bucket)
				for _, id := range []string{"one", "two"} {
					_, err := ledger.Append(t.Context(), entry(id))
					require.NoError(t, err)
				}
				s.losing(func(r *http.Request) bool {
					return r.Method == http.MethodPut && strings.Contains(r.URL.Path, crash)
				})
				_, err := ledger.Append(t.Context(), entry("three"))
				require.Equal(t, crash == "nothing", err == nil, "%v", err)
				s.losing(nil)
				next := NewLedger(s.Objects, bucket)
				for i := range others {
					_, err := next.Append(t.Context(), entry(fmt.Sprint("other", i)))
					require.NoError(t, err)
				}
				for _, l := range []*Ledger{ledger, next, NewLedger(s.Objects, bucket)} {
					_, err := l.Append(t.Context(), entry("three"))
					require.NoError(t, err)
				}
				entries, err := next.Audit(t.Context(), "fraud")
				require.NoError(t, err)
				require.Len(t, entries, 3+others)
			})
		}
	}
}

func TestHeadIsFoundWithoutListing(t *testing.T) {
	s := newStore(t)
	ledger := NewLedger(s.Objects, bucket)
	for i := range 70 {
		e := entry(fmt.Sprint(i))
		e.Release = 1 + (i*7)%11
		_, err := ledger.Append(t.Context(), e)
		require.NoError(t, err)
	}
	s.requests()
	written, err := NewLedger(s.Objects, bucket).Append(t.Context(), entry("next"))
	require.NoError(t, err)
	require.Equal(t, int64(71), written.Seq)
	requests := s.requests()
	require.Less(t, len(requests), 25, "requests: %v", requests)
	for _, request := range requests {
		require.NotEqual(t, "GET /"+bucket, strings.TrimSuffix(request, "/"), "it listed the bucket")
	}
	head, err := ledger.Head(t.Context(), "fraud")
	require.NoError(t, err)
	require.Equal(t, lifecycle.Head{Seq: 71, Digest: written.Digest, LastRelease: 11}, head)
	none, err := ledger.Head(t.Context(), "unknown")
	require.NoError(t, err)
	require.Zero(t, none)
}

// Opening a ledger of years takes as long as one of days: it is read back to
// where the newest release was opened, and what came later may be about the
// release before, which still served.
func TestHeadReadsNoMoreThanItNeeds(t *testing.T) {
	s := newStore(t)
	ledger := NewLedger(s.Objects, bucket)
	add := func(kind string, release, times int) {
		for i := range times {
			e := entry(fmt.Sprint(kind, release, "/", i))
			e.Kind, e.Release = kind, release
			_, err := ledger.Append(t.Context(), e)
			require.NoError(t, err)
		}
	}
	add(lifecycle.EntryOpened, 1, 1)
	add(lifecycle.EntryWindow, 1, 200)
	for _, tt := range []struct {
		name   string
		before func()
		want   int
	}{
		{"named before it is opened", func() { add(lifecycle.EntryTriggered, 2, 1) }, 2},
		{"opened", func() { add(lifecycle.EntryOpened, 2, 1) }, 2},
		{"the older one serves meanwhile", func() { add(lifecycle.EntryReturned, 1, 40) }, 2},
		{"two at once", func() { add(lifecycle.EntryOpened, 3, 1); add(lifecycle.EntryOpened, 4, 1) }, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.before()
			s.requests()
			head, err := NewLedger(s.Objects, bucket).Head(t.Context(), "fraud")
			require.NoError(t, err)
			require.Equal(t, tt.want, head.LastRelease)
			if requests := s.requests(); tt.name != "named before it is opened" {
				require.Less(t, len(requests), 80, "%v", requests)
			}
		})
	}
}

func TestEntriesMustBeWhole(t *testing.T) {
	ledger := NewLedger(newStore(t).Objects, bucket)
	for _, change := range []func(*lifecycle.Entry){
		func(e *lifecycle.Entry) { e.ID = "" },
		func(e *lifecycle.Entry) { e.Model = "" },
		func(e *lifecycle.Entry) { e.Kind = "" },
		func(e *lifecycle.Entry) { e.At = time.Time{} },
	} {
		e := entry("x")
		change(&e)
		_, err := ledger.Append(t.Context(), e)
		require.Equal(t, lifecycle.Invalid, lifecycle.ErrorType(err))
	}
}
