package gateway

import (
	"cmp"
	"context"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"time"

	"steward/internal/auth"
	"steward/internal/lifecycle"
	"steward/internal/plot"
)

// modelsView is the page of all models.
type modelsView struct {
	pageView
	Models []ModelLine
}

// modelView is the page of one model.
type modelView struct {
	pageView
	State    lifecycle.ModelState
	Link     string // to the model in Temporal's UI
	Release  *releaseView
	Rollback *rolloutView // a rollback under way
	Windows  windowsView
	Ledger   []lifecycle.Entry
	Unread   string // why the ledger is not shown
	Notice   string // why the form just sent was refused
	Comment  string // what was written in it
	MayOrder bool
}

// modelView gathers what the page of a model shows: the release chosen, or the
// one under way, or the newest.
func (s *Server) modelView(ctx context.Context, name string, chosen int) (modelView, error) {
	m, err := state[lifecycle.ModelState](ctx, s.cfg.Temporal, modelRun(name))
	if err != nil {
		return modelView{}, err
	}
	view := modelView{State: m, Link: s.link(lifecycle.ModelID(name)), Windows: windowsOf(m), MayOrder: whoAsks(ctx).Has(changers...)}
	if f := m.InFlight; f != nil && f.Rollback {
		state, err := s.rollout(ctx, run{id: f.Workflow})
		if err != nil {
			return modelView{}, err
		}
		view.Rollback = rolloutViewOf(state)
	}
	n := chosen
	if n == 0 {
		n = current(m)
	}
	if n > 0 {
		if view.Release, err = s.releaseView(ctx, m, n); err != nil {
			return modelView{}, err
		}
	}
	tail := s.tail(ctx, name)
	if view.Ledger = tail.entries; tail.unread {
		view.Unread = "The ledger cannot be read at the moment; the gateway's log says why."
	}
	return view, nil
}

func current(m lifecycle.ModelState) int {
	if m.InFlight != nil {
		return m.InFlight.Release
	}
	return m.Last
}

// link is the address of a workflow in Temporal's UI, or "".
func (s *Server) link(workflow string) string {
	if s.cfg.TemporalUI == "" {
		return ""
	}
	return s.cfg.TemporalUI + "/namespaces/" + url.PathEscape(s.cfg.Namespace) + "/workflows/" + url.PathEscape(workflow)
}

// releaseView is one release on a model's page.
type releaseView struct {
	Number     int
	State      lifecycle.ReleaseState
	Forgotten  bool // Temporal keeps it no more: only its summary is known
	InFlight   bool
	Link       string
	Timeline   []stageView
	Metrics    []string
	Candidates []candidateView
	Rollout    *rolloutView
	Decide     bool   // people are asked
	Refused    string // why the one who looks may not answer
	Diagrams   []diagram
	Undrawn    string // why there are none, although there should be
}

func (s *Server) releaseView(ctx context.Context, m lifecycle.ModelState, n int) (*releaseView, error) {
	name := m.Model.Name
	r, err := s.release(ctx, name, n)
	if isMissing(err) {
		return forgotten(m, n)
	}
	if err != nil {
		return nil, err
	}
	v := &releaseView{
		Number: n, State: r.Release, InFlight: !r.Release.Stage.Ended(), Link: s.link(lifecycle.ReleaseID(name, n)),
		Timeline: timeline(r.Release), Rollout: rolloutViewOf(r.Rollout),
		Decide: len(r.Release.Awaiting) > 0 && r.Release.Evidence != nil && r.Release.Stage == lifecycle.StageApproval,
	}
	v.Metrics = metricsOf(r.Release, m.Spec.Training.Select.Metric)
	for _, c := range r.Release.Candidates {
		v.Candidates = append(v.Candidates, candidateOf(c, r, v.Metrics))
	}
	v.Diagrams, v.Undrawn = s.diagrams(ctx, r.Release)
	v.Refused = refused(whoAsks(ctx), m.Spec.Approval, r.Release.Trigger.Author)
	return v, nil
}

// refused says why a person's answer would not be taken, so that they need not
// try; "" when it would. The release itself decides.
func refused(who auth.Identity, rule lifecycle.Approval, author string) string {
	if rule.NotAuthor && who.Subject == author {
		return "You started this release, so somebody else has to answer."
	}
	for _, need := range rule.Require {
		if who.Has(need.Role) {
			return ""
		}
	}
	return "None of your roles is asked."
}

// forgotten shows what the model itself remembers of an old release.
func forgotten(m lifecycle.ModelState, n int) (*releaseView, error) {
	for _, r := range m.Releases {
		if r.Number == n {
			return &releaseView{Number: n, Forgotten: true, State: lifecycle.ReleaseState{
				Model: m.Model.Name, Number: n, Stage: r.Stage, Started: r.Started, Ended: r.Ended, Trigger: r.Trigger, Problem: r.Problem,
			}}, nil
		}
	}
	return nil, refuse(lifecycle.NotFound, "%s", releaseRun(m.Model.Name, n).missing)
}

// stageView is one stage on the timeline: done, current, failed or "" for
// those to come.
type stageView struct {
	Name  lifecycle.Stage
	State string
	Took  string
}

// timeline lists the stages that a good release passes, as far as this one got.
func timeline(r lifecycle.ReleaseState) []stageView {
	reached := map[lifecycle.Stage]lifecycle.StageTime{}
	var last lifecycle.Stage
	for _, t := range r.Times {
		reached[t.Stage] = t
		if slices.Contains(lifecycle.Stages, t.Stage) {
			last = t.Stage
		}
	}
	var line []stageView
	for _, name := range lifecycle.Stages {
		t, ok := reached[name]
		v := stageView{Name: name}
		switch {
		case name == lifecycle.StageReleased && r.Stage == name:
			v.State = "done"
		case !ok || name == lifecycle.StageReleased:
		case name == last && r.Stage != name && r.Stage != lifecycle.StageReleased:
			v.State, v.Took = "failed", took(t)
		case name == r.Stage:
			v.State, v.Took = "current", took(t)
			if len(r.Awaiting) > 0 {
				v.State = "waiting"
			}
		default:
			v.State, v.Took = "done", took(t)
		}
		line = append(line, v)
	}
	return line
}

func took(t lifecycle.StageTime) string {
	end := t.End
	if end.IsZero() {
		end = time.Now()
	}
	return span(end.Sub(t.Start))
}

// metricsOf names the metrics of any candidate, the selecting one first.
func metricsOf(r lifecycle.ReleaseState, first string) []string {
	all := map[string]bool{}
	for _, c := range r.Candidates {
		if c.Validation != nil {
			for name := range c.Validation.Metrics {
				all[name] = true
			}
		}
	}
	names := slices.Sorted(maps.Keys(all))
	if i, ok := slices.BinarySearch(names, first); ok {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, first)
	}
	return names
}

// candidateView is one row of the candidates.
type candidateView struct {
	lifecycle.CandidateRun
	Winner bool
	Job    *lifecycle.Progress // while it works
	Values []string            // in the order of releaseView.Metrics
}

func candidateOf(c lifecycle.CandidateRun, r ReleaseView, metrics []string) candidateView {
	v := candidateView{CandidateRun: c, Winner: c.Name == r.Release.Winner}
	for i := range r.Jobs {
		if r.Jobs[i].Job == c.Job {
			v.Job = &r.Jobs[i]
		}
	}
	for _, m := range metrics {
		text := "–"
		if c.Validation != nil {
			if value, ok := c.Validation.Metrics[m]; ok {
				text = figure(value)
			}
		}
		v.Values = append(v.Values, text)
	}
	return v
}

// rolloutView is a rollout with its traffic drawn.
type rolloutView struct {
	lifecycle.RolloutState
	Bar    template.HTML
	Recent []lifecycle.Analysed // newest first
}

// shownAnalyses is how many analyses a rollout shows.
const shownAnalyses = 6

func rolloutViewOf(r *lifecycle.RolloutState) *rolloutView {
	if r == nil {
		return nil
	}
	v := &rolloutView{RolloutState: *r}
	var shares []plot.Share
	for _, variant := range slices.SortedFunc(maps.Keys(r.Weights), byLength) {
		shares = append(shares, plot.Share{Name: variant, Percent: r.Weights[variant]})
	}
	if len(shares) > 0 && !r.Outcome.Done { // what it left may have changed since
		v.Bar = template.HTML(plot.Bar("share of the traffic by version", shares))
	}
	v.Recent = slices.Clone(r.Analyses[max(0, len(r.Analyses)-shownAnalyses):])
	slices.Reverse(v.Recent)
	return v
}

// byLength puts r9 before r10.
func byLength(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
