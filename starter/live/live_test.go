package live

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/apiclient"
	"steward/internal/lifecycle"
)

var noon = time.Date(2001, 3, 1, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

// model is a model that nothing serves yet.
func model() View {
	return View{Model: lifecycle.ModelState{
		Model: lifecycle.Metadata{Name: "flights", Team: "rebooking"}, Health: lifecycle.HealthUnknown,
		Spec: lifecycle.Spec{Training: lifecycle.Training{Select: lifecycle.Select{Metric: "auc"}}},
	}}
}

// training is a model with a release that trains.
func training() View {
	v := model()
	v.Model.Last, v.Model.InFlight = 1, &lifecycle.InFlight{Release: 1}
	v.Release = &apiclient.Release{
		Release: lifecycle.ReleaseState{
			Model: "flights", Number: 1, Stage: lifecycle.StageTrain, Started: noon,
			Trigger: lifecycle.Trigger{Cause: lifecycle.CauseManual, Reason: "first one", Author: "ana"},
			Times: []lifecycle.StageTime{
				{Stage: lifecycle.StageSnapshot, Start: noon, End: at(4)}, {Stage: lifecycle.StageTrain, Start: at(4)},
			},
			Snapshot: &lifecycle.Snapshot{Rows: 1000, Files: 2},
		},
		Jobs: []lifecycle.Progress{{Job: "job-linear", Status: "InProgress", Done: 0.5, Metrics: map[string]float64{"loss": 0.25}, Started: at(5)}},
	}
	return v
}

// approving waits for people.
func approving() View {
	v := training()
	r := &v.Release.Release
	v.Release.Jobs = nil
	r.Stage, r.Winner, r.Cost = lifecycle.StageApproval, "trees", 1.5
	r.Times[1].End = at(40)
	r.Times = append(r.Times,
		lifecycle.StageTime{Stage: lifecycle.StageEvaluate, Start: at(40), End: at(42)},
		lifecycle.StageTime{Stage: lifecycle.StageGates, Start: at(42), End: at(42)},
		lifecycle.StageTime{Stage: lifecycle.StageApproval, Start: at(42)})
	r.Candidates = []lifecycle.CandidateRun{
		{Name: "linear", Problem: &lifecycle.Problem{Type: lifecycle.JobFailed, Message: "exit 1"}},
		{Name: "trees", Model: &lifecycle.Trained{Seconds: 36}},
	}
	r.Test = &lifecycle.Evaluation{Metrics: map[string]float64{"auc": 0.728, "brier": 0.15}}
	r.Comparison = []lifecycle.Comparison{{Metric: "auc", Delta: 0.01, Low: 0.004, High: 0.016}}
	r.Verdicts = []lifecycle.Verdict{{Gate: "auc at least 0.65", Outcome: lifecycle.Pass}}
	r.Decisions = []lifecycle.Decision{{Subject: "ana", Approve: true, Note: "the author", At: at(50)}}
	r.Awaiting = []lifecycle.Awaited{{Role: lifecycle.DataScientist, Count: 1}, {Role: lifecycle.ProductManager, Count: 2}}
	r.ApproveBy = at(3600)
	return v
}

// rolling moves traffic beside a champion.
func rolling() View {
	v := approving()
	v.Model.Health = lifecycle.HealthWatch
	v.Model.Champion = &lifecycle.Champion{Release: 1, Since: noon, Test: lifecycle.Evaluation{Metrics: map[string]float64{"auc": 0.7}}}
	v.Model.Windows = []lifecycle.Window{
		{ID: "1-1", To: at(8), Rows: 300, Matured: true, Coverage: 0.95, Quality: map[string]float64{"auc": 0.61},
			Findings: []lifecycle.Finding{{Cause: lifecycle.CauseQuality, Outcome: lifecycle.Failed, Detail: "auc below 0.68"}}},
		{ID: "1-2", To: at(16), Rows: 310, Drift: []lifecycle.Drift{
			{Column: "origin", Measure: "psi", Value: 0.05, Level: "none"}, {Column: "distance", Measure: "psi", Value: 0.23, Level: "act"}}},
	}
	v.Watch = &lifecycle.WatchState{Next: at(75)}
	v.Model.Pending = []lifecycle.Trigger{{Cause: lifecycle.CauseDrift, Reason: "distance moved"}}
	v.Release.Release.Stage, v.Release.Release.Awaiting = lifecycle.StageRollout, nil
	v.Release.Rollout = &lifecycle.RolloutState{
		Release: 2, Weights: map[string]int{"r1": 90, "r2": 10}, Awaiting: "go on?", Until: at(120),
		Steps: []lifecycle.StepState{
			{Name: "smoke", Start: at(50), End: at(51), Outcome: lifecycle.Pass}, {Name: "shadow", Skipped: "nothing serves"},
			{Name: "bake 1m", Start: at(51)}, {Name: "promote"},
		},
		Analyses: []lifecycle.Analysed{{At: at(55), Outcome: lifecycle.Pass, Requests: 500, Measured: []lifecycle.Reading{
			{Name: "errors", Value: 0.002, Max: lifecycle.Bound{Value: 0.01}}, {Name: "p99", Value: 0.0123, Max: lifecycle.Bound{Value: 0.2, Seconds: true}}}}},
	}
	return v
}

func failed() View {
	v := training()
	r := &v.Release.Release
	r.Stage, r.Ended, r.Problem = lifecycle.StageFailed, at(30), &lifecycle.Problem{Type: lifecycle.JobFailed, Message: "exit 1"}
	r.Times[1].End = at(29)
	r.Times = append(r.Times, lifecycle.StageTime{Stage: lifecycle.StageUndo, Start: at(29), End: at(30)})
	v.Release.Jobs, v.Model.InFlight = nil, nil
	v.Model.Releases = []lifecycle.ReleaseSummary{{Number: 1, Stage: lifecycle.StageFailed, Started: noon, Ended: at(30), Problem: r.Problem}}
	return v
}

func retired(gone time.Time) View {
	v := model()
	v.Model.Retired, v.Model.Gone = &lifecycle.Trigger{Author: "oli", Reason: "replaced"}, gone
	return v
}

func TestTree(t *testing.T) {
	for _, tt := range []struct {
		name  string
		view  View
		now   time.Time
		width int
		want  string
	}{
		{"nothing yet", model(), noon, 80, `
flights · rebooking · health unknown · 12:00:00
└─ nothing serves yet`},
		{"brought back", func() View {
			v := model()
			v.Model.Champion = &lifecycle.Champion{Release: 1, Since: noon, Test: lifecycle.Evaluation{Metrics: map[string]float64{"auc": 0.7}}}
			v.Model.Restored = &lifecycle.Restored{From: 2, By: "oli", Reason: "complaints"}
			silent := []lifecycle.Finding{{Cause: lifecycle.CauseDrift, Outcome: lifecycle.Inconclusive, Detail: "0 rows"}}
			v.Model.Windows = []lifecycle.Window{{ID: "1-9", Release: 1, From: noon, To: noon, Matured: true, Findings: silent},
				{ID: "1-10", Release: 1, From: noon, To: at(4), Findings: silent}}
			v.Model.Last = 2
			v.Model.Releases = []lifecycle.ReleaseSummary{
				{Number: 1, Stage: lifecycle.StageReleased, Trigger: lifecycle.Trigger{Cause: lifecycle.CauseManual, Author: "ana"}, Served: noon, Approvers: []string{"pat", "deniz"}},
				{Number: 2, Stage: lifecycle.StageReleased}}
			return v
		}(), at(5), 80, `
flights · rebooking · health unknown · 12:00:05
├─ release 1 serves for 5s · auc 0.7 at release
│  ├─ brought back from release 2 by oli: complaints
│  └─ drift inconclusive: 0 rows
├─ watch
│  └─ 1-9 12:00:00  no traffic, so nothing was measured
└─ earlier releases
   └─ 1 released · manual by ana · serves for 5s · approved by pat, deniz`},
		{"gone", retired(noon), noon, 0, `
flights · rebooking · health unknown · retired by oli: replaced · 12:00:00
└─ nothing serves any more; data, evidence and ledger stay`},
		{"training", training(), at(65), 0, `
flights · rebooking · health unknown · 12:01:05
├─ nothing serves yet
└─ release 1 · manual: first one · by ana · 1m05s
   ├─ ✓ snapshot      4s  1000 rows in 2 files
   └─ ▶ train      1m01s
      └─ job-linear  InProgress  ██████████░░░░░░░░░░  50 %  loss 0.25  1m00s`},
		{"cut to the width", training(), at(65), 30, `
flights · rebooking · health …
├─ nothing serves yet
└─ release 1 · manual: first …
   ├─ ✓ snapshot      4s  100…
   └─ ▶ train      1m01s
      └─ job-linear  InProgre…`},
		{"approving", approving(), at(60), 0, `
flights · rebooking · health unknown · 12:01:00
├─ nothing serves yet
└─ release 1 · manual: first one · by ana · 1m00s · cost 1.50
   ├─ ✓ snapshot      4s  1000 rows in 2 files
   ├─ ✓ train        36s  linear failed: exit 1, trees trained (36s)
   ├─ ✓ evaluate      2s  trees wins: auc 0.728
   ├─ ✓ gates         0s  all 1 passed; auc +0.0100 [+0.0040, +0.0160] against the champion
   └─ ▶ approval     18s  approved by ana (does not count: the author)
waiting for 1 data-scientist, 2 product-managers to approve release 1 within 59m00s: steward approve flights 1`},
		{"failed", failed(), at(7200), 0, `
flights · rebooking · health unknown · 14:00:00
├─ nothing serves yet
└─ release 1 · manual: first one · by ana · failed · 30s
   ├─ ✓ snapshot      4s  1000 rows in 2 files
   ├─ ✗ train        25s
   ├─ ✓ undo          1s  removed 0
   └─ ✗ JobFailed: exit 1`},
		{"rolling", rolling(), at(60), 0, `
flights · rebooking · health watch · 12:01:00
├─ release 1 serves for 1m00s · auc 0.7 at release
├─ release 1 · manual: first one · by ana · 1m00s · cost 1.50
│  ├─ ✓ snapshot      4s  1000 rows in 2 files
│  ├─ ✓ train        36s  linear failed: exit 1, trees trained (36s)
│  ├─ ✓ evaluate      2s  trees wins: auc 0.728
│  ├─ ✓ gates         0s  all 1 passed; auc +0.0100 [+0.0040, +0.0160] against the champion
│  └─ ▶ approval     18s  approved by ana (does not count: the author)
├─ rollout of release 2
│  ├─ ✓ smoke  1s
│  ├─ - shadow (skipped: nothing serves)
│  ├─ ▶ bake 1m  9s
│  ├─ · promote
│  ├─ traffic
│  │  ├─ r1   ██████████████████░░  90 %
│  │  └─ r2   ██░░░░░░░░░░░░░░░░░░  10 %
│  └─ analysis 12:00:55 pass, 500 requests · errors 0.002 of 0.01 · p99 12.3ms of 200ms
├─ watch · the window closes in 15s
│  ├─ 1-2 12:00:16  310 rows · largest psi 0.23 of distance: act · truth awaited
│  └─ 1-1 12:00:08  300 rows · quality fail: auc below 0.68
└─ noted for the next release
   └─ drift: distance moved
waiting for a person within 1m00s: go on?: steward approve flights 1 (or reject)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, strings.TrimPrefix(tt.want, "\n"), strings.Join(Tree(tt.view, tt.now, tt.width), "\n"))
		})
	}
}

// What a container said last may be a traceback.
func TestALongReasonStaysALine(t *testing.T) {
	v := failed()
	v.Release.Release.Problem.Message = "exit 1\nTraceback:\n  no memory\n"
	lines := Tree(v, at(7200), 0)
	require.Equal(t, "   └─ ✗ JobFailed: exit 1 / Traceback: / no memory", lines[len(lines)-1])
	for _, line := range Changes(View{}, v) {
		require.NotContains(t, line, "\n")
	}
}

func TestTitle(t *testing.T) {
	byOli := &lifecycle.Trigger{Author: "oli", Reason: "replaced"}
	for want, change := range map[string]func(*lifecycle.ModelState){
		"paused: freeze":                       func(m *lifecycle.ModelState) { m.Paused = "freeze" },
		"retiring, asked for by oli: replaced": func(m *lifecycle.ModelState) { m.Retired = byOli },
		"retirement failed: Timeout: slow":     func(m *lifecycle.ModelState) { m.Problem = &lifecycle.Problem{Type: "Timeout", Message: "slow"} },
		"retired by oli: replaced":             func(m *lifecycle.ModelState) { m.Retired, m.Gone = byOli, noon },
		"going back to release 3":              func(m *lifecycle.ModelState) { m.InFlight = &lifecycle.InFlight{Release: 3, Rollback: true} },
	} {
		v := model()
		change(&v.Model)
		require.Contains(t, Tree(v, noon, 0)[0], want)
	}
}

func TestChanges(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, after View
		want          []string
	}{
		{"the first look", View{}, training(), []string{
			"flights: health is unknown", "release 1 begins, manual: first one", "release 1: snapshot took 4s  1000 rows in 2 files",
			"release 1: train", "release 1: job job-linear InProgress",
		}},
		{"nothing new", training(), training(), nil},
		{"only time passed", func() View {
			v := training()
			v.Release.Jobs[0].Done = 0.1
			return v
		}(), training(), nil},
		{"stages went by", training(), approving(), []string{
			"release 1: train took 36s  linear failed: exit 1, trees trained (36s)", "release 1: evaluate took 2s  trees wins: auc 0.728",
			"release 1: gates took 0s  all 1 passed; auc +0.0100 [+0.0040, +0.0160] against the champion", "release 1: approval",
			"release 1: approved by ana (does not count: the author)", "release 1: waits for 1 data-scientist, 2 product-managers",
		}},
		{"it failed", training(), failed(), []string{
			"release 1: train took 25s", "release 1: undo took 1s  removed 0", "release 1 ended: failed after 30s: JobFailed: exit 1",
		}},
		{"rolling", approving(), rolling(), []string{
			"flights: health is watch", "flights: noted drift: distance moved", "release 1: traffic r1 90 %, r2 10 %",
			"release 1: step smoke took 1s  pass", "release 1: step shadow skipped: nothing serves", "release 1: step bake 1m",
			"release 1: analysis 12:00:55 pass, 500 requests · errors 0.002 of 0.01 · p99 12.3ms of 200ms",
			"release 1: waits for a person: go on?", "release 1 serves",
			"window 1-1: 300 rows · quality fail: auc below 0.68",
			"window 1-2: 310 rows · largest psi 0.23 of distance: act · truth awaited",
		}},
		{"going back", approving(), func() View {
			v := approving()
			v.Model.InFlight = &lifecycle.InFlight{Release: 7, Rollback: true, Order: &lifecycle.Order{By: "oli", Reason: "complaints"}}
			return v
		}(), []string{"flights: going back to release 7, asked for by oli: complaints"}},
		{"the steps of a rollout come before its sum", approving(), func() View {
			v := approving()
			r := &v.Release.Release
			r.Stage, r.Awaiting, r.Times[4].End = lifecycle.StageReleased, nil, at(60)
			r.Times = append(r.Times, lifecycle.StageTime{Stage: lifecycle.StageRollout, Start: at(60), End: at(62)})
			v.Release.Rollout = &lifecycle.RolloutState{Steps: []lifecycle.StepState{{Name: "smoke", Start: at(60), End: at(61), Outcome: lifecycle.Pass}}}
			return v
		}(), []string{
			"release 1: approval took 18s  approved by ana (does not count: the author)",
			"release 1: step smoke took 1s  pass", "release 1: rollout took 2s",
		}},
		{"it came back", rolling(), func() View {
			v := rolling()
			v.Model.Restored = &lifecycle.Restored{From: 2, By: "oli", Reason: "complaints"}
			return v
		}(), []string{"release 1 serves, brought back from release 2 by oli: complaints"}},
		{"it cannot be retired", model(), func() View {
			v := model()
			v.Model.Problem = &lifecycle.Problem{Type: "Timeout", Message: "slow"}
			return v
		}(), []string{"flights: retirement failed: Timeout: slow"}},
		{"retiring", model(), retired(time.Time{}), []string{"flights: retiring, asked for by oli: replaced"}},
		{"retired", retired(time.Time{}), retired(noon), []string{"flights: retired by oli: replaced"}},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, Changes(tt.before, tt.after)) })
	}
}

func TestEnded(t *testing.T) {
	over, err := training().Ended(0)
	require.False(t, over)
	require.NoError(t, err)

	over, err = failed().Ended(1)
	require.True(t, over)
	require.ErrorIs(t, err, ErrNotReleased)
	require.ErrorContains(t, err, "release 1 is failed: exit 1")

	v := failed()
	v.Model.Releases[0].Stage = lifecycle.StageReleased
	over, err = v.Ended(1)
	require.True(t, over)
	require.NoError(t, err)
}

func TestElapsed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 59 * time.Second: "59s", time.Minute: "1m00s", 59*time.Minute + 59*time.Second: "59m59s",
		3*time.Hour + 5*time.Minute: "3h05m", 52 * time.Hour: "2d4h",
	} {
		require.Equal(t, want, elapsed(d), d.String())
	}
}

func TestBar(t *testing.T) {
	for share, want := range map[float64]string{-1: "░░░░", 0: "░░░░", 0.5: "██░░", 1: "████", 2: "████"} {
		require.Equal(t, want, bar(share, 4))
	}
}
