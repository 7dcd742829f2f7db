package workflows

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"steward/activities"
	"steward/internal/lifecycle"
)

const (
	hour = lifecycle.Duration(time.Hour)
	day  = 24 * hour
)

func ptr[T any](v T) *T { return &v }

var meta = lifecycle.Metadata{Name: "churn", Team: "growth", Owners: map[lifecycle.Role]string{
	lifecycle.DataScientist: "ds@example.com", lifecycle.ProductManager: "pm@example.com", lifecycle.Operator: "op@example.com"}}

// declared is a small but complete declaration.
func declared() lifecycle.Spec {
	return lifecycle.Spec{
		Data: lifecycle.Data{Sources: []lifecycle.Source{{Name: "s", URI: "s3://in/x/", Format: "csv"}}, Task: lifecycle.Binary,
			Label: "y", ID: "id", Time: "t", Features: []string{"a"},
			GroundTruth: lifecycle.GroundTruth{URI: "s3://in/truth/", Key: "id", MatureAfter: 2 * hour, MinCoverage: 0.9}},
		Training: lifecycle.Training{Budget: 10, MaxRuntime: hour, Select: lifecycle.Select{Metric: "auc", Goal: "maximize"},
			Candidates: []lifecycle.Candidate{{Name: "linear", Image: "l", Instance: "i"}, {Name: "trees", Image: "t", Instance: "i"}}},
		Gates: []lifecycle.Gate{{Metric: "auc", Min: ptr(0.6)}, {Metric: "auc", VsChampion: &lifecycle.VsChampion{NonInferior: ptr(0.01)}}},
		Approval: lifecycle.Approval{Require: []lifecycle.Requirement{{Role: lifecycle.ProductManager, Count: 1}},
			NotAuthor: true, Remind: day, Expire: 14 * day, Escalate: &lifecycle.Escalation{After: 3 * day, To: "head"}},
		Rollout: lifecycle.Rollout{
			Steps:    []lifecycle.Step{{Smoke: &lifecycle.Smoke{Rows: 5}}, {Weight: ptr(10)}, {Bake: ptr(hour)}, {Promote: &lifecycle.Promote{}}},
			Analysis: lifecycle.Analysis{Every: hour / 4, MinSamples: 10, MaxFailures: 1, MaxInconclusive: 3, Expire: day}},
		Watch: lifecycle.Watch{Every: hour, Lag: hour / 12, MinRows: 100, InARow: 2, Drift: "auto",
			Quality: []lifecycle.QualityRule{{Metric: "auc", Min: ptr(0.6)}}},
		Retrain: lifecycle.Retrain{On: []lifecycle.Cause{lifecycle.CauseQuality, lifecycle.CauseAlert}, Cooldown: 6 * hour, MaxPerMonth: 2},
	}
}

// world is a test environment whose activities answer as a healthy world
// would, and the ledger that they wrote. A test overrides what it is about,
// before or with on.
type world struct {
	*testsuite.TestWorkflowEnvironment
	mu     sync.Mutex // activities run side by side
	ledger []lifecycle.Entry
	said   []lifecycle.Notice
}

func (w *world) kinds() (out []string) {
	for _, e := range w.ledger {
		out = append(out, e.Kind)
	}
	return out
}

func (w *world) notices() (out []string) {
	for _, n := range w.said {
		out = append(out, n.Kind)
	}
	return out
}

func newWorld(t *testing.T) *world {
	w := emptyWorld(t)
	Register(w)
	return w
}

// emptyWorld knows the activities and no workflow.
func emptyWorld(t *testing.T) *world {
	w := &world{TestWorkflowEnvironment: new(testsuite.WorkflowTestSuite).NewTestWorkflowEnvironment()}
	// The machine may be busy; a slow turn is not a deadlock.
	w.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	for _, a := range []any{&activities.Data{}, &activities.Profiling{}, &activities.Training{}, &activities.Evaluation{}, &activities.Registry{},
		&activities.Records{}, &activities.Deployment{}, &activities.Monitoring{}, &activities.People{}, &activities.Runs{}} {
		w.RegisterActivity(a)
	}
	w.SetTestTimeout(time.Minute)
	t.Cleanup(func() { w.AssertExpectations(t) })
	return w
}

// healthy answers every activity that the test has not answered before it.
func (w *world) healthy() *world {
	m := mock.Anything
	w.OnActivity(records.Record, m, m).Return(func(_ context.Context, e lifecycle.Entry) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ledger = append(w.ledger, e)
		return nil
	}).Maybe()
	w.OnActivity(people.Tell, m, m).Return(func(_ context.Context, n lifecycle.Notice) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.said = append(w.said, n)
		return nil
	}).Maybe()
	w.OnActivity(records.OpenLedger, m, m).Return(lifecycle.Head{}, nil).Maybe()
	w.OnActivity(records.VerifyDecision, m, m).Return(lifecycle.Verified{OK: true}, nil).Maybe()
	w.OnActivity(records.Seal, m, m).Return(evidence, nil).Maybe()
	w.OnActivity(data.TakeSnapshot, m, m).Return(lifecycle.Snapshot{URI: "s3://b/models/churn/snapshots/aa/manifest.json", Digest: "sha256:s", Rows: 1000}, nil).Maybe()
	w.OnActivity(data.CheckSnapshot, m, m).Return([]lifecycle.CheckResult{{Name: "rows", Pass: true, Severity: "stop"}}, nil).Maybe()
	w.OnActivity(data.PrepareParts, m, m).Return(parts, nil).Maybe()
	w.OnActivity(profiling.ProfilePart, m, m).Return(lifecycle.Profiled{Baseline: "s3://b/baseline.json", Cost: 0.3}, nil).Maybe()
	w.OnActivity(data.Discard, m, m).Return(nil).Maybe()
	w.OnActivity(training.Quote, m, m).Return(map[string]float64{"i": 1}, nil).Maybe()
	w.OnActivity(evaluation.Abandon, m, m).Return(lifecycle.Removed{}, nil).Maybe()
	w.OnActivity(training.Train, m, m).Return(trained, nil).Maybe()
	w.OnActivity(evaluation.Score, m, m).Return(lifecycle.Scored{URI: "s3://b/scores", Cost: 0.1}, nil).Maybe()
	w.OnActivity(evaluation.Evaluate, m, m).Return(auc(0.75), nil).Maybe()
	w.OnActivity(evaluation.Compare, m, m).Return([]lifecycle.Comparison{{Metric: "auc", Low: 0, High: 0.02}}, nil).Maybe()
	w.OnActivity(registry.Register, m, m).Return("arn:package", nil).Maybe()
	w.OnActivity(registry.SetApproval, m, m).Return(nil).Maybe()
	w.OnActivity(deployment.Deploy, m, m).Return(serves, nil).Maybe()
	w.OnActivity(deployment.SetWeights, m, m).Return(serves, nil).Maybe()
	w.OnActivity(deployment.Smoke, m, m).Return(nil).Maybe()
	w.OnActivity(deployment.Analyse, m, m).Return(lifecycle.Analysed{Outcome: lifecycle.Pass, Requests: 100}, nil).Maybe()
	w.OnActivity(deployment.RemoveUnused, m, m).Return(lifecycle.Removed{}, nil).Maybe()
	w.OnActivity(deployment.Retire, m, m).Return(lifecycle.Removed{Resources: []string{"endpoint/steward-churn"}}, nil).Maybe()
	w.OnActivity(monitoring.MeasureTraffic, m, m).Return(measured, nil).Maybe()
	w.OnActivity(monitoring.MeasureQuality, m, m).Return(matured, nil).Maybe()
	w.OnActivity(runs.IsRunning, m, m).Return(true, nil).Maybe()
	return w
}

// serves answers a deployment with what was asked for.
func serves(_ context.Context, in lifecycle.DeployInput) (lifecycle.Serving, error) {
	out := lifecycle.Serving{Config: "c", Weights: map[string]int{}}
	for _, v := range in.Variants {
		out.Weights[lifecycle.Variant(v.Champion.Release)] = v.Weight
	}
	return out, nil
}

// measured answers a window with enough traffic that has not drifted.
func measured(_ context.Context, in lifecycle.MeasureInput) (lifecycle.Window, error) {
	w := in.Window
	w.Rows = 500
	w.Findings = []lifecycle.Finding{{Cause: lifecycle.CauseDrift, Outcome: lifecycle.Pass}}
	return w, nil
}

// matured answers a window with good quality.
func matured(_ context.Context, in lifecycle.MeasureInput) (lifecycle.Window, error) {
	w := in.Window
	w.Matured, w.Quality = true, map[string]float64{"auc": 0.7}
	w.Findings = append(w.Findings, lifecycle.Finding{Cause: lifecycle.CauseQuality, Outcome: lifecycle.Pass})
	return w, nil
}

var (
	trained  = lifecycle.Trained{Job: "j", Image: "t", URI: "s3://b/model.tar.gz", Digest: "sha256:m", Seconds: 60, Cost: 0.5}
	parts    = lifecycle.Parts{Test: lifecycle.Part{Input: "s3://b/test/input", Rows: 100}, Validation: lifecycle.Part{Input: "s3://b/val/input"}}
	evidence = lifecycle.Evidence{URI: "s3://b/manifest.json", Digest: "sha256:e"}
)

func auc(v float64) lifecycle.Evaluation {
	return lifecycle.Evaluation{Metrics: map[string]float64{"auc": v}, Rows: 100, Scores: "s3://b/scores"}
}

func champion(release int) lifecycle.Champion {
	return lifecycle.Champion{Release: release, Model: trained, Evidence: evidence, Parts: parts, Test: auc(0.7), Author: "ana"}
}

// continued returns the input of the run that a workflow continued as.
func continued[T any](t *testing.T, err error) T {
	t.Helper()
	var can *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &can)
	var next T
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(can.Input, &next))
	return next
}

// state asks a running workflow for its state.
func state[T any](t *testing.T, w *world) T {
	t.Helper()
	v, err := w.QueryWorkflow(lifecycle.StateQuery)
	require.NoError(t, err)
	var s T
	require.NoError(t, v.Get(&s))
	return s
}

// answer collects how an update ended.
type answer struct {
	rejected, failed error
	accepted, done   bool
}

func (w *world) ask(name string, arg any) *answer {
	a := &answer{}
	w.UpdateWorkflow(name, "", &testsuite.TestUpdateCallback{
		OnAccept:   func() { a.accepted = true },
		OnReject:   func(err error) { a.rejected = err },
		OnComplete: func(_ any, err error) { a.failed, a.done = err, true },
	}, arg)
	return a
}
