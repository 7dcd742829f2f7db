package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/starter/live"
)

// Ctrl-C ends everything, with a model that serves and another in training; a
// second start on the same home goes on with both.
func TestSecondStart(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	s, err := startDev(home)
	require.NoError(t, err)
	serving, training := newModel(t, s, "serving"), newModel(t, s, "training")
	serving.serve()
	sample := rows(t, 9, 1, january)
	variant, first := serving.invoke(sample, 0)
	training.Image = gatedImage
	training.put("january.parquet", parquet(t, rows(t, 1, 3000, january)))
	training.declare()
	training.release()
	training.await("a training job runs", func(v live.View) bool { return v.Release != nil && len(v.Release.Jobs) == 1 })
	before := serving.seen.Model
	require.NotEmpty(t, servers(t, home))

	began := time.Now()
	require.NoError(t, s.end(os.Interrupt), s.said())
	t.Log("Ctrl-C took", time.Since(began))
	require.Empty(t, processes(t, home), "Ctrl-C leaves no process behind")

	*s = *newStack(t, home)
	serving.awaitChampion(1)
	require.Equal(t, before.Champion, serving.seen.Model.Champion)
	require.Equal(t, before.Releases, serving.seen.Model.Releases)
	againBy, again := serving.invoke(sample, 0)
	require.Equal(t, variant, againBy)
	require.Equal(t, first, again)
	require.NoError(t, os.WriteFile(filepath.Join(home, gate), nil, 0o600))
	training.awaitApproval(1)
	require.Equal(t, map[string]string{"steward-training-r1-linear": "Completed"}, s.trainings(t, "training"))
	serving.await("windows go on", func(v live.View) bool { return len(v.Model.Windows) > len(before.Windows)+1 })
}

// A port that is taken is named, with the flag that chooses another, and what
// was started before is ended.
func TestTakenPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) }) // after the parallel subtests
	taken := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	for flag, part := range map[string]string{
		"--temporal-port": "Temporal", "--ui-port": "Temporal's web UI", "--cloud-port": "the local cloud", "--gateway-port": "the gateway",
	} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			home := filepath.Join(t.TempDir(), "home")
			require.NoError(t, os.MkdirAll(filepath.Join(home, "tmp"), 0o700))
			a := ask(t, home, append(append([]string{"dev"}, freePorts...), flag, taken)...)
			require.Equal(t, 1, a.code)
			require.Contains(t, a.err, fmt.Sprintf("port %s, wanted for %s, is taken", taken, part))
			require.Contains(t, a.err, "choose another with "+flag)
			require.Empty(t, processes(t, home))
		})
	}
}
