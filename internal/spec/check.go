package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/robfig/cron"

	"steward/internal/lifecycle"
	"steward/internal/stats"
)

// checker collects what the schema cannot say: conditions between fields.
type checker struct {
	spec  lifecycle.Spec
	found []Problem
}

func check(f lifecycle.ModelFile) []Problem {
	c := &checker{spec: f.Spec}
	c.owners(f.Metadata.Owners)
	c.data()
	c.training()
	c.gates()
	c.approval(f.Metadata.Owners)
	c.rollout()
	c.watch()
	c.retrain()
	return c.found
}

func (c *checker) add(field, value, format string, args ...any) {
	c.found = append(c.found, Problem{Field: field, Value: value, Message: fmt.Sprintf(format, args...)})
}

var roles = []lifecycle.Role{lifecycle.DataEngineer, lifecycle.DataScientist, lifecycle.Operator,
	lifecycle.ProductManager, lifecycle.Auditor}

func (c *checker) owners(owners map[lifecycle.Role]string) {
	if len(owners) == 0 {
		c.add("metadata.owners", "", "nobody answers for the model: name a contact for at least one of %v", roles)
	}
	for role := range owners {
		if !slices.Contains(roles, role) {
			c.add("metadata.owners."+string(role), "", "this role is not known; known are %v", roles)
		}
	}
}

func (c *checker) data() {
	d := c.spec.Data
	c.sources()
	for i, f := range d.Features {
		if f == d.Label || f == d.ID || f == d.Time {
			c.add(fmt.Sprintf("spec.data.features[%d]", i), f, "the label, id and time columns cannot be features: take it out")
		}
	}
	for i, f := range d.Categorical {
		if !slices.Contains(d.Features, f) {
			c.add(fmt.Sprintf("spec.data.categorical[%d]", i), f, "it is not one of spec.data.features: add it there or take it out")
		}
	}
	c.split(d)
	c.serving(d)
	for i, ch := range d.Checks {
		c.dataCheck(fmt.Sprintf("spec.data.checks[%d]", i), ch)
	}
}

// bounds refuses a lower bound above the upper one.
func (c *checker) bounds(field string, lo, hi *float64) {
	if lo != nil && hi != nil && *lo > *hi {
		c.add(field+".min", fmt.Sprint(*lo), "min is above max %g", *hi)
	}
}

// championName is what the champion is called among the candidates' jobs.
const championName = "champion"

func (c *checker) training() {
	t := c.spec.Training
	seen := map[string]bool{}
	for i, cand := range t.Candidates {
		field := fmt.Sprintf("spec.training.candidates[%d]", i)
		if seen[cand.Name] {
			c.add(field+".name", cand.Name, "two candidates have this name: rename one")
		}
		seen[cand.Name] = true
		if cand.Name == championName {
			c.add(field+".name", cand.Name, "this name is kept for the version that serves, which is tested beside the candidates: take another one")
		}
		c.script(field, cand)
		for k, v := range cand.Hyperparameters {
			switch v.(type) {
			case string, bool, float64:
			default:
				c.add(field+".hyperparameters."+k, fmt.Sprint(v), "a hyperparameter is a number, text or true/false")
			}
		}
	}
	c.metric("spec.training.select.metric", t.Select.Metric)
	if higher, err := stats.HigherIsBetter(t.Select.Metric); err == nil && higher != (t.Select.Goal == "maximize") {
		c.add("spec.training.select.goal", t.Select.Goal, "%s is better the other way round", t.Select.Metric)
	}
}

// metric refuses a metric that is not computed for the model's task.
func (c *checker) metric(field, name string) {
	known := stats.KnownMetrics(string(c.spec.Data.Task))
	if !slices.Contains(known, name) {
		c.add(field, name, "this metric is not known for a %s model; known are %s", c.spec.Data.Task, strings.Join(known, ", "))
	}
}

func (c *checker) gates() {
	for i, g := range c.spec.Gates {
		field := fmt.Sprintf("spec.gates[%d]", i)
		c.metric(field+".metric", g.Metric)
		bounded := g.Min != nil || g.Max != nil
		switch {
		case g.VsChampion == nil && !bounded:
			c.add(field, g.Metric, "this gate has no condition: add min, max or vsChampion")
		case g.VsChampion != nil && (bounded || g.Slice != ""):
			c.add(field, g.Metric, "vsChampion does not go with min, max or slice: make two gates of it")
		case g.VsChampion != nil && (g.VsChampion.NonInferior != nil) == g.VsChampion.Superior:
			c.add(field+".vsChampion", "", "give either nonInferior or superior")
		}
		c.bounds(field, g.Min, g.Max)
		if g.Slice == c.spec.Data.Label && g.Slice != "" {
			c.add(field+".slice", g.Slice, "a slice by the label has one class only: slice by another column")
		}
	}
}

func (c *checker) approval(owners map[lifecycle.Role]string) {
	a := c.spec.Approval
	for i, r := range a.Require {
		if owners[r.Role] == "" {
			c.add(fmt.Sprintf("spec.approval.require[%d].role", i), string(r.Role), "nobody holds this role: add it to metadata.owners")
		}
	}
	if a.Expire <= 0 {
		c.add("spec.approval.expire", a.Expire.String(), "it must be longer than nothing")
	}
	if a.Escalate != nil && a.Escalate.After >= a.Expire {
		c.add("spec.approval.escalate.after", a.Escalate.After.String(), "the approval expires after %s: escalate earlier", a.Expire)
	}
}

func (c *checker) rollout() {
	r := c.spec.Rollout
	last := 0
	for i, s := range r.Steps {
		field := fmt.Sprintf("spec.rollout.steps[%d]", i)
		if n := kindsOf(s); n != 1 {
			c.add(field, "", "a step is one of smoke, weight, bake, pause, promote; this one has %d of them", n)
		}
		if s.Promote != nil && i != len(r.Steps)-1 {
			c.add(field+".promote", "", "nothing can follow the promotion: make it the last step")
		}
		if s.Weight != nil {
			if *s.Weight <= last {
				c.add(field+".weight", fmt.Sprint(*s.Weight), "weights must grow; the step before has %d", last)
			}
			last = *s.Weight
		}
	}
	if r.Steps[len(r.Steps)-1].Promote == nil {
		c.add("spec.rollout.steps", "", "the last step must be promote, or the challenger never becomes champion")
	}
	if d := r.Endpoint.Startup.Std(); d < 60e9 || d > 3600e9 {
		c.add("spec.rollout.endpoint.startup", r.Endpoint.Startup.String(), "it must lie between 1m and 1h")
	}
	if r.Analysis.Every <= 0 {
		c.add("spec.rollout.analysis.every", r.Analysis.Every.String(), "it must be longer than nothing")
	}
	c.levels("spec.rollout.analysis.metrics", r.Analysis.Metrics)
}

func kindsOf(s lifecycle.Step) int {
	n := 0
	for _, set := range []bool{s.Smoke != nil, s.Weight != nil, s.Bake != nil, s.Pause != nil, s.Promote != nil} {
		if set {
			n++
		}
	}
	return n
}

func (c *checker) levels(field string, levels []lifecycle.Level) {
	for i, l := range levels {
		at := fmt.Sprintf("%s[%d].max", field, i)
		switch {
		case l.Name == "errors" && (l.Max.Seconds || l.Max.Value > 1):
			c.add(at, l.Max.String(), "errors are a share of the requests: write a number between 0 and 1")
		case l.Name != "errors" && !l.Max.Seconds:
			c.add(at, l.Max.String(), "%s is a time: write a duration such as 200ms", l.Name)
		}
	}
}

func (c *checker) watch() {
	w := c.spec.Watch
	if w.Every <= 0 {
		c.add("spec.watch.every", w.Every.String(), "it must be longer than nothing")
	}
	for i, q := range w.Quality {
		field := fmt.Sprintf("spec.watch.quality[%d]", i)
		c.metric(field+".metric", q.Metric)
		if q.Min == nil && q.Max == nil {
			c.add(field, q.Metric, "this rule has no bound: add min, max or both")
		}
	}
	c.levels("spec.watch.services", w.Services)
}

func (c *checker) retrain() {
	r := c.spec.Retrain
	if r.Schedule != "" {
		if _, err := cron.ParseStandard(r.Schedule); err != nil {
			c.add("spec.retrain.schedule", r.Schedule, "this is not a cron expression of five fields: %s", err)
		}
	}
	for i, cause := range r.On {
		field := fmt.Sprintf("spec.retrain.on[%d]", i)
		switch {
		case cause == lifecycle.CauseKPI && c.spec.Objective.KPI == nil:
			c.add(field, string(cause), "there is no spec.objective.kpi to start a release on")
		case cause == lifecycle.CauseQuality && len(c.spec.Watch.Quality) == 0:
			c.add(field, string(cause), "there is no spec.watch.quality to start a release on")
		case cause == lifecycle.CauseDrift && c.spec.Watch.Drift == "off":
			c.add(field, string(cause), "spec.watch.drift is off")
		case cause == lifecycle.CauseSchedule && r.Schedule == "":
			c.add(field, string(cause), "there is no spec.retrain.schedule to start a release on")
		}
	}
}
