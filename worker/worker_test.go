package worker

import (
	"context"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uber-go/tally/v4"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"steward/internal/devstack/server"
)

func logger() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// temporal starts a server with the given search attributes and dials it.
func temporal(t *testing.T, attributes map[string]string) client.Client {
	t.Helper()
	binary, err := server.Binary(t.Context(), func(s string) { t.Log(s) })
	require.NoError(t, err)
	dir := t.TempDir()
	s, err := server.Start(t.Context(), server.Options{
		Program: server.Program{Path: binary, Ours: true}, Port: freePort(t), UIPort: freePort(t),
		Database: filepath.Join(dir, "temporal.db"), Log: filepath.Join(dir, "log"), Attributes: attributes,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, s.Stop(ctx))
	})
	c, err := Dial(t.Context(), s.Address, tally.NoopScope, logger())
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().(*net.TCPAddr).Port
}

func TestSearchAttributesAreMadeOnce(t *testing.T) {
	c := temporal(t, map[string]string{"StewardModel": "Keyword"}) // the others are missing
	for range 2 {
		require.NoError(t, ensureAttributes(t.Context(), c, client.DefaultNamespace))
	}
	have, err := c.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: client.DefaultNamespace})
	require.NoError(t, err)
	require.Equal(t, enumspb.INDEXED_VALUE_TYPE_INT, have.GetCustomAttributes()["StewardRelease"])
	for name, kind := range Attributes() {
		require.Equal(t, kind, have.GetCustomAttributes()[name], name)
	}
}

func TestSearchAttributeOfAnotherType(t *testing.T) {
	c := temporal(t, map[string]string{"StewardRelease": "Keyword"})
	err := ensureAttributes(t.Context(), c, client.DefaultNamespace)
	require.ErrorContains(t, err, "StewardRelease is a Keyword in namespace default and has to be a Int")
}

func TestDialGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := Dial(ctx, "127.0.0.1:1", tally.NoopScope, logger())
	require.ErrorContains(t, err, "temporal at 127.0.0.1:1 does not answer (TEMPORAL_ADDRESS says where it is)")
}
