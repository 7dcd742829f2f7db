package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// processes are the running ones that have to do with a directory: they name it
// in their arguments, work in it or have their scratch there. Each is its id and
// arguments.
func processes(t *testing.T, dir string) []string {
	t.Helper()
	ids, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	require.NotEmpty(t, ids, "this test reads /proc, which Linux has")
	var found []string
	for _, at := range ids {
		// A process may end while it is looked at.
		raw, err := os.ReadFile(filepath.Join(at, "cmdline"))
		if err != nil || len(raw) == 0 {
			continue
		}
		cwd, _ := os.Readlink(filepath.Join(at, "cwd"))
		environment, _ := os.ReadFile(filepath.Join(at, "environ")) // those in namespaces work in a folder of another name
		args := strings.ReplaceAll(strings.TrimRight(string(raw), "\x00"), "\x00", " ")
		if strings.Contains(args, dir) || strings.HasPrefix(cwd, dir) || bytes.Contains(environment, []byte("TMPDIR="+dir)) {
			id, err := strconv.Atoi(filepath.Base(at))
			require.NoError(t, err)
			found = append(found, fmt.Sprintf("%d %s", id, args))
		}
	}
	return found
}

// servers are the model servers among a home's processes.
func servers(t *testing.T, home string) []string {
	t.Helper()
	var found []string
	for _, p := range processes(t, home) {
		if strings.HasSuffix(p, " serve") {
			found = append(found, p)
		}
	}
	return found
}
