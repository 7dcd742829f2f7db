package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"

	"steward/internal/dataset"
	"steward/internal/evidence"
	"steward/internal/lifecycle"
	"steward/starter/live"
)

// A model's whole life: released, overtaken by the world, renewed, brought back
// and retired.
func TestLife(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	m := newModel(t, newStack(t, home), "life")
	m.More = "      - {name: trees, image: steward/trees, instance: ml.m5.large, hyperparameters: {rounds: 30}}"
	m.put("january.parquet", parquet(t, rows(t, 1, 3000, january)))
	m.declare()
	m.release()
	m.awaitApproval(1)
	m.refusesOtherEvidence(1)
	m.approve(1, scientist)
	m.await("release 1 waits for the second person", func(v live.View) bool {
		return asks(v, 1) && v.Release.Release.Awaiting[0].Role == lifecycle.ProductManager
	})
	m.approve(1, product)
	m.awaitChampion(1)
	sample := rows(t, 9, 1, january)
	variant, first := m.invoke(sample, 0)
	require.Equal(t, "r1", variant)

	m.put("march.parquet", parquet(t, rows(t, 2, 3000, march)))
	traffic := m.traffic(rows(t, 3, 60_000, march))
	m.await("quality triggers release 2", func(v live.View) bool { return v.Model.InFlight != nil && v.Model.InFlight.Release == 2 })
	require.Equal(t, lifecycle.CauseQuality, m.seen.Model.Releases[1].Trigger.Cause)
	m.awaitApproval(2)
	m.approve(2, scientist, product)
	m.awaitChampion(2)
	m.wasCanary(2)
	m.await("windows of release 2 have their truth", func(v live.View) bool { return len(qualities(v, 2)) >= 2 })
	require.NoError(t, traffic.end(syscall.SIGINT), traffic.said())
	before, after := mean(qualities(m.seen, 1)), mean(qualities(m.seen, 2))
	require.Greater(t, after, before+0.2, "AUC by ground truth")
	variant, second := m.invoke(sample, 0)
	require.Equal(t, "r2", variant)
	require.NotEqual(t, first, second)

	m.must(t, operator, "rollback", m.Name, "--reason", "complaints")
	m.awaitChampion(1)
	variant, again := m.invoke(sample, 0)
	require.Equal(t, "r1", variant)
	require.Equal(t, first, again, "the very version that served before")
	m.await("the first window after the rollback closes", func(v live.View) bool {
		n := len(v.Model.Windows)
		return n > 0 && !v.Model.Windows[n-1].From.Before(v.Model.Champion.Since)
	})
	require.Empty(t, m.seen.Model.Pending, "windows of long ago are no reason for another release")
	require.Equal(t, 2, m.seen.Model.Last)
	m.retire()
}

// refusesOtherEvidence holds that nobody approves what they did not see.
func (m *model) refusesOtherEvidence(n int) {
	m.Helper()
	a := m.steward(m.T, scientist, "approve", m.Name, fmt.Sprint(n), "--yes", "--digest", "sha256:other")
	require.Equal(m, 4, a.code, a.err)
	r, err := m.as(m.T, scientist).Release(m.Context(), m.Name, n)
	require.NoError(m, err)
	require.Empty(m, r.Release.Decisions)
}

// traffic replays rows as a product that uses the model would, with their truth.
func (m *model) traffic(b *dataset.Batch) *program {
	m.Helper()
	file := filepath.Join(m.TempDir(), "traffic.parquet")
	require.NoError(m, os.WriteFile(file, parquet(m.T, b), 0o600))
	p, err := launch(m.Home, "traffic", "traffic", "--model", m.Name, "--file", file, "--rate", "150", "--truth-delay", "0s", "--as", engineer)
	require.NoError(m, err)
	m.Cleanup(func() { _ = p.end(syscall.SIGINT) }) // for a test that failed
	return p
}

// wasCanary holds that release n took over step by step, judged by live traffic.
func (m *model) wasCanary(n int) {
	m.Helper()
	r, err := m.as(m.T, engineer).Release(m.Context(), m.Name, n)
	require.NoError(m, err)
	require.True(m, r.Rollout.Outcome.Promoted)
	for _, s := range r.Rollout.Steps {
		require.Empty(m, s.Skipped, s.Name)
		require.Equal(m, lifecycle.Pass, s.Outcome, s.Name)
	}
	passed := 0
	for _, a := range r.Rollout.Analyses {
		if a.Outcome == lifecycle.Pass && a.Requests >= 5 {
			passed++
		}
	}
	require.Positive(m, passed, "analyses: %+v", r.Rollout.Analyses)
	require.NotEmpty(m, r.Release.Comparison, "it was compared with the champion")
}

// qualities are the AUCs of a release's windows.
func qualities(v live.View, release int) (all []float64) {
	for _, w := range v.Model.Windows {
		if auc, ok := w.Quality["auc"]; ok && w.Release == release {
			all = append(all, auc)
		}
	}
	return all
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// retire ends the model and holds that nothing that could serve is left, and
// that its record is.
func (m *model) retire() {
	m.Helper()
	require.NotEmpty(m, m.inventory(m.T, m.Name))
	require.NotEmpty(m, servers(m.T, m.Home))
	m.must(m.T, operator, "retire", m.Name, "--reason", "replaced", "--yes")
	c := m.temporal(m.T)
	eventually(m.T, "the model's workflow completes", func() error {
		d, err := c.DescribeWorkflowExecution(m.Context(), lifecycle.ModelID(m.Name), "")
		if err == nil && d.GetWorkflowExecutionInfo().GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_COMPLETED {
			err = fmt.Errorf("its status is %s", d.GetWorkflowExecutionInfo().GetStatus())
		}
		return err
	})
	require.Empty(m, m.inventory(m.T, m.Name))
	require.Empty(m, servers(m.T, m.Home))
	require.Len(m, m.objects(m.T, m.Name+"-data", "rows/"), 2, "data stay")
	require.NotEmpty(m, m.objects(m.T, "steward", "models/life/evidence/"), "evidence stays")

	entries, err := m.as(m.T, product).Ledger(m.Context(), m.Name)
	require.NoError(m, err)
	require.NoError(m, evidence.Verify(entries))
	kinds := map[string]int{}
	for _, e := range entries {
		kinds[e.Kind]++
	}
	for kind, n := range map[string]int{lifecycle.EntryApplied: 1, lifecycle.EntryOpened: 2, lifecycle.EntryDecided: 4,
		lifecycle.EntryApproved: 2, lifecycle.EntryTriggered: 1, lifecycle.EntryPromoted: 3, lifecycle.EntryRetired: 1} {
		require.Equal(m, n, kinds[kind], kind)
	}
	entries[3].Text += " not"
	require.Error(m, evidence.Verify(entries), "an edit is found")
}
