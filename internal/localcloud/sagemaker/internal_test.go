package sagemaker

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/process"
)

func TestPackRefusesLinks(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "link")))
	_, err := pack(filepath.Join(t.TempDir(), "out"), dir)
	require.ErrorContains(t, err, "only files and folders can be packed")
}

func TestRelative(t *testing.T) {
	for _, tt := range []struct{ prefix, key, want string }{
		{"in/", "in/a.csv", "a.csv"},
		{"in", "in/deep/a.csv", "deep/a.csv"},
		{"in/pre", "in/prefix.csv", "prefix.csv"},
		{"in/a.csv", "in/a.csv", "a.csv"},
		{"", "a/b.csv", "a/b.csv"},
	} {
		require.Equal(t, tt.want, relative(tt.prefix, tt.key), "%s %s", tt.prefix, tt.key)
	}
}

func TestPick(t *testing.T) {
	r := &routes{}
	for name, w := range map[string]float32{"none": 0} {
		r.add(&variant{spec: variantSpec{Name: name, Weight: w}})
	}
	_, err := r.pick("", 0.5)
	require.ErrorContains(t, err, "have weight 0")
	r.add(&variant{spec: variantSpec{Name: "a", Weight: 1}})
	r.add(&variant{spec: variantSpec{Name: "b", Weight: 3}})
	r.add(&variant{spec: variantSpec{Name: "dark", Weight: 1, Shadow: true}})
	for _, tt := range []struct {
		target string
		draw   float64
		want   string
	}{{"", 0, "a"}, {"", 0.249, "a"}, {"", 0.251, "b"}, {"", 0.999999, "b"}, {"none", 0.5, "none"}, {"a", 0.9, "a"}} {
		v, err := r.pick(tt.target, tt.draw)
		require.NoError(t, err)
		require.Equal(t, tt.want, v.spec.Name)
	}
	_, err = r.pick("dark", 0)
	require.ErrorContains(t, err, "not found")
}

// TestPortsAreNotShared lets two clouds choose at the same place.
func TestPortsAreNotShared(t *testing.T) {
	a, b := newPorts(), newPorts()
	b.next = a.next
	seen := map[int]bool{}
	for range 3 {
		for _, p := range []*ports{a, b} {
			port, err := p.take()
			require.NoError(t, err)
			require.False(t, seen[port], port)
			seen[port] = true
			defer p.give(port)
		}
	}
}

func TestJudge(t *testing.T) {
	long := strings.Repeat("é", 2000)
	for _, tt := range []struct {
		name    string
		exit    process.Exit
		told    order
		failure string
		status  types.SecondaryStatus
		reason  string
	}{
		{"done", process.Exit{Cause: process.Exited}, "", "", types.SecondaryStatusCompleted, ""},
		{"stopped", process.Exit{Cause: process.Stopped, Code: -1}, orderStop, "x", types.SecondaryStatusStopped, ""},
		{"late", process.Exit{Cause: process.TimedOut}, "", "", types.SecondaryStatusMaxRuntimeExceeded, ""},
		{"waited", process.Exit{Cause: process.Stopped, Code: -1}, orderLate, "", types.SecondaryStatusMaxWaitTimeExceeded, ""},
		{"code", process.Exit{Cause: process.Exited, Code: 2}, "", " bad data\n", types.SecondaryStatusFailed, "AlgorithmError: bad data, exit code: 2"},
		{"long", process.Exit{Cause: process.Exited, Code: 1}, "", long, types.SecondaryStatusFailed, "AlgorithmError: " + long[:2*maxFailure] + ", exit code: 1"},
		{"killed", process.Exit{Cause: process.Exited, Code: -1, Signal: "killed"}, "", "", types.SecondaryStatusFailed, "last line of the log: the end, signal: killed"},
		{"no program", process.Exit{Cause: process.Exited, Code: -1, Error: "no such file"}, "", "", types.SecondaryStatusFailed, "could not be started: no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			end := judge(tt.exit, tt.told, tt.failure, "the end")
			require.Equal(t, tt.status, end.status)
			require.Contains(t, end.reason, tt.reason)
		})
	}
}

func TestUntagged(t *testing.T) {
	for image, want := range map[string]string{
		"steward/linear": "steward/linear", "steward/linear:1": "steward/linear", "host:5000/a/b": "host:5000/a/b",
		"host:5000/a/b:2": "host:5000/a/b", "a/b@sha256:00": "a/b", "a/b:1@sha256:00": "a/b",
	} {
		require.Equal(t, want, untagged(image))
	}
	_, err := checkImages([]Image{{Pattern: "[", Command: []string{"x"}}})
	require.ErrorContains(t, err, `images[0]: pattern "["`)
	_, err = checkImages([]Image{{Pattern: "a"}})
	require.ErrorContains(t, err, "command is empty")
}

func TestOnly(t *testing.T) {
	in := &sm.CreateModelInput{ModelName: aws.String("m"), EnableNetworkIsolation: aws.Bool(false), Containers: []types.ContainerDefinition{}}
	require.NoError(t, only("", in, "ModelName"), "false and empty ask for nothing")
	in.EnableNetworkIsolation = aws.Bool(true)
	require.ErrorContains(t, only("", in, "ModelName"), "EnableNetworkIsolation is not supported by the local cloud")
}

func TestOneServiceADirectory(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), Objects: failing{}, Logger: slog.New(slog.DiscardHandler)}
	s, err := New(cfg)
	require.NoError(t, err)
	_, err = New(cfg)
	require.ErrorContains(t, err, "another local cloud runs on this directory")
	require.NoError(t, s.Close(t.Context()))
}
