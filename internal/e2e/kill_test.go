package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"steward/internal/evidence"
	"steward/internal/lifecycle"
	"steward/starter/live"
)

// kill -9 of the worker in the middle of training and of the gateway in the
// middle of an approval costs time and nothing else: one training job, each
// decision once.
func TestKill(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	s := newStack(t, home, "--without", "worker,gateway")
	worker := startWorker(t, s)
	gateway := startGateway(t, s)
	m := newModel(t, s, "kill")
	m.Image = gatedImage
	m.put("january.parquet", parquet(t, rows(t, 1, 3000, january)))
	m.declare()
	m.release()
	m.awaitJob()

	worker.kill(t)
	require.Equal(t, map[string]string{"steward-kill-r1-linear": "InProgress"}, s.trainings(t, m.Name), "the job goes on alone")
	startWorker(t, s)
	m.awaitAttempt(2)
	require.Equal(t, map[string]string{"steward-kill-r1-linear": "InProgress"}, s.trainings(t, m.Name))
	require.NoError(t, os.WriteFile(filepath.Join(home, gate), nil, 0o600))
	m.awaitApproval(1)
	require.Equal(t, map[string]string{"steward-kill-r1-linear": "Completed"}, s.trainings(t, m.Name), "one job")

	m.approve(1, scientist)
	gateway.kill(t)
	require.Equal(t, 5, s.steward(t, product, "status", m.Name).code, "nobody answers")
	startGateway(t, s)
	m.approve(1, scientist) // she does not know whether it arrived
	m.await("one of two decisions", func(v live.View) bool { return asks(v, 1) })
	require.Len(t, m.seen.Release.Release.Decisions, 1)
	m.approve(1, product)
	m.awaitChampion(1)
	m.decidedOnce()
}

// startWorker runs a worker beside the stack.
func startWorker(t *testing.T, s *stack) *program {
	t.Helper()
	p := beside(t, s, "worker", "worker", "--dev")
	p.awaitWord(t, `"msg":"worker runs"`)
	return p
}

// startGateway runs a gateway beside the stack, which then speaks to it.
func startGateway(t *testing.T, s *stack) *program {
	t.Helper()
	p := beside(t, s, "gateway", "gateway", "--dev", "--listen", "127.0.0.1:0")
	s.Gateway = p.awaitWord(t, `"msg":"gateway serves","url":"([^"]+)"`)
	return p
}

func beside(t *testing.T, s *stack, name string, args ...string) *program {
	t.Helper()
	p, err := launch(s.Home, name, args...)
	require.NoError(t, err)
	t.Cleanup(func() {
		err := p.end(syscall.SIGTERM)
		if p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			require.NoError(t, err, p.said())
		}
	})
	return p
}

// awaitWord waits for a line of the program's log and returns what its group
// matched.
func (p *program) awaitWord(t *testing.T, pattern string) (group string) {
	t.Helper()
	line := regexp.MustCompile(pattern)
	eventually(t, p.name+" says "+pattern, func() error {
		found := line.FindStringSubmatch(p.said())
		if found == nil {
			return fmt.Errorf("it said: %s", p.said())
		}
		group = found[len(found)-1]
		return nil
	})
	return group
}

// shown is how long it may take until people see how far a job is.
const shown = 20 * time.Second

// awaitJob waits until the training job runs, its container included, and holds
// that people see it.
func (m *model) awaitJob() {
	m.Helper()
	began := time.Now()
	m.await("a training job runs", func(v live.View) bool {
		return v.Release != nil && len(v.Release.Jobs) == 1 && v.Release.Jobs[0].Status == "Training"
	})
	assert.Less(m, time.Since(began), shown, "the job's progress is shown as it happens")
}

// awaitAttempt waits until an activity of release 1 runs for the n-th time.
func (m *model) awaitAttempt(n int32) {
	m.Helper()
	c := m.temporal(m.T)
	eventually(m.T, fmt.Sprintf("attempt %d", n), func() error {
		d, err := c.DescribeWorkflowExecution(m.Context(), lifecycle.ReleaseID(m.Name, 1), "")
		if err != nil {
			return err
		}
		for _, a := range d.GetPendingActivities() {
			if a.GetAttempt() == n && a.GetLastStartedTime() != nil && a.GetHeartbeatDetails() != nil && a.GetLastHeartbeatTime().AsTime().After(a.GetLastStartedTime().AsTime()) {
				return nil
			}
		}
		return fmt.Errorf("the activities are %v", d.GetPendingActivities())
	})
}

// decidedOnce holds that each of the two decisions is in state and ledger once.
func (m *model) decidedOnce() {
	m.Helper()
	r, err := m.as(m.T, engineer).Release(m.Context(), m.Name, 1)
	require.NoError(m, err)
	var inState, inLedger []string
	for _, d := range r.Release.Decisions {
		require.True(m, d.Counted)
		inState = append(inState, d.Subject)
	}
	entries, err := m.as(m.T, engineer).Ledger(m.Context(), m.Name)
	require.NoError(m, err)
	require.NoError(m, evidence.Verify(entries))
	trainings := 0
	for _, e := range entries {
		switch e.Kind {
		case lifecycle.EntryDecided:
			inLedger = append(inLedger, e.Actor)
		case lifecycle.EntryTraining:
			trainings++
		}
	}
	require.Equal(m, []string{scientist, product}, inState)
	require.Equal(m, []string{scientist, product}, inLedger)
	require.Equal(m, 1, trainings)
}
