package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/activities"
	"steward/internal/dataset"
	"steward/internal/stats"
)

func TestMain(m *testing.M) {
	servePeer()
	os.Exit(m.Run())
}

// The stand-ins are activities of the product: same name, same types.
func TestWorldIsTheProducts(t *testing.T) {
	products := map[string]reflect.Type{}
	for _, a := range []any{&activities.Data{}, &activities.Profiling{}, &activities.Training{}, &activities.Evaluation{}, &activities.Registry{},
		&activities.Records{}, &activities.Deployment{}, &activities.People{}} {
		for m := range reflect.TypeOf(a).Methods() {
			products[m.Name] = signature(m.Type)
		}
	}
	for m := range reflect.TypeFor[*world]().Methods() {
		require.Equal(t, products[m.Name], signature(m.Type), m.Name)
	}
}

// signature is a method's type without its receiver.
func signature(method reflect.Type) reflect.Type {
	var in, out []reflect.Type
	for i := 1; i < method.NumIn(); i++ {
		in = append(in, method.In(i))
	}
	for i := range method.NumOut() {
		out = append(out, method.Out(i))
	}
	return reflect.FuncOf(in, out, false)
}

func TestReleaseCase(t *testing.T) {
	r, err := releaseBench{pairs: 2}.run(t.Context(), lab{dir: t.TempDir()})
	require.NoError(t, err)
	require.Positive(t, r.ours)
	require.Positive(t, r.peer)
}

// The peer does what the release does: no more, no less.
func TestPeerDoesAsMuch(t *testing.T) {
	s, err := openSite(t.Context(), lab{dir: t.TempDir()})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.close()) }()
	c, err := newReleases(t.Context(), s)
	require.NoError(t, err)
	require.Greater(t, c.plan.activities(), 20)
	_, err = c.replica(t.Context())
	require.NoError(t, err)
	peer, err := s.planOf(t.Context(), "bare/1")
	require.NoError(t, err)
	require.Equal(t, c.plan.activities()-c.plan.Child.activities(), peer.activities())
	require.Equal(t, c.plan.asks(), peer.asks())
}

func TestAlertCase(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"} {
		t.Setenv(name, "") // the case sets them for the whole process
	}
	r, err := alertBench{rounds: 1, calls: 4}.run(t.Context(), lab{dir: t.TempDir()})
	require.NoError(t, err)
	require.Positive(t, r.ours)
	require.Positive(t, r.peer)
}

func TestMemoryCountsWhatWasStarted(t *testing.T) {
	alone, err := memoryOf(os.Getpid())
	require.NoError(t, err)
	require.Equal(t, 1, alone.processes)
	require.Positive(t, alone.megabytes)

	cat := exec.Command("cat")
	stdin, err := cat.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cat.Start())
	defer func() {
		require.NoError(t, stdin.Close())
		require.NoError(t, cat.Wait())
	}()
	both, err := memoryOf(os.Getpid())
	require.NoError(t, err)
	require.Equal(t, 2, both.processes)
}

func TestNoSteward(t *testing.T) {
	_, err := measureStart(t.Context(), lab{dir: t.TempDir(), steward: "nowhere/steward"})
	require.ErrorContains(t, err, "`make build` makes it")
}

func TestNoSuchCase(t *testing.T) {
	require.ErrorContains(t, runAll(t.Context(), "speed", ""), "the cases are release, alert, idle, start, put")
}

// The cases of the local cloud, in miniature.
func TestCloudCases(t *testing.T) {
	steward := filepath.Join(t.TempDir(), "steward")
	build := exec.Command("go", "build", "-o", steward, "../../starter")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	large := newLarge(11, 1) // one part, and a last one that is smaller
	for _, b := range []bench{{"put", measurePut}, {"get", measureGet}, {"large", large.run}, {"batch", invokeBench{rows: 2}.run},
		{"describe", measureDescribe}, {"list", listBench{few: 3, many: 20, passes: 1}.run}} {
		t.Run(b.name, func(t *testing.T) {
			list, err := b.run(t.Context(), lab{dir: t.TempDir(), steward: steward, spell: 20 * time.Millisecond})
			require.NoError(t, err)
			require.NotEmpty(t, list)
			for _, r := range list {
				require.Positive(t, r.ours, r.name)
				require.Positive(t, r.peer, r.name)
			}
		})
	}
}

// A bare server stores and answers what the cloud is compared by.
func TestBareServer(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "small"), []byte("small"), 0o600))
	bare, err := startBare(t.Context(), dir)
	require.NoError(t, err)
	defer func() { _ = bare.stop() }()
	for range 2 { // from the disk, and then from memory
		got, err := message{http.MethodGet, bare.url() + "/small", nil, nil}.send(t.Context(), http.DefaultClient)
		require.NoError(t, err)
		require.Equal(t, "small", string(got))
	}
	_, err = message{http.MethodPut, bare.url() + "/put", nil, []byte("stored")}.send(t.Context(), http.DefaultClient)
	require.NoError(t, err)
	stored, err := filepath.Glob(filepath.Join(dir, "put-*"))
	require.NoError(t, err)
	require.Len(t, stored, 1)
	text, err := os.ReadFile(stored[0])
	require.NoError(t, err)
	require.Equal(t, "stored", string(text))
	_, err = message{http.MethodGet, bare.url() + "/none", nil, nil}.send(t.Context(), http.DefaultClient)
	require.ErrorContains(t, err, "404")
}

// A table is the same each time, in both formats, and a process of its own
// profiles it.
func TestProfiledTables(t *testing.T) {
	tables, err := buildTables(t.Context(), t.TempDir())
	require.NoError(t, err)
	var profiles []*stats.Profile
	for _, format := range []string{dataset.CSV, dataset.Parquet} {
		file := filepath.Join(t.TempDir(), "table."+format)
		require.NoError(t, profileBench{rows: 20_000, format: format}.write(file))
		took, err := measure(t.Context(), 20_000, tables, "profile", file)
		require.NoError(t, err)
		require.Positive(t, took.cpu)
		require.Positive(t, took.megabytes)
		p, err := dataset.Profile(t.Context(), []dataset.Source{dataset.File(file)}, nil)
		require.NoError(t, err)
		require.EqualValues(t, 20_000, p.Rows)
		profiles = append(profiles, p)
	}
	for i, c := range profiles[0].Columns {
		require.Equal(t, c.Quantiles, profiles[1].Columns[i].Quantiles, c.Name)
		require.Equal(t, c.Missing, profiles[1].Columns[i].Missing, c.Name)
	}
	l := lab{dir: t.TempDir()}
	require.NoError(t, writePair(l, "two", 5000))
	base, window := pair(filepath.Join(l.dir, "two"))
	_, err = measure(t.Context(), 10_000, tables, "drift", base, window)
	require.NoError(t, err)
	_, err = measure(t.Context(), 9000, tables, "drift", base, window)
	require.ErrorContains(t, err, "saw 10000 rows of 9000")
	_, err = measure(t.Context(), 1, tables, "profile", "nowhere.csv")
	require.ErrorContains(t, err, "open nowhere.csv")
}
