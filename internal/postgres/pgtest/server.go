// Package pgtest runs a PostgreSQL server for a test.
package pgtest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// nobody is the user that the server runs as when the test is root, which it
// refuses.
const nobody = 65534

// Start runs a server until the test ends, on a socket of its own. It returns
// the address of an empty database.
func Start(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "steward-pg-*") // a socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	if os.Getuid() == 0 {
		require.NoError(t, os.Chown(dir, nobody, nobody))
	}
	data := filepath.Join(dir, "data")
	out, err := command(t, "initdb", "-D", data, "-U", "steward", "-A", "trust", "-E", "UTF8", "--locale=C", "-N").CombinedOutput()
	require.NoError(t, err, "%s", out)
	server := command(t, "postgres", "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=20")
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	server.Stdout, server.Stderr = log, log
	require.NoError(t, server.Start())
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() {
		require.NoError(t, server.Process.Signal(os.Interrupt)) // ends sessions, then the server
		require.NoError(t, <-ended)
		require.NoError(t, log.Close())
	})
	url := "host=" + dir + " user=steward dbname=postgres"
	require.Eventually(t, func() bool {
		conn, err := pgconn.Connect(context.Background(), url)
		return err == nil && conn.Close(context.Background()) == nil
	}, 30*time.Second, 20*time.Millisecond, "the server does not answer")
	return url
}

// command is one of PostgreSQL's programs, which Debian keeps off the path.
func command(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
		require.NotEmpty(t, found, "%s is missing: install Debian's package postgresql", name)
		program = found[len(found)-1]
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = "/"
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return cmd
}

// Exec runs statements.
func Exec(t testing.TB, url, sql string) {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), url)
	require.NoError(t, err)
	require.NoError(t, conn.Exec(t.Context(), sql).Close())
	require.NoError(t, conn.Close(t.Context()))
}
