package sagemaker

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/s3"
)

// drawer is an object store in memory, of one bucket.
type drawer struct {
	mu   sync.Mutex
	keys map[string]string
	puts []string
}

func (s *drawer) List(_ context.Context, _, prefix string) (list []s3.Object, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, text := range s.keys {
		if strings.HasPrefix(k, prefix) {
			list = append(list, s3.Object{Key: k, Size: int64(len(text))})
		}
	}
	return list, nil
}

func (s *drawer) Get(_ context.Context, _, key string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, ok := s.keys[key]
	if !ok {
		return nil, os.ErrNotExist
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func (s *drawer) Put(_ context.Context, _, key string, body io.Reader, _ int64) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[key], s.puts = string(text), append(s.puts, key)
	return nil
}

// A host does not send back what it was given, in its first life or when its run is
// found again: another host may have written a newer one.
func TestHostsDoNotSendBackWhatTheyWereGiven(t *testing.T) {
	objects := &drawer{keys: map[string]string{"ckpt/model": "old", "ckpt/deep/other": "kept"}}
	s, err := New(Config{Dir: t.TempDir(), Objects: objects, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	job := &trainingJob{}
	job.CheckpointConfig = &types.CheckpointConfig{S3Uri: aws.String("s3://data/ckpt")}
	var c cluster
	for _, name := range []string{"algo-1", "algo-2"} {
		c = append(c, host{name: name, ml: filepath.Join(t.TempDir(), name, "ml")})
	}
	require.NoError(t, s.restoreCheckpoints(t.Context(), job, c))
	require.NoError(t, os.WriteFile(filepath.Join(c[0].ml, "checkpoints", "model"), []byte("newer"), 0o600))
	for range 2 { // the second time as after a restart
		for _, m := range s.mirrorCheckpoints(job, c) {
			require.NoError(t, m.sync(t.Context()))
		}
		require.Equal(t, "newer", objects.keys["ckpt/model"])
	}
	require.Equal(t, []string{"ckpt/model", "ckpt/model"}, objects.puts)
}
