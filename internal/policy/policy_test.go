package policy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
	"steward/internal/policy"
)

const digest = "sha256:aa"

func says(who string, approve bool, roles ...lifecycle.Role) lifecycle.Decision {
	return lifecycle.Decision{Subject: who, Roles: roles, Approve: approve, Digest: digest, Counted: true}
}

func TestApprovals(t *testing.T) {
	const ds, pm, op = lifecycle.DataScientist, lifecycle.ProductManager, lifecycle.Operator
	two := lifecycle.Approval{Require: []lifecycle.Requirement{{Role: ds, Count: 1}, {Role: pm, Count: 1}}, NotAuthor: true}
	pair := lifecycle.Approval{Require: []lifecycle.Requirement{{Role: ds, Count: 2}}}
	unverified, stale := says("pat", true, pm), says("pat", true, pm)
	unverified.Counted, stale.Digest = false, "sha256:bb"
	for _, tt := range []struct {
		name     string
		rule     lifecycle.Approval
		said     []lifecycle.Decision
		approved bool
		rejected bool
		awaiting []lifecycle.Awaited
	}{
		{"nobody", two, nil, false, false, []lifecycle.Awaited{{Role: ds, Count: 1}, {Role: pm, Count: 1}}},
		{"one of two", two, []lifecycle.Decision{says("pat", true, pm)}, false, false, []lifecycle.Awaited{{Role: ds, Count: 1}}},
		{"both", two, []lifecycle.Decision{says("pat", true, pm), says("sam", true, ds)}, true, false, nil},
		{"one person, two roles", two, []lifecycle.Decision{says("pat", true, pm, ds)}, false, false, []lifecycle.Awaited{{Role: pm, Count: 1}}},
		{"roles are matched", two, []lifecycle.Decision{says("pat", true, pm, ds), says("sam", true, ds)}, true, false, nil},
		{"the author", two, []lifecycle.Decision{says("ana", true, ds), says("pat", true, pm)}, false, false, []lifecycle.Awaited{{Role: ds, Count: 1}}},
		{"foreign role", two, []lifecycle.Decision{says("oli", true, op), says("pat", true, pm)}, false, false, []lifecycle.Awaited{{Role: ds, Count: 1}}},
		{"unverified", two, []lifecycle.Decision{unverified, says("sam", true, ds)}, false, false, []lifecycle.Awaited{{Role: pm, Count: 1}}},
		{"for other evidence", two, []lifecycle.Decision{stale, says("sam", true, ds)}, false, false, []lifecycle.Awaited{{Role: pm, Count: 1}}},
		{"a no", two, []lifecycle.Decision{says("pat", true, pm), says("sam", false, ds)}, false, true, []lifecycle.Awaited{{Role: ds, Count: 1}, {Role: pm, Count: 1}}},
		{"a no taken back", two, []lifecycle.Decision{says("pat", false, pm), says("pat", true, pm), says("sam", true, ds)}, true, false, nil},
		{"a foreign no", two, []lifecycle.Decision{says("oli", false, op), says("pat", true, pm), says("sam", true, ds)}, true, false, nil},
		{"twice the same person", pair, []lifecycle.Decision{says("sam", true, ds), says("sam", true, ds)}, false, false, []lifecycle.Awaited{{Role: ds, Count: 1}}},
		{"two of a role", pair, []lifecycle.Decision{says("sam", true, ds), says("kim", true, ds)}, true, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := policy.Approvals(tt.rule, "ana", digest, tt.said)
			require.Equal(t, tt.approved, got.Approved)
			require.Equal(t, tt.rejected, got.Rejected != nil)
			require.Equal(t, tt.awaiting, got.Awaiting)
		})
	}
}

func TestNextChaser(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	hour := lifecycle.Duration(time.Hour)
	rule := lifecycle.Approval{Remind: 24 * hour, Expire: 100 * hour, Escalate: &lifecycle.Escalation{After: 72 * hour}}
	for _, tt := range []struct {
		reminded  int
		escalated bool
		want      policy.Chaser
		after     time.Duration
	}{
		{0, false, policy.Remind, 24 * time.Hour},
		{2, false, policy.Escalate, 72 * time.Hour},
		{2, true, policy.Remind, 72 * time.Hour},
		{3, true, policy.Remind, 96 * time.Hour},
		{4, true, policy.Expire, 100 * time.Hour},
	} {
		what, when := policy.NextChaser(rule, at, tt.reminded, tt.escalated)
		require.Equal(t, tt.want, what)
		require.Equal(t, at.Add(tt.after), when)
	}
}

func ptr[T any](v T) *T { return &v }

func TestJudge(t *testing.T) {
	m := policy.Measured{
		Test: lifecycle.Evaluation{Metrics: map[string]float64{"auc": 0.70, "log_loss": 0.4}, Slices: []lifecycle.Slice{
			{Column: "origin", Value: "JFK", Metric: "auc", Rows: 900, Result: 0.61},
			{Column: "origin", Value: "ATL", Metric: "auc", Rows: 800, Result: 0.54},
			{Column: "origin", Value: "XYZ", Metric: "auc", Rows: 10, Result: 0.2},
			{Column: "dest", Value: "JFK", Metric: "auc", Rows: 900, Undefined: "one class"},
		}},
		Comparison: []lifecycle.Comparison{
			{Metric: "auc", Delta: 0.01, Low: -0.002, High: 0.02},
			{Metric: "log_loss", Delta: 0.01, Low: -0.02, High: 0.03},
		},
	}
	for _, tt := range []struct {
		name  string
		gate  lifecycle.Gate
		first bool
		want  lifecycle.Outcome
	}{
		{"met", lifecycle.Gate{Metric: "auc", Min: ptr(0.65)}, false, lifecycle.Pass},
		{"on the bound", lifecycle.Gate{Metric: "auc", Min: ptr(0.70)}, false, lifecycle.Pass},
		{"missed", lifecycle.Gate{Metric: "auc", Min: ptr(0.71)}, false, lifecycle.Failed},
		{"above max", lifecycle.Gate{Metric: "log_loss", Max: ptr(0.3)}, false, lifecycle.Failed},
		{"not measured", lifecycle.Gate{Metric: "brier", Max: ptr(0.3)}, false, lifecycle.Inconclusive},
		{"a slice fails", lifecycle.Gate{Metric: "auc", Slice: "origin", Min: ptr(0.55), MinRows: 500}, false, lifecycle.Failed},
		{"small slices do not count", lifecycle.Gate{Metric: "auc", Slice: "origin", Min: ptr(0.5), MinRows: 500}, false, lifecycle.Pass},
		{"undefined slice", lifecycle.Gate{Metric: "auc", Slice: "dest", Min: ptr(0.5), MinRows: 500}, false, lifecycle.Inconclusive},
		{"no slice large enough", lifecycle.Gate{Metric: "auc", Slice: "origin", Min: ptr(0.5), MinRows: 5000}, false, lifecycle.Inconclusive},
		{"non-inferior", lifecycle.Gate{Metric: "auc", VsChampion: &lifecycle.VsChampion{NonInferior: ptr(0.005)}}, false, lifecycle.Pass},
		{"inferior by the margin", lifecycle.Gate{Metric: "auc", VsChampion: &lifecycle.VsChampion{NonInferior: ptr(0.001)}}, false, lifecycle.Failed},
		{"not superior", lifecycle.Gate{Metric: "auc", VsChampion: &lifecycle.VsChampion{Superior: true}}, false, lifecycle.Failed},
		{"lower is better", lifecycle.Gate{Metric: "log_loss", VsChampion: &lifecycle.VsChampion{NonInferior: ptr(0.025)}}, false, lifecycle.Failed},
		{"lower is better, wide", lifecycle.Gate{Metric: "log_loss", VsChampion: &lifecycle.VsChampion{NonInferior: ptr(0.035)}}, false, lifecycle.Pass},
		{"not compared", lifecycle.Gate{Metric: "brier", VsChampion: &lifecycle.VsChampion{Superior: true}}, false, lifecycle.Inconclusive},
		{"no champion", lifecycle.Gate{Metric: "auc", VsChampion: &lifecycle.VsChampion{Superior: true}}, true, lifecycle.Pass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := m
			m.First = tt.first
			got := policy.Judge([]lifecycle.Gate{tt.gate}, m)
			require.Equal(t, tt.want, got[0].Outcome, got[0].Detail)
			ok, why := policy.Passed(got)
			require.Equal(t, tt.want == lifecycle.Pass, ok)
			require.Equal(t, ok, why == "")
		})
	}
	ok, _ := policy.Passed(nil)
	require.False(t, ok, "no verdicts are no pass")
}

func TestWinner(t *testing.T) {
	run := func(name string, v float64) lifecycle.CandidateRun {
		return lifecycle.CandidateRun{Name: name, Validation: &lifecycle.Evaluation{Metrics: map[string]float64{"auc": v}}}
	}
	up := lifecycle.Select{Metric: "auc", Goal: "maximize"}
	got, err := policy.Winner(up, []lifecycle.CandidateRun{run("a", 0.7), {Name: "failed"}, run("b", 0.8), run("c", 0.8)})
	require.NoError(t, err)
	require.Equal(t, "b", got, "ties go to the first declared")
	got, err = policy.Winner(lifecycle.Select{Metric: "auc", Goal: "minimize"}, []lifecycle.CandidateRun{run("a", 0.7), run("b", 0.8)})
	require.NoError(t, err)
	require.Equal(t, "a", got)
	_, err = policy.Winner(up, []lifecycle.CandidateRun{{Name: "failed"}})
	require.ErrorContains(t, err, "no candidate")
}

func TestEstimate(t *testing.T) {
	spec := lifecycle.Training{MaxRuntime: lifecycle.Duration(2 * time.Hour),
		Candidates: []lifecycle.Candidate{{Name: "a", Instance: "x"}, {Name: "b", Instance: "y"}}}
	got, err := policy.Estimate(lifecycle.Spec{Training: spec}, map[string]float64{"x": 1, "y": 0.5})
	require.NoError(t, err)
	require.InDelta(t, 3.0, got, 1e-12)
	_, err = policy.Estimate(lifecycle.Spec{Training: spec}, map[string]float64{"x": 1})
	require.ErrorContains(t, err, "candidate b: no price is known for instance y")

	profiled := lifecycle.Spec{Training: spec, Data: lifecycle.Data{Profile: &lifecycle.Profiling{Instance: "y", Count: 3}}}
	got, err = policy.Estimate(profiled, map[string]float64{"x": 1, "y": 0.5})
	require.NoError(t, err)
	require.InDelta(t, 6.0, got, 1e-12)
	_, err = policy.Estimate(profiled, map[string]float64{"x": 1})
	require.ErrorContains(t, err, "profile: no price is known for instance y")
}

func TestBake(t *testing.T) {
	rule := lifecycle.Analysis{MaxFailures: 2, MaxInconclusive: 3}
	const p, f, i, e = lifecycle.Pass, lifecycle.Failed, lifecycle.Inconclusive, lifecycle.Faulty
	for _, tt := range []struct {
		name string
		made []lifecycle.Outcome
		want policy.BakeVerdict
	}{
		{"nothing yet", nil, policy.BakeOn},
		{"silence is no pass", []lifecycle.Outcome{i, i}, policy.BakeOn},
		{"one good", []lifecycle.Outcome{i, p}, policy.BakeSound},
		{"one bad is not yet enough", []lifecycle.Outcome{p, f}, policy.BakeSound},
		{"two bad", []lifecycle.Outcome{f, p, f}, policy.BakeFailed},
		{"too much silence", []lifecycle.Outcome{p, i, e, i}, policy.BakeUnclear},
		{"silence interrupted", []lifecycle.Outcome{i, i, p}, policy.BakeSound},
		{"an early pass covers no later silence", []lifecycle.Outcome{p, i, e}, policy.BakeOn},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tally lifecycle.BakeTally
			for _, o := range tt.made {
				tally = policy.Count(tally, o)
			}
			require.Equal(t, tt.want, policy.Bake(rule, tally))
		})
	}
}

func window(release int, findings ...lifecycle.Finding) lifecycle.Window {
	return lifecycle.Window{Release: release, Findings: findings}
}

func found(c lifecycle.Cause, o lifecycle.Outcome) lifecycle.Finding {
	return lifecycle.Finding{Cause: c, Outcome: o, Detail: "auc 0.6"}
}

func TestBreachesAndHealth(t *testing.T) {
	const q, d = lifecycle.CauseQuality, lifecycle.CauseDrift
	bad, good, unclear := found(q, lifecycle.Failed), found(q, lifecycle.Pass), found(q, lifecycle.Inconclusive)
	for _, tt := range []struct {
		name    string
		windows []lifecycle.Window
		health  lifecycle.Health
		causes  []lifecycle.Cause
	}{
		{"nothing measured", nil, lifecycle.HealthUnknown, nil},
		{"good", []lifecycle.Window{window(1, good)}, lifecycle.HealthGood, nil},
		{"one breach", []lifecycle.Window{window(1, good), window(1, bad)}, lifecycle.HealthWatch, nil},
		{"two in a row", []lifecycle.Window{window(1, bad), window(1, bad)}, lifecycle.HealthDegraded, []lifecycle.Cause{q}},
		{"immature windows are passed over", []lifecycle.Window{window(1, bad), window(1, bad), window(1, found(d, lifecycle.Pass))}, lifecycle.HealthDegraded, []lifecycle.Cause{q}},
		{"an inconclusive one breaks the row", []lifecycle.Window{window(1, bad), window(1, unclear), window(1, bad)}, lifecycle.HealthWatch, nil},
		{"of the release before", []lifecycle.Window{window(1, bad), window(1, bad), window(2, good)}, lifecycle.HealthGood, nil},
		{"no data is not health", []lifecycle.Window{window(1, found(d, lifecycle.Inconclusive))}, lifecycle.HealthWatch, nil},
		{"unmeasured quality is not health", []lifecycle.Window{window(1, unclear), window(1, found(d, lifecycle.Pass))}, lifecycle.HealthWatch, nil},
		{"two causes", []lifecycle.Window{window(1, bad, found(d, lifecycle.Failed)), window(1, bad, found(d, lifecycle.Failed))}, lifecycle.HealthDegraded, []lifecycle.Cause{d, q}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			release := 1
			if n := len(tt.windows); n > 0 {
				release = tt.windows[n-1].Release
			}
			require.Equal(t, tt.health, policy.HealthOf(tt.windows, release, 2))
			var causes []lifecycle.Cause
			for _, b := range policy.Breaches(tt.windows, release, 2, time.Time{}) {
				causes = append(causes, b.Cause)
				require.Contains(t, b.Reason, "windows in a row: auc 0.6")
			}
			require.Equal(t, tt.causes, causes)
		})
	}
}

func TestDue(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	drift := lifecycle.Trigger{Cause: lifecycle.CauseDrift}
	base := func() *lifecycle.ModelState {
		return &lifecycle.ModelState{Pending: []lifecycle.Trigger{drift}, Spec: lifecycle.Spec{Retrain: lifecycle.Retrain{MaxPerMonth: 2}}}
	}
	for _, tt := range []struct {
		name   string
		change func(*lifecycle.ModelState)
		due    bool
		look   time.Time
	}{
		{"now", func(*lifecycle.ModelState) {}, true, time.Time{}},
		{"nothing noted", func(s *lifecycle.ModelState) { s.Pending = nil }, false, time.Time{}},
		{"one under way", func(s *lifecycle.ModelState) { s.InFlight = &lifecycle.InFlight{} }, false, time.Time{}},
		{"paused", func(s *lifecycle.ModelState) { s.Paused = "x" }, false, time.Time{}},
		{"retired", func(s *lifecycle.ModelState) { s.Retired = &drift }, false, time.Time{}},
		{"cooling down", func(s *lifecycle.ModelState) { s.Cooldown = now.Add(time.Hour) }, false, now.Add(time.Hour)},
		{"enough this month", func(s *lifecycle.ModelState) {
			s.Automatic = []time.Time{now.AddDate(0, 0, -40), now.AddDate(0, 0, -20), now.AddDate(0, 0, -1)}
		}, false, now.AddDate(0, 0, 10)},
		{"older ones do not count", func(s *lifecycle.ModelState) { s.Automatic = []time.Time{now.AddDate(0, 0, -40), now} }, true, time.Time{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := base()
			tt.change(s)
			got, look := policy.Due(s, now)
			require.Equal(t, tt.due, got != nil)
			require.Equal(t, tt.look, look)
		})
	}
}

func TestSinceForgetsAFormerTime(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	old, fresh := window(1, found(lifecycle.CauseQuality, lifecycle.Failed)), window(1)
	old.From, fresh.From = now.Add(-time.Hour), now
	require.Equal(t, []lifecycle.Window{fresh}, policy.Since([]lifecycle.Window{old, fresh}, now))
}

func TestNoteMergesByCause(t *testing.T) {
	old := lifecycle.Trigger{Cause: lifecycle.CauseDrift, Reason: "old"}
	quality := lifecycle.Trigger{Cause: lifecycle.CauseQuality}
	fresh := lifecycle.Trigger{Cause: lifecycle.CauseDrift, Reason: "new"}
	got := policy.Note(policy.Note(policy.Note(nil, old), quality), fresh)
	require.Equal(t, []lifecycle.Trigger{quality, fresh}, got)
}

func TestPlan(t *testing.T) {
	bake := lifecycle.Duration(time.Minute)
	steps := []lifecycle.Step{{Smoke: &lifecycle.Smoke{}}, {Weight: ptr(10)}, {Bake: &bake}, {Pause: &lifecycle.Pause{}}, {Promote: &lifecycle.Promote{}}}
	taken := func(first, rollback bool) (out []string) {
		for _, s := range policy.Plan(steps, first, rollback) {
			if s.Skipped == "" {
				out = append(out, s.Name)
			}
		}
		return out
	}
	require.Equal(t, []string{"smoke", "weight 10", "bake 1m", "pause", "promote"}, taken(false, false))
	require.Equal(t, []string{"smoke", "pause", "promote"}, taken(true, false))
	require.Equal(t, []string{"smoke", "promote"}, taken(false, true))
}

func TestNews(t *testing.T) {
	const q = lifecycle.CauseQuality
	bad, good, unclear := found(q, lifecycle.Failed), found(q, lifecycle.Pass), found(q, lifecycle.Inconclusive)
	again := window(1, bad)
	again.ID = "1-7"
	for _, tt := range []struct {
		name   string
		before []lifecycle.Window
		now    lifecycle.Finding
		want   int
	}{
		{"a pass", nil, good, 0},
		{"a failure, each time", []lifecycle.Window{window(1, bad)}, bad, 1},
		{"the same window's, once", []lifecycle.Window{again}, bad, 0},
		{"silence begins", []lifecycle.Window{window(1, good)}, unclear, 1},
		{"silence goes on", []lifecycle.Window{window(1, unclear)}, unclear, 0},
		{"silence of another release", []lifecycle.Window{window(2, unclear)}, unclear, 1},
		{"the very first", nil, unclear, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := window(1, tt.now)
			w.ID = "1-7"
			require.Len(t, policy.News(tt.before, w), tt.want)
		})
	}
}
