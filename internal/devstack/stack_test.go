package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"steward/internal/apiclient"
	stewardconfig "steward/internal/config"
	"steward/internal/localcloud/process"
)

func TestMain(m *testing.M) {
	if process.Main() {
		return
	}
	os.Exit(m.Run())
}

func options(t *testing.T, home string) Options {
	t.Helper()
	// Start changes these; t.Setenv brings them back.
	for _, key := range append([]string{"AWS_PROFILE", "AWS_SESSION_TOKEN"}, variables...) {
		t.Setenv(key, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	return Options{
		Config: stewardconfig.Config{Home: home, Bucket: "steward", Role: stewardconfig.LocalRole, Poll: Poll},
		Say:    func(s string) { t.Log(s) }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

func start(t *testing.T, o Options) *Stack {
	t.Helper()
	s, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { stopped(t, s) })
	return s
}

func stopped(t *testing.T, s *Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, s.Stop(ctx))
}

func as(t *testing.T, s *Stack, subject string) *apiclient.Client {
	t.Helper()
	token, err := s.Home.Token(subject)
	require.NoError(t, err)
	return apiclient.New(s.Env.Gateway(), token)
}

// The model file of a model that never gets any data: good enough to be kept.
const modelFile = `
apiVersion: steward/v1
kind: Model
metadata: {name: kept, team: t, owners: {data-scientist: a@example.com, operator: o@example.com}}
spec:
  objective: {statement: to be there after a restart, risk: minimal}
  data:
    sources: [{name: s, uri: "s3://demo/data/", format: csv}]
    label: y
    time: at
    id: id
    features: [x]
    split: {by: time, validation: 0.1, test: 0.2}
    groundTruth: {uri: "s3://demo/truth/", key: id, matureAfter: 1h, minCoverage: 0.9}
  training:
    budget: 1
    candidates: [{name: linear, image: steward/linear, instance: ml.m5.large}]
    select: {metric: auc, goal: maximize}
  gates: [{metric: auc, min: 0.5}]
  approval: {require: [{role: data-scientist}], expire: 1h}
  rollout:
    endpoint: {instance: ml.m5.large}
    steps: [{promote: {}}]
    analysis: {every: 1m, minSamples: 10, metrics: [{name: errors, max: 0.01}]}
  watch: {every: 1h}
`

// A second start finds everything as it was: models, tokens, objects.
func TestSecondStartResumes(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	s := start(t, options(t, home))
	_, err := as(t, s, "ana").Apply(t.Context(), []byte(modelFile))
	require.NoError(t, err)
	require.Equal(t, []string{"steward"}, buckets(t))
	resp, err := http.Get(s.TemporalUI)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	token, err := s.Home.Token("ana")
	require.NoError(t, err)
	stopped(t, s)

	// A shell that sourced the env file names the server that has just ended.
	o := options(t, home)
	o.Temporal = s.Env[temporalAt]
	s = start(t, o)
	require.NotEmpty(t, s.TemporalUI, "it was started anew")
	again, err := s.Home.Token("ana")
	require.NoError(t, err)
	require.Equal(t, token, again)
	m, err := as(t, s, "pat").Model(t.Context(), "kept")
	require.NoError(t, err)
	require.Equal(t, "ana", m.Author)
	require.Equal(t, []string{"steward"}, buckets(t))
}

// buckets asks as any program would that uses the SDK with the printed values.
func buckets(t *testing.T) []string {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context())
	require.NoError(t, err)
	out, err := s3.NewFromConfig(cfg).ListBuckets(t.Context(), &s3.ListBucketsInput{})
	require.NoError(t, err)
	var names []string
	for _, b := range out.Buckets {
		names = append(names, *b.Name)
	}
	return names
}

func TestTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	taken := l.Addr().(*net.TCPAddr).Port
	for _, tt := range []struct {
		ports        Ports
		wanted, flag string
	}{
		{Ports{Temporal: taken}, "Temporal", "--temporal-port"},
		{Ports{UI: taken}, "Temporal's web UI", "--ui-port"},
		{Ports{Cloud: taken}, "the local cloud", "--cloud-port"},
		{Ports{Gateway: taken}, "the gateway", "--gateway-port"},
	} {
		t.Run(tt.flag, func(t *testing.T) {
			o := options(t, t.TempDir())
			o.Ports = tt.ports
			_, err := Start(t.Context(), o)
			require.ErrorContains(t, err, fmt.Sprintf("port %d, wanted for %s, is taken", taken, tt.wanted))
			require.ErrorContains(t, err, tt.flag)
		})
	}
}

func TestTakenPortOfAnEarlierServer(t *testing.T) {
	taken := errors.New("port 7233 is taken")
	running := embedded{"127.0.0.1:7233", os.Getpid()}
	require.ErrorContains(t, running.explain(taken, ""), fmt.Sprintf("is taken; process %d may be", os.Getpid()))
	require.Equal(t, taken, embedded{}.explain(taken, ""))
	require.ErrorContains(t, embedded{}.explain(taken, "127.0.0.1:7233"), "temporal.at")
	h, err := Make(t.TempDir())
	require.NoError(t, err)
	require.Zero(t, h.lastTemporal())
	require.NoError(t, h.noteTemporal(running))
	require.Equal(t, running, h.lastTemporal())
}

func TestOneStackAHome(t *testing.T) {
	home := t.TempDir()
	s := start(t, options(t, home))
	_, err := Start(t.Context(), s.options)
	require.ErrorContains(t, err, fmt.Sprintf("is in use by another `steward dev` (process %d)", os.Getpid()))
}

func TestUnknownPart(t *testing.T) {
	o := options(t, t.TempDir())
	o.Without = []string{"temporal"}
	_, err := Start(t.Context(), o)
	require.ErrorContains(t, err, `no part "temporal"`)
}

// A part that was left out can be run beside the stack, and a server of one's
// own takes the embedded one's place.
func TestWithout(t *testing.T) {
	o := options(t, t.TempDir())
	whole := start(t, o)
	other := options(t, t.TempDir())
	other.Temporal = whole.Env[temporalAt]
	other.Without = []string{GatewayPart, WorkerPart}
	other.Ports.Gateway = 1
	s := start(t, other)
	require.Empty(t, s.TemporalUI)
	require.Equal(t, "http://127.0.0.1:1", s.Env.Gateway())
	kept, err := s.Home.ReadEnv()
	require.NoError(t, err)
	require.Equal(t, s.Env, kept)
}

func TestPartThatEndsIsReported(t *testing.T) {
	s := start(t, options(t, t.TempDir()))
	s.serve("part", func(context.Context) error { return io.ErrUnexpectedEOF })
	select {
	case err := <-s.Failed():
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	case <-time.After(10 * time.Second):
		require.Fail(t, "nobody was told")
	}
	s.stops = s.stops[:len(s.stops)-1] // its own error is no part of this test
}
