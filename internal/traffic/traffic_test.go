package traffic

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/cloud"
	"steward/internal/dataset"
)

// table has 20 rows, of two months, of which one has no label.
func table() dataset.Source {
	var b strings.Builder
	b.WriteString("id,month,late,distance,origin\n")
	for i := range 20 {
		late := fmt.Sprint(i % 2)
		if i == 4 {
			late = ""
		}
		fmt.Fprintf(&b, "f%02d,%d,%s,%d,\"A,%d\"\n", i, i%2+3, late, 100+i, i)
	}
	return dataset.Bytes("flights.csv", []byte(b.String()))
}

func selection() Selection {
	return Selection{File: table(), Where: map[string][]string{"month": {"3"}}, ID: "id", Label: "late", Features: []string{"origin", "distance"}}
}

// world answers as endpoint and bucket, and notes everything.
type world struct {
	mu       sync.Mutex
	requests map[string]string // body by inference id
	objects  map[string][]byte // by path
	clients  *cloud.Clients
	refuse   func(id string) bool
	refusal  string        // code: message
	full     bool          // no object is taken
	writing  func()        // called before a file of truth is taken
	asked    chan struct{} // gets a value a request
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{refusal: "ModelError: it crashed", requests: map[string]string{}, objects: map[string][]byte{}, asked: make(chan struct{}, 100)}
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	for key, value := range map[string]string{"AWS_ENDPOINT_URL": s.URL, "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": "/dev/null"} {
		t.Setenv(key, value)
	}
	var err error
	w.clients, err = cloud.New(t.Context())
	require.NoError(t, err)
	return w
}

func (w *world) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	body, _ := io.ReadAll(in.Body)
	if w.writing != nil && strings.HasPrefix(in.URL.Path, "/demo/truth/") {
		w.writing()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if in.Method == http.MethodPut {
		if w.full {
			out.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(out, "<Error><Code>AccessDenied</Code></Error>")
			return
		}
		w.objects[in.URL.Path] = body
		return
	}
	id := in.Header.Get("X-Amzn-Sagemaker-Inference-Id")
	w.requests[id] = string(body)
	w.asked <- struct{}{}
	if w.refuse != nil && w.refuse(id) {
		code, message, _ := strings.Cut(w.refusal, ": ")
		out.Header().Set("X-Amzn-Errortype", code)
		out.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(out, `{"message":%q}`, message)
		return
	}
	_, _ = io.WriteString(out, "0.5\n")
}

func (w *world) replay(t *testing.T, s Selection) *Replay {
	t.Helper()
	rows, err := Load(t.Context(), s)
	require.NoError(t, err)
	return &Replay{
		Rows: rows, Endpoint: "steward-m", Rate: 1000, Objects: cloud.NewObjects(w.clients.S3),
		Endpoints: cloud.NewEndpoints(w.clients.SageMaker, w.clients.Runtime, time.Second),
		Truth:     &Truth{URI: "s3://demo/truth/", Key: "flight_id", Delay: 10 * time.Millisecond, Land: "s3://demo/flights/"},
	}
}

// truth reads every delivered label, and fails for one delivered twice.
func (w *world) truth(t *testing.T) map[string]string {
	t.Helper()
	labels := map[string]string{}
	for path, file := range w.objects {
		if !strings.HasPrefix(path, "/demo/truth/") {
			continue
		}
		records, err := csv.NewReader(strings.NewReader(string(file))).ReadAll()
		require.NoError(t, err)
		require.Equal(t, []string{"flight_id", "late"}, records[0])
		for _, r := range records[1:] {
			require.NotContains(t, labels, r[0])
			labels[r[0]] = r[1]
		}
	}
	return labels
}

func TestReplay(t *testing.T) {
	w := newWorld(t)
	r := w.replay(t, selection())
	var reports []Progress
	r.Report = func(p Progress) { reports = append(reports, p) }
	p, err := r.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, 10, p.Sent)
	require.Zero(t, p.Failed)
	require.Positive(t, p.P99)
	require.Equal(t, 9, p.Truth)
	require.Equal(t, 9, p.Landed)
	require.NotEmpty(t, reports)
	require.Len(t, w.requests, 10)
	require.Equal(t, "\"A,6\",106\n", w.requests["f06"])

	labels := w.truth(t)
	require.Len(t, labels, 9)
	require.Equal(t, "0", labels["f06"])
	require.NotContains(t, labels, "f04", "nobody knows what happened to it")
	require.Equal(t, 9, w.landed(t))
}

// landed counts the rows in landed files, which have the source's columns.
func (w *world) landed(t *testing.T) int {
	t.Helper()
	rows := 0
	for path, file := range w.objects {
		if strings.HasPrefix(path, "/demo/flights/") {
			require.NoError(t, dataset.Read(t.Context(), dataset.Bytes(path, file), nil, func(b *dataset.Batch) error {
				require.Equal(t, []string{"id", "month", "late", "distance", "origin"}, b.Schema.Names())
				rows += b.Rows
				return nil
			}))
		}
	}
	return rows
}

func TestFailuresAreCountedAndHaveNoTruth(t *testing.T) {
	w := newWorld(t)
	w.refuse = func(id string) bool { return id == "f06" || id == "f08" }
	r := w.replay(t, selection())
	r.MayFail = 0.2
	p, err := r.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, 10, p.Sent)
	require.Equal(t, 2, p.Failed)
	require.InDelta(t, 0.2, p.FailedShare(), 1e-9)
	require.Contains(t, p.String(), "last error")
	require.Len(t, w.requests, 10, "a refused request is not sent again")
	require.NotContains(t, w.truth(t), "f06")
}

// Traffic that can only end badly ends at once, long before its last row.
func TestReplayInVain(t *testing.T) {
	for _, tt := range []struct {
		name     string
		answer   string // to every request
		is       error
		says     string
		atLeast  int
		duration time.Duration
	}{
		{"the endpoint is gone", "ValidationError: Endpoint steward-m of account 1 not found.", cloud.ErrNotFound, "not found", 1, 0},
		{"too many of the rows fail", "ModelError: it crashed", ErrFailed, "it crashed", 3, 0},
		{"too many of the time's requests fail", "ModelError: it crashed", ErrFailed, "it crashed", 2, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.refuse, w.refusal = func(string) bool { return true }, tt.answer
			r := w.replay(t, selection())
			r.Rate, r.MayFail, r.Duration = 5, 0.2, tt.duration
			p, err := r.Run(t.Context())
			require.ErrorIs(t, err, tt.is)
			require.ErrorContains(t, err, tt.says)
			require.GreaterOrEqual(t, p.Failed, tt.atLeast)
			require.Less(t, p.Sent, 10)
		})
	}
}

func TestLimit(t *testing.T) {
	w := newWorld(t)
	r := w.replay(t, selection())
	r.Limit = 3
	p, err := r.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, p.Sent)
}

func TestDuration(t *testing.T) {
	w := newWorld(t)
	r := w.replay(t, selection())
	r.Rate, r.Duration = 20, 200*time.Millisecond
	p, err := r.Run(t.Context())
	require.NoError(t, err)
	require.Less(t, p.Sent, 10)
	require.Positive(t, p.Sent)

	r.Rate, r.Duration = 1000, time.Hour
	_, err = r.Run(t.Context())
	require.ErrorIs(t, err, ErrRows)
}

// What was answered gets its truth even when the replay is interrupted.
func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	r := w.replay(t, selection())
	r.Rate, r.Truth.Delay = 50, time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-w.asked
		<-w.asked
		cancel()
	}()
	p, err := r.Run(ctx)
	require.NoError(t, err)
	require.Less(t, p.Sent, 10)
	require.Len(t, w.truth(t), p.Truth)
	require.Equal(t, p.Truth, p.Landed)
}

// An interrupt in the middle of writing truth loses none of it.
func TestInterruptedWhileWriting(t *testing.T) {
	w := newWorld(t)
	r := w.replay(t, selection())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.writing = cancel
	r.Rate, r.Duration = 5, time.Minute // the first file is written long before the last row is sent
	p, err := r.Run(ctx)
	require.NoError(t, err)
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	labels := w.truth(t)
	require.NotEmpty(t, labels)
	require.Len(t, labels, p.Truth)
	require.Equal(t, p.Truth, p.Landed)
	require.Contains(t, w.requests, "f04")
	require.Equal(t, p.Sent-1, p.Truth, "all that was answered, but for f04, of which nobody knows what happened to it")
}

// That all rows were sent hides no truth that was lost.
func TestLostTruthIsSaidWhenTheRowsRunOut(t *testing.T) {
	w := newWorld(t)
	w.full = true
	r := w.replay(t, selection())
	r.Duration = time.Hour
	_, err := r.Run(t.Context())
	require.ErrorContains(t, err, "AccessDenied")
	require.NotErrorIs(t, err, ErrRows)
	require.NotErrorIs(t, err, ErrFailed)
}

// Traffic whose ground truth is lost is no use: the replay ends with the reason.
func TestTruthThatCannotBeWritten(t *testing.T) {
	w := newWorld(t)
	w.full = true
	r := w.replay(t, selection())
	r.Rate = 0.5 // the second row would be sent after two seconds, the last after eighteen
	p, err := r.Run(t.Context())
	require.ErrorContains(t, err, "ground truth")
	require.ErrorContains(t, err, "AccessDenied")
	require.Less(t, p.Sent, 10)
	require.Len(t, w.requests, p.Sent, "what was asked was answered")
}

func TestOrder(t *testing.T) {
	ids := func(seed uint64) []string {
		s := selection()
		s.Seed = seed
		rows, err := Load(t.Context(), s)
		require.NoError(t, err)
		var ids []string
		for i := range rows.Len() {
			id, _, err := rows.Request(i)
			require.NoError(t, err)
			ids = append(ids, id)
		}
		return ids
	}
	require.Equal(t, []string{"f00", "f02", "f04", "f06", "f08", "f10", "f12", "f14", "f16", "f18"}, ids(0))
	require.Equal(t, ids(1), ids(1))
	require.NotEqual(t, ids(1), ids(2))
	require.ElementsMatch(t, ids(0), ids(1))
}

func TestLoadRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Selection)
		want   string
	}{
		{"unknown feature", func(s *Selection) { s.Features = []string{"distanse"} }, "distance"},
		{"unknown id", func(s *Selection) { s.ID = "flight" }, "flight"},
		{"unknown label", func(s *Selection) { s.Label = "delayed" }, "delayed"},
		{"unknown condition", func(s *Selection) { s.Where = map[string][]string{"year": {"2001"}} }, "year"},
		{"no row", func(s *Selection) { s.Where = map[string][]string{"month": {"7", "8"}} }, "no row matches month=7 or 8"},
		{"no features", func(s *Selection) { s.Features = nil }, "features"},
		{"no file", func(s *Selection) { s.File = dataset.File("/nonexistent.csv") }, "/nonexistent.csv"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := selection()
			tt.change(&s)
			_, err := Load(t.Context(), s)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestQuantile(t *testing.T) {
	sorted := make([]time.Duration, 100)
	for i := range sorted {
		sorted[i] = time.Duration(i + 1)
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		require.Equal(t, want, quantile(sorted, q), "quantile %g", q)
	}
	require.Equal(t, time.Duration(7), quantile([]time.Duration{7}, 0.99))
}
