package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/client"

	"steward/internal/lifecycle"
)

// broken is a release that cannot succeed, and what everybody is told.
type broken struct {
	name   string
	change func(*declaration)
	data   func(t *testing.T) []byte // nil: sound rows
	stage  lifecycle.Stage           // where it shows
	kind   string                    // of the error
	says   []string
}

var brokenReleases = []broken{
	{
		name: "unknown-column", stage: lifecycle.StageSnapshot, kind: lifecycle.DataRejected,
		change: func(d *declaration) { d.Features = append(d.Features, "amunt") },
		says:   []string{"s3://unknown-column-data/rows/january.parquet", `column "amunt" does not exist`, `did you mean "amount"?`},
	},
	{
		name: "empty-file", stage: lifecycle.StageSnapshot, kind: lifecycle.DataRejected,
		data: func(*testing.T) []byte { return nil },
		says: []string{"s3://empty-file-data/rows/january.parquet", "is empty"},
	},
	{
		name: "no-rows", stage: lifecycle.StageSnapshot, kind: lifecycle.DataRejected,
		data: func(t *testing.T) []byte { return parquet(t, rows(t, 1, 0, january)) },
		says: []string{"s3://no-rows-data/rows/january.parquet", "no rows"},
	},
	{
		name: "truncated", stage: lifecycle.StageSnapshot, kind: lifecycle.DataRejected,
		data: func(t *testing.T) []byte { whole := parquet(t, rows(t, 1, 3000, january)); return whole[:len(whole)/2] },
		says: []string{"s3://truncated-data/rows/january.parquet", "parquet"},
	},
	{
		name: "one-class", stage: lifecycle.StageCheck, kind: lifecycle.DataRejected,
		data: oneClass,
		says: []string{`label "y" has one value only: 1 in all`, "both classes"},
	},
	{
		name: "train-exits", stage: lifecycle.StageTrain, kind: lifecycle.JobFailed,
		change: func(d *declaration) { d.Image = failingImage },
		says:   []string{"training job steward-train-exits-r1-linear failed", "out of luck in epoch 3", "exit code: 1"},
	},
	{
		name: "train-hangs", stage: lifecycle.StageTrain, kind: lifecycle.JobFailed,
		change: func(d *declaration) { d.Image, d.MaxRuntime = hangingImage, "2s" },
		says:   []string{"training job steward-train-hangs-r1-linear", "Runtime"},
	},
	{
		name: "deaf-in-batch", stage: lifecycle.StageEvaluate, kind: lifecycle.JobFailed,
		change: func(d *declaration) { d.Image = deafImage },
		says:   []string{"transform job steward-deaf-in-batch-r1-linear-val failed", "no answer to /ping within 1m"},
	},
	{
		name: "mute-endpoint", stage: lifecycle.StageRollout, kind: lifecycle.ServingFault,
		change: func(d *declaration) { d.Image = muteImage },
		says:   []string{"steward-mute-endpoint", "/ping"},
	},
}

// oneClass are rows of which all have the label 1.
func oneClass(t *testing.T) []byte {
	all := rows(t, 1, 3000, january)
	label, err := all.Schema.Index("y")
	require.NoError(t, err)
	var kept []int
	for i, y := range all.Numbers(label) {
		if y == 1 {
			kept = append(kept, i)
		}
	}
	return parquet(t, all.Take(kept))
}

// What is wrong with a release reaches everybody by type and in words, and what
// it made is removed.
func TestBrokenReleases(t *testing.T) {
	t.Parallel()
	for _, b := range brokenReleases {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			m := newModel(t, shared.get(t), b.name)
			if b.change != nil {
				b.change(&m.declaration)
			}
			if b.data == nil {
				b.data = func(t *testing.T) []byte { return parquet(t, rows(t, 1, 3000, january)) }
			}
			m.put("january.parquet", b.data(t))
			m.declare()
			m.release()
			if b.stage == lifecycle.StageRollout {
				m.awaitApproval(1)
				m.approve(1, scientist, product)
			}
			m.reachesTheCommand(b)
			m.reachesTheAPI(b)
			m.reachesTemporal(b)
			m.leavesNothing(b)
			m.reachesTheLedger(b)
		})
	}
}

// tells holds that a text has all that must be said.
func (b broken) tells(t *testing.T, where, text string) {
	t.Helper()
	for _, want := range append(b.says, b.kind) {
		require.Contains(t, text, want, where)
	}
}

func (m *model) reachesTheCommand(b broken) {
	m.Helper()
	a := m.steward(m.T, engineer, "watch", m.Name, "--until", "released", "--release", "1", "--every", "200ms")
	require.Equal(m, 1, a.code, a.err)
	require.Contains(m, a.err, "release 1 is ")
	for _, want := range b.says {
		require.Contains(m, a.err, want)
	}
	b.tells(m.T, "steward watch", a.out)
	b.tells(m.T, "steward status", m.must(m.T, engineer, "status", m.Name))
}

func (m *model) reachesTheAPI(b broken) {
	m.Helper()
	c := m.as(m.T, product)
	state, err := c.Model(m.Context(), m.Name)
	require.NoError(m, err)
	require.Nil(m, state.Champion)
	require.Nil(m, state.InFlight)
	require.Len(m, state.Releases, 1)
	require.NotNil(m, state.Releases[0].Problem)
	b.tells(m.T, "the model", state.Releases[0].Problem.Error())
	require.Equal(m, b.kind, state.Releases[0].Problem.Type)

	r, err := c.Release(m.Context(), m.Name, 1)
	require.NoError(m, err)
	require.Equal(m, lifecycle.StageFailed, r.Release.Stage)
	require.Equal(m, b.kind, r.Release.Problem.Type)
	b.tells(m.T, "the release", r.Release.Problem.Error())
	reached := r.Release.Times[len(r.Release.Times)-3].Stage // then undo, then the end
	require.Equal(m, b.stage, reached)
}

// reachesTemporal reads what the web UI shows of a failed workflow.
func (m *model) reachesTemporal(b broken) {
	m.Helper()
	c := m.temporal(m.T)
	d, err := c.DescribeWorkflowExecution(m.Context(), lifecycle.ReleaseID(m.Name, 1), "")
	require.NoError(m, err)
	require.Equal(m, enums.WORKFLOW_EXECUTION_STATUS_FAILED, d.GetWorkflowExecutionInfo().GetStatus())
	failure := closing(m.T, c, lifecycle.ReleaseID(m.Name, 1))
	require.Equal(m, b.kind, failure.GetApplicationFailureInfo().GetType())
	b.tells(m.T, "Temporal", failure.GetApplicationFailureInfo().GetType()+": "+failure.GetMessage())
}

// closing is the failure in the last event of a workflow.
func closing(t *testing.T, c client.Client, workflow string) *failurepb.Failure {
	t.Helper()
	events := c.GetWorkflowHistory(t.Context(), workflow, "", false, enums.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
	require.True(t, events.HasNext())
	e, err := events.Next()
	require.NoError(t, err)
	return e.GetWorkflowExecutionFailedEventAttributes().GetFailure()
}

func (m *model) reachesTheLedger(b broken) {
	m.Helper()
	entries, err := m.as(m.T, product).Ledger(m.Context(), m.Name)
	require.NoError(m, err)
	last := entries[len(entries)-1]
	require.Equal(m, lifecycle.EntryEnded, last.Kind)
	require.Equal(m, 1, last.Release)
	for _, want := range b.says {
		require.Contains(m, last.Text, want)
	}
	kind, _ := last.Data["type"].(string)
	require.Contains(m, kind+" "+last.Text, b.kind, "the type of the error")
}

// leavesNothing holds that what the release made is gone, on this machine too.
// Sealed evidence stays with what it speaks of.
func (m *model) leavesNothing(b broken) {
	m.Helper()
	require.Empty(m, m.inventory(m.T, m.Name))
	for job, status := range m.trainings(m.T, m.Name) {
		require.Contains(m, []string{"Completed", "Failed", "Stopped"}, status, job)
	}
	for job, status := range m.transforms(m.T, m.Name) {
		require.Contains(m, []string{"Completed", "Failed", "Stopped"}, status, job)
	}
	if b.stage != lifecycle.StageRollout {
		require.Empty(m, m.objects(m.T, "steward", "models/"+m.Name+"/releases/"))
	}
	for _, p := range processes(m.T, m.Home) {
		require.NotContains(m, p, playArgument+" "+m.Image+" ", "a process of the image")
	}
}
