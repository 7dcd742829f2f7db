package gateway

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/temporal"

	"steward/internal/lifecycle"
)

// The sample is a flight-delay model whose second release waits for approval
// after its quality fell.

var t0 = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func after(minutes float64) time.Time {
	return t0.Add(time.Duration(minutes * float64(time.Minute)))
}

func digestOf(c string) string { return "sha256:" + strings.Repeat(c, 64) }

func ptr[T any](v T) *T { return &v }

func sampleSpec() lifecycle.Spec {
	return lifecycle.Spec{
		Objective: lifecycle.Objective{Statement: "Warn travellers of a late arrival while they can still rebook", Risk: "limited",
			KPI: &lifecycle.KPI{Name: "rebooked_in_time", Min: ptr(0.3)}},
		Training: lifecycle.Training{Budget: 50, Select: lifecycle.Select{Metric: "auc", Goal: "maximize"}},
		Approval: lifecycle.Approval{NotAuthor: true, Require: []lifecycle.Requirement{{Role: lifecycle.DataScientist, Count: 1}, {Role: lifecycle.ProductManager, Count: 1}}},
		Watch:    lifecycle.Watch{Quality: []lifecycle.QualityRule{{Metric: "auc", Min: ptr(0.68)}}},
	}
}

func sampleWindows() []lifecycle.Window {
	var all []lifecycle.Window
	for i := range 16 {
		w := lifecycle.Window{ID: fmt.Sprintf("1-%d", i+1), Release: 1, From: after(float64(10 * i)), To: after(float64(10*i + 10)), Rows: int64(2400 + 37*i%300)}
		fall := 0.07 / (1 + math.Exp(-float64(i)+7))
		w.Estimate = map[string]float64{"auc": 0.727 - 0.01*float64(i%3)/3}
		psi, level := 0.012+0.004*float64(i%4)+0.9*fall, "none"
		if i > 9 {
			psi, level = psi+0.06, "watch"
		}
		if i == 13 {
			psi, level = 0.221, "act"
			w.Findings = append(w.Findings, lifecycle.Finding{Cause: lifecycle.CauseDrift, Outcome: lifecycle.Failed, Detail: "origin_delay_prev_day moved: PSI 0.221 is above 0.2"})
		}
		w.Drift = []lifecycle.Drift{{Column: "distance", Measure: "psi", Value: 0.003, Level: "none"}, {Column: "origin_delay_prev_day", Measure: "psi", Value: psi, Level: level},
			{Column: "distance", Measure: "ks", Value: 0.9, Level: "none"}}
		if i < 14 {
			auc := 0.728 - fall + 0.004*math.Sin(float64(i)*2)
			w.Matured, w.Coverage, w.Quality = true, 0.97, map[string]float64{"auc": auc}
			if auc < 0.68 {
				w.Findings = append(w.Findings, lifecycle.Finding{Cause: lifecycle.CauseQuality, Outcome: lifecycle.Failed, Detail: fmt.Sprintf("auc %.4f is below 0.68", auc)})
			}
		}
		all = append(all, w)
	}
	return append(all, all[0]) // reported again
}

func sampleModel() lifecycle.ModelState {
	m := lifecycle.ModelState{
		Model: lifecycle.Metadata{Name: "flight-delay", Team: "rebooking", Owners: map[lifecycle.Role]string{
			lifecycle.DataScientist: "science@example.com", lifecycle.Operator: "ops@example.com", lifecycle.ProductManager: "product@example.com"}},
		Spec: sampleSpec(), Digest: digestOf("a"), Author: "deniz", Health: lifecycle.HealthDegraded, Last: 2,
		Windows:  sampleWindows(),
		InFlight: &lifecycle.InFlight{Release: 2, Workflow: lifecycle.ReleaseID("flight-delay", 2), Started: after(152)},
		Champion: &lifecycle.Champion{Release: 1, Since: after(1)},
		Pending:  []lifecycle.Trigger{{Cause: lifecycle.CauseDrift, Reason: "PSI 0.221", Author: lifecycle.Machine, At: after(150)}},
	}
	m.Releases = []lifecycle.ReleaseSummary{
		{Number: 1, Stage: lifecycle.StageReleased, Started: after(-30), Ended: after(1), Served: after(1), Approvers: []string{"ana", "pat"},
			Trigger: lifecycle.Trigger{Cause: lifecycle.CauseManual, Reason: "first version", Author: "deniz"}},
		{Number: 2, Stage: lifecycle.StageApproval, Started: after(152),
			Trigger: lifecycle.Trigger{Cause: lifecycle.CauseQuality, Reason: "auc was below 0.68 in 2 windows in a row", Author: lifecycle.Machine}},
	}
	return m
}

func sampleRelease() lifecycle.ReleaseState {
	r := lifecycle.ReleaseState{
		Model: "flight-delay", Number: 2, Stage: lifecycle.StageApproval, Started: after(152), Cost: 1.87, Winner: "trees",
		Trigger: lifecycle.Trigger{Cause: lifecycle.CauseQuality, Reason: "auc was below 0.68 in 2 windows in a row", Author: lifecycle.Machine, At: after(152)},
		Snapshot: &lifecycle.Snapshot{URI: "s3://demo/models/flight-delay/snapshots/5f0c/manifest.json", Digest: digestOf("5"), Files: 4, Rows: 301207,
			From: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2001, 3, 31, 0, 0, 0, 0, time.UTC)},
		Checks: []lifecycle.CheckResult{{Name: "distance", Pass: true, Severity: "stop", Observed: "11 to 4962, none missing", Expected: "at least 1, none missing"},
			{Name: "origin_delay_prev_day", Severity: "warn", Observed: "0.5 % missing", Expected: "none missing", Violations: 1498}},
		Candidates: []lifecycle.CandidateRun{
			{Name: "linear", Image: "steward/linear", Job: "steward-flight-delay-r2-linear", Model: &lifecycle.Trained{Seconds: 14, Cost: 0.03},
				Validation: &lifecycle.Evaluation{Metrics: map[string]float64{"auc": 0.69824, "logloss": 0.4371, "brier": 0.1374}}},
			{Name: "trees", Image: "steward/trees", Job: "steward-flight-delay-r2-trees", Model: &lifecycle.Trained{Seconds: 97, Cost: 0.31},
				Validation: &lifecycle.Evaluation{Metrics: map[string]float64{"auc": 0.73612, "logloss": 0.4102, "brier": 0.1281}}},
		},
		Test: &lifecycle.Evaluation{Rows: 60241, Metrics: map[string]float64{"auc": 0.7322}, Slices: []lifecycle.Slice{
			{Column: "origin", Value: "ATL", Metric: "auc", Rows: 3120, Result: 0.7291}, {Column: "origin", Value: "ORD", Metric: "auc", Rows: 2876, Result: 0.7134},
			{Column: "origin", Value: "GUM", Metric: "auc", Rows: 512, Undefined: "one class only"}}},
		Comparison: []lifecycle.Comparison{{Metric: "auc", Champion: 0.6633, Challenger: 0.7322, Delta: 0.0689, Low: 0.0641, High: 0.0736, Confidence: 0.95, Method: "DeLong", Rows: 60241}},
		Verdicts: []lifecycle.Verdict{{Gate: "auc at least 0.65", Outcome: lifecycle.Pass, Detail: "0.7322 on 60241 rows"},
			{Gate: "auc not worse than the champion's by 0.005", Outcome: lifecycle.Pass, Detail: "difference +0.0689, 95 % interval 0.0641 to 0.0736"},
			{Gate: "auc of every origin at least 0.55", Outcome: lifecycle.Pass, Detail: "lowest is 0.5871 at LGA; 41 origins have 500 rows"}},
		Evidence:  &lifecycle.Evidence{URI: "s3://demo/models/flight-delay/evidence/2/manifest.json", Digest: digestOf("e")},
		Decisions: []lifecycle.Decision{{Subject: "ana", Roles: []lifecycle.Role{lifecycle.DataScientist}, Approve: true, Comment: "slices look sound", At: after(156), Counted: true}},
		Awaiting:  []lifecycle.Awaited{{Role: lifecycle.ProductManager, Count: 1}}, ApproveBy: after(20000),
	}
	start := 152.0
	for i, s := range lifecycle.Stages[:9] {
		end := start + 0.2 + float64(i%4)*0.3
		r.Times = append(r.Times, lifecycle.StageTime{Stage: s, Start: after(start), End: after(end)})
		start = end
	}
	r.Times[8].End = time.Time{}
	return r
}

func sampleRollout() lifecycle.RolloutState {
	return lifecycle.RolloutState{
		Model: "flight-delay", Release: 2, Step: 3, Weights: map[string]int{"r1": 90, "r2": 10}, Serving: "steward-flight-delay-c2",
		Steps: []lifecycle.StepState{{Name: "smoke", Outcome: lifecycle.Pass, Start: after(160), End: after(161)}, {Name: "weight 10", Outcome: lifecycle.Pass, Start: after(161), End: after(162)},
			{Name: "bake 1h", Outcome: lifecycle.Pass, Start: after(162), End: after(222)}, {Name: "pause", Start: after(222)}, {Name: "weight 50"}, {Name: "bake 1h"}, {Name: "promote"}},
		Analyses: []lifecycle.Analysed{
			{At: after(170), Outcome: lifecycle.Inconclusive, Requests: 120, Detail: "120 requests are fewer than 200"},
			{At: after(180), Outcome: lifecycle.Pass, Requests: 431, Measured: []lifecycle.Reading{{Name: "errors", Value: 0, Max: lifecycle.Bound{Value: 0.01}, Outcome: lifecycle.Pass},
				{Name: "p99", Value: 0.041, Max: lifecycle.Bound{Value: 0.2, Seconds: true}, Outcome: lifecycle.Pass}}}},
		Awaiting: "go on after the first hour?", Until: after(9000),
	}
}

func sampleLedger() []lifecycle.Entry {
	texts := []struct{ kind, actor, text string }{
		{lifecycle.EntryApplied, "deniz", "model file applied"}, {lifecycle.EntryOpened, "deniz", "release 1 opened: first version"},
		{lifecycle.EntryApproved, "pat", "release 1 approved by ana and pat"}, {lifecycle.EntryPromoted, "steward", "release 1 serves all traffic"},
		{lifecycle.EntryWindow, "steward", "window 1-13: auc 0.6641 is below 0.68"}, {lifecycle.EntryTriggered, "steward", "release 2: auc was below 0.68 in 2 windows in a row"},
		{lifecycle.EntrySealed, "steward", "evidence of release 2 sealed"}, {lifecycle.EntryDecided, "ana", "approves release 2: slices look sound"},
	}
	var all []lifecycle.Entry
	for i, e := range texts {
		all = append(all, lifecycle.Entry{Seq: int64(i + 1), Model: "flight-delay", Release: 1 + i/5, At: after(float64(20 * i)), Kind: e.kind, Actor: e.actor, Text: e.text, Digest: digestOf(fmt.Sprint(i))})
	}
	return all
}

// sample puts the states behind a site.
func (s *site) sample(m lifecycle.ModelState, r lifecycle.ReleaseState, jobs ...lifecycle.Progress) {
	s.archive.entries = sampleLedger()
	s.archive.packs[r.Evidence.URI] = `{"format": "steward/evidence/v1"}`
	s.state(lifecycle.ModelID("flight-delay"), m)
	s.state(lifecycle.ReleaseID("flight-delay", 2), r)
	s.runs(lifecycle.ReleaseID("flight-delay", 2), jobs...)
}

// list makes Temporal list models in all healths.
func (s *site) list() {
	line := func(name, stage, health, owner string, release int64) *workflow.WorkflowExecutionInfo {
		return execution(lifecycle.ModelWorkflow, lifecycle.ModelID(name), map[temporal.SearchAttributeKey]any{
			lifecycle.AttrModel: name, lifecycle.AttrStage: stage, lifecycle.AttrHealth: health, lifecycle.AttrOwner: owner, lifecycle.AttrRelease: release,
			lifecycle.AttrAwaiting: lifecycle.ReleaseID(name, 9)})
	}
	first := &workflowservice.ListWorkflowExecutionsResponse{NextPageToken: []byte("2"), Executions: []*workflow.WorkflowExecutionInfo{
		line("flight-delay", "releasing", "degraded", "rebooking", 1),
		execution(lifecycle.ReleaseWorkflow, lifecycle.ReleaseID("flight-delay", 2), map[temporal.SearchAttributeKey]any{
			lifecycle.AttrModel: "flight-delay", lifecycle.AttrStage: "approval", lifecycle.AttrAwaiting: "product-manager"}),
		line("churn", "serving", "good", "retention", 14),
	}}
	second := &workflowservice.ListWorkflowExecutionsResponse{Executions: []*workflow.WorkflowExecutionInfo{
		line("parcel-eta", "releasing", "watch", "logistics", 7),
		execution(lifecycle.ReleaseWorkflow, lifecycle.ReleaseID("parcel-eta", 8), map[temporal.SearchAttributeKey]any{
			lifecycle.AttrModel: "parcel-eta", lifecycle.AttrStage: "rollout", lifecycle.AttrAwaiting: ""}),
		execution(lifecycle.RolloutWorkflow, lifecycle.RolloutID("parcel-eta", 8), map[temporal.SearchAttributeKey]any{
			lifecycle.AttrModel: "parcel-eta", lifecycle.AttrStage: "pause", lifecycle.AttrAwaiting: "go on after the first hour?"}),
		execution(lifecycle.ModelWorkflow, lifecycle.ModelID("card-fraud"), nil),
	}}
	is := func(token string) any {
		return mock.MatchedBy(func(r *workflowservice.ListWorkflowExecutionsRequest) bool { return string(r.NextPageToken) == token })
	}
	s.temporal.On("ListWorkflow", mock.Anything, is("")).Return(first, nil).Maybe()
	s.temporal.On("ListWorkflow", mock.Anything, is("2")).Return(second, nil).Maybe()
}
