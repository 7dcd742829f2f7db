package activities

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// meter counts what is fetched of the source bucket.
type meter struct {
	next http.RoundTripper

	mu    sync.Mutex
	gets  []string // file names
	lists []string // prefixes
	bytes int64
}

func (m *meter) Do(r *http.Request) (*http.Response, error) {
	answer, err := m.next.RoundTrip(r)
	if err != nil || r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/source") {
		return answer, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if q := r.URL.Query(); q.Has("list-type") {
		m.lists = append(m.lists, q.Get("prefix")+">"+q.Get("start-after"))
	} else {
		m.gets = append(m.gets, path.Base(r.URL.Path))
		answer.Body = metered{answer.Body, m}
	}
	return answer, nil
}

type metered struct {
	io.ReadCloser
	m *meter
}

func (r metered) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.m.mu.Lock()
	r.m.bytes += int64(n)
	r.m.mu.Unlock()
	return n, err
}

// taken says what was fetched since the last call.
func (m *meter) taken() (gets []string, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gets, bytes = m.gets, m.bytes
	m.gets, m.lists, m.bytes = nil, nil, 0
	return gets, bytes
}

// measured is Data over a local cloud that counts.
func measured(t *testing.T) (*Data, *meter) {
	t.Helper()
	m := &meter{next: http.DefaultTransport}
	options := startCloud(t).S3.Options()
	options.HTTPClient = m
	return &Data{Objects: cloud.NewObjects(s3.New(options)), Bucket: testBucket}, m
}

// second is the release after the first.
var second = lifecycle.Of{Model: "flights", Release: 2}

func readLineage(t *testing.T, data *Data, s lifecycle.Snapshot) lineage {
	t.Helper()
	require.NotNil(t, s.Lineage)
	b, err := data.Objects.Get(t.Context(), s.Lineage.URI)
	require.NoError(t, err)
	var doc lineage
	require.NoError(t, json.Unmarshal(b, &doc))
	require.Equal(t, s.Digest, doc.Snapshot)
	return doc
}

func TestSnapshotReadsOnlyWhatIsNew(t *testing.T) {
	data, meter := measured(t)
	env := environment(t, data)
	one, two, three := flights(0, 300), flights(300, 200), flights(500, 100)
	store(t, data.Objects, map[string]string{"s3://source/a/1.csv": one, "s3://source/a/2.csv": two})
	take := func(of lifecycle.Of, change func(*lifecycle.Data)) lifecycle.Snapshot {
		in := flightData("s3://source/a/")
		if change != nil {
			change(&in)
		}
		return run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: of, Data: in})
	}
	release := func(n int) lifecycle.Of { return lifecycle.Of{Model: first.Model, Release: n} }
	a := take(first, nil)
	gets, bytes := meter.taken()
	require.ElementsMatch(t, []string{"1.csv", "2.csv"}, gets)
	require.Equal(t, int64(len(one)+len(two)), bytes)
	require.Equal(t, []lifecycle.SourceUse{{Name: "flights", Files: 2, New: 2, Rows: 500}}, a.Sources)

	again := take(release(2), nil)
	gets, bytes = meter.taken()
	require.Empty(t, gets)
	require.Zero(t, bytes)
	require.Equal(t, a.Digest, again.Digest)
	require.Equal(t, 2, readLineage(t, data, again).Release)

	store(t, data.Objects, map[string]string{"s3://source/a/3.csv": three})
	b := take(release(3), nil)
	gets, bytes = meter.taken()
	require.Equal(t, []string{"3.csv"}, gets)
	require.Equal(t, int64(len(three)), bytes)
	require.Equal(t, int64(600), b.Rows)
	require.Equal(t, []lifecycle.SourceUse{{Name: "flights", Files: 3, New: 1, Rows: 600}}, b.Sources)
	require.Equal(t, b.Digest, run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{
		Of: lifecycle.Of{Model: "other", Release: 1}, Data: flightData("s3://source/a/")}).Digest, "of a model that knows nothing yet")
	meter.taken()

	store(t, data.Objects, map[string]string{"s3://source/a/2.csv": flights(300, 199)})
	require.Equal(t, int64(599), take(release(4), nil).Rows, "a changed file is read again")
	gets, _ = meter.taken()
	require.Equal(t, []string{"2.csv"}, gets)

	take(release(5), func(d *lifecycle.Data) { d.Features = []string{"delay", "distance"} })
	gets, _ = meter.taken()
	require.Len(t, gets, 3, "what is asked for is another thing now")
}

func TestLineageOfASnapshot(t *testing.T) {
	data, _ := measured(t)
	env := environment(t, data)
	store(t, data.Objects, map[string]string{"s3://source/a/1.csv": flights(0, 100), "s3://source/a/2.csv": flights(100, 100)})
	in := flightData("s3://source/a/")
	in.Last = lifecycle.Duration(50 * time.Minute)
	s := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
	require.Equal(t, int64(51), s.Rows)

	doc := readLineage(t, data, s)
	object, err := data.Objects.Stat(t.Context(), "s3://source/a/2.csv")
	require.NoError(t, err)
	require.Len(t, doc.Files, 2)
	used := doc.Files[1]
	require.Equal(t, []any{"flights", "s3://source/a/2.csv", object.ETag, object.Size, true, int64(100)},
		[]any{used.Origin, used.Source, used.Version, used.Bytes, used.Used, used.Rows}, "figures of the whole file")
	require.WithinDuration(t, time.Now(), used.Seen, time.Minute)
	require.False(t, doc.Files[0].Used, "older than what was asked for")

	require.NoError(t, data.Objects.DeletePrefix(t.Context(), "s3://source/a/"))
	parts := run(t, env, data.PrepareParts, lifecycle.PrepareInput{Of: first, Data: in, Snapshot: s})
	require.Equal(t, int64(31), parts.Train.Rows, "the source is not needed any more")
}

// changing replaces a file right before it is fetched.
type changing struct {
	next   http.RoundTripper
	before func()
}

func (c *changing) Do(r *http.Request) (*http.Response, error) {
	if before := c.before; before != nil && r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/1.csv") {
		c.before = nil
		before()
	}
	return c.next.RoundTrip(r)
}

func TestSnapshotNoticesAFileThatChanges(t *testing.T) {
	options := startCloud(t).S3.Options()
	c := &changing{next: http.DefaultTransport}
	options.HTTPClient = c
	data := &Data{Objects: cloud.NewObjects(s3.New(options)), Bucket: testBucket}
	env := environment(t, data)
	store(t, data.Objects, map[string]string{"s3://source/a/1.csv": flights(0, 100)})
	c.before = func() { store(t, data.Objects, map[string]string{"s3://source/a/1.csv": flights(200, 100)}) }
	in := lifecycle.SnapshotInput{Of: first, Data: flightData("s3://source/a/")}
	_, err := try(env, data.TakeSnapshot, in)
	require.Equal(t, lifecycle.Conflict, lifecycle.ErrorType(err), "%v", err)
	require.False(t, cloud.Final(err), "the next attempt lists anew")
	require.Empty(t, names(t, data.Objects, "s3://steward/"))
	require.Equal(t, time.Date(2001, 1, 1, 3, 20, 0, 0, time.UTC), run(t, env, data.TakeSnapshot, in).From)
}

// Manifests of the version before are read as they were.
func TestManifestOfVersionOne(t *testing.T) {
	data, _ := measured(t)
	env := environment(t, data)
	store(t, data.Objects, map[string]string{"s3://source/a/1.csv": flights(0, 200)})
	in := flightData("s3://source/a/")
	s := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
	m, err := data.readManifest(t.Context(), s)
	require.NoError(t, err)
	m.Version, m.Format = manifestFormatV1, "csv"
	for i, f := range m.Files {
		m.Files[i] = snapshotFile{Source: f.Source, SHA256: f.SHA256, Bytes: f.Bytes, Rows: f.Rows, From: f.From, To: f.To}
	}
	s.URI = "s3://steward/v1.json"
	s.Digest, err = m.digest()
	require.NoError(t, err)
	b, err := json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, data.Objects.Put(t.Context(), s.URI, b))
	parts := run(t, env, data.PrepareParts, lifecycle.PrepareInput{Of: first, Data: in, Snapshot: s})
	require.Equal(t, int64(120), parts.Train.Rows)
	require.Contains(t, s.Digest, "sha256:")
}

func TestTypesOfSeveralFiles(t *testing.T) {
	data, _ := measured(t)
	env := environment(t, data)
	good, head := flights(0, 50), "flight,at,delay,origin,hour,late,distance\n"
	row := func(delay, hour string) string {
		return head + fmt.Sprintf("x,2001-02-01T00:00:00Z,%s,ATL,%s,1,7\n", delay, hour)
	}
	for name, tt := range map[string]struct {
		second string
		types  map[string]string
		says   string
		want   map[string]string
	}{
		"whole numbers":        {row("3", "4"), nil, "", map[string]string{"delay": "number", "hour": "integer"}},
		"no value":             {row("", ""), nil, "", map[string]string{"delay": "number", "hour": "integer"}},
		"a word":               {row("soon", "4"), nil, `2.csv:2: column delay: "soon" is not of type number`, nil},
		"category that widens": {row("3", "noon"), nil, "", map[string]string{"hour": "string"}},
		"declared":             {row("3", "noon"), map[string]string{"hour": "integer"}, `2.csv:2: column hour: "noon" is not of type integer`, nil},
		"declared as text":     {row("soon", "4"), map[string]string{"delay": "string"}, "", map[string]string{"delay": "string"}},
		"declared for nothing": {row("3", "4"), map[string]string{"dealy": "number"}, `data.types: column "dealy" does not exist; did you mean "delay"?`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			prefix := "s3://source/" + name + "/"
			store(t, data.Objects, map[string]string{prefix + "1.csv": good, prefix + "2.csv": tt.second})
			in := flightData(prefix)
			in.Types = tt.types
			s, err := try(env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: lifecycle.Of{Model: "types", Release: 1}, Data: in})
			if tt.says != "" {
				require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err), "%v", err)
				require.ErrorContains(t, err, tt.says)
				return
			}
			require.NoError(t, err)
			m, err := data.readManifest(t.Context(), s)
			require.NoError(t, err)
			for column, want := range tt.want {
				f, err := m.Columns.Field(column)
				require.NoError(t, err)
				require.Equal(t, want, string(f.Type), column)
			}
			_, err = try(env, data.CheckSnapshot, lifecycle.CheckInput{Of: first, Data: in, Snapshot: s})
			require.NoError(t, err)
		})
	}
}

func TestSnapshotOfSeveralSources(t *testing.T) {
	data, _ := measured(t)
	env := environment(t, data)
	store(t, data.Objects, map[string]string{"s3://source/a/1.csv": flights(0, 300), "s3://source/b/1.parquet": parquet(t, flights(300, 200))})
	in := flightData("s3://source/a/")
	in.Sources = append(in.Sources, lifecycle.Source{Name: "later", URI: "s3://source/b/", Format: "parquet"})
	s := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
	require.Equal(t, int64(500), s.Rows)
	require.Equal(t, []lifecycle.SourceUse{{Name: "flights", Files: 1, New: 1, Rows: 300}, {Name: "later", Files: 1, New: 1, Rows: 200}}, s.Sources)

	one := flightData("s3://source/c/")
	store(t, data.Objects, map[string]string{"s3://source/c/1.csv": flights(0, 300), "s3://source/c/2.csv": flights(300, 200)})
	prepare := func(of lifecycle.Of, in lifecycle.Data, s lifecycle.Snapshot) lifecycle.Parts {
		return run(t, env, data.PrepareParts, lifecycle.PrepareInput{Of: of, Data: in, Snapshot: s})
	}
	same := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: second, Data: one})
	require.Equal(t, prepare(second, one, same).Test.Digest, prepare(first, in, s).Test.Digest, "one table, whatever it lies in")

	in.Sources[1].URI = "s3://source/nothing/"
	_, err := try(env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
	require.ErrorContains(t, err, "source later: there are no files under s3://source/nothing/")
}

func TestSnapshotOfPartitions(t *testing.T) {
	data, meter := measured(t)
	env := environment(t, data)
	hour := func(h int) string { return flights(60*h, 60) }
	files := map[string]string{}
	for h := range 20 {
		files[fmt.Sprintf("s3://source/p/dt=2001-01-01/hour_of=%02d/f.csv", h)] = hour(h)
	}
	files["s3://source/p/dt=2001-01-02/_SUCCESS"] = "x" // a day that nothing came on yet
	store(t, data.Objects, files)
	in := flightData("s3://source/p")
	in.Sources[0].Partitions = "dt=2006-01-02/hour_of=15"
	in.Features = append(in.Features, "hour_of")
	in.Last = lifecycle.Duration(2*time.Hour + 30*time.Minute)
	s := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
	require.Equal(t, time.Date(2001, 1, 1, 17, 29, 0, 0, time.UTC), s.From)
	require.Equal(t, int64(151), s.Rows)
	require.Contains(t, meter.lists, "p/>p/dt=2001-01-01/hour_of=16", "older partitions are not even listed")
	gets, _ := meter.taken()
	require.Len(t, gets, 4)
	parts := run(t, env, data.PrepareParts, lifecycle.PrepareInput{Of: first, Data: in, Snapshot: s})
	require.Contains(t, parts.Numeric, "hour_of")
	channel, err := data.Objects.Get(t.Context(), parts.Validation.Input+"data.csv")
	require.NoError(t, err)
	require.Regexp(t, `(?m),19$`, string(channel))

	store(t, data.Objects, map[string]string{"s3://source/p/dt=2001-01-01/hour_of=20/f.csv": hour(3)})
	_, err = try(env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
	require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, "hour_of=20/f.csv: its rows are of 2001-01-01T03:00:00Z")

	store(t, data.Objects, map[string]string{"s3://source/q/dt=2001-01-01/hour_of=1/f.csv": hour(1)})
	in.Sources[0].URI = "s3://source/q/"
	_, err = try(env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
	require.ErrorContains(t, err, `"dt=2001-01-01/hour_of=1" is not a partition such as dt=2006-01-02/hour_of=15`)
}
