package faults

import (
	"log/slog"
	"math/rand/v2"
	"regexp"
	"slices"
	"sync"
	"time"

	"steward/internal/localcloud/wire"
)

// Injector decides for every call. It may be used from any goroutine.
type Injector struct {
	log *slog.Logger

	mu    sync.Mutex
	plan  Plan
	rules []*tally
	next  chan struct{} // closed by the next plan
}

// tally is a rule at work.
type tally struct {
	rule                Rule
	operation, resource *regexp.Regexp
	random              *rand.Rand // its own, so that rules do not disturb one another
	seen, injected      int
}

// NewInjector makes an Injector with a checked plan. Every fault is logged.
func NewInjector(p Plan, log *slog.Logger) *Injector {
	i := &Injector{log: log, next: make(chan struct{})}
	i.Set(p)
	return i
}

// Set replaces the plan and starts to count anew.
func (i *Injector) Set(p Plan) {
	rules := make([]*tally, len(p.Rules))
	for n, r := range p.Rules {
		rules[n] = &tally{rule: r, operation: matcher(r.Operation), resource: matcher(r.Resource),
			random: rand.New(rand.NewPCG(p.Seed, uint64(n)))} //nolint:gosec // faults must be repeatable, not secret
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.plan, i.rules = p, rules
	close(i.next)
	i.next = make(chan struct{})
}

// Changed is closed when the plan is replaced.
func (i *Injector) Changed() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.next
}

// Strike tells whether a rule of a kind strikes what runs under one of the names,
// such as a job's, and after which delay. Every question counts as a call.
func (i *Injector) Strike(kind Kind, names ...string) (delay time.Duration, struck bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n, t := range i.rules {
		if t.rule.Fault != kind || !t.names(wire.Call{Service: "sagemaker", Resources: names}) || !t.strikes() {
			continue
		}
		i.log.Info("fault injected", "rule", n, "fault", kind, "resources", names, "times", t.injected)
		delay, _ = t.rule.delay() // was checked
		return delay, true
	}
	return 0, false
}

// Report is a rule with what it has done since it was set.
type Report struct {
	Rule
	Seen     int `json:"seen"`     // calls that it names
	Injected int `json:"injected"` // of them
}

// Reports are the rules in order, with the seed.
func (i *Injector) Reports() (seed uint64, reports []Report) {
	i.mu.Lock()
	defer i.mu.Unlock()
	reports = make([]Report, len(i.rules))
	for n, t := range i.rules {
		reports[n] = Report{t.rule, t.seen, t.injected}
	}
	return i.plan.Seed, reports
}

// Upset decides what befalls a call.
func (i *Injector) Upset(what func() wire.Call) wire.Upset {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.rules) == 0 {
		return wire.Upset{}
	}
	c := what()
	for n, t := range i.rules {
		if t.rule.Fault.running() || !t.names(c) || !t.strikes() {
			continue
		}
		i.log.Info("fault injected", "rule", n, "fault", t.rule.Fault, "service", c.Service,
			"operation", c.Operation, "resources", c.Resources, "times", t.injected)
		return t.rule.upset(c.Service)
	}
	return wire.Upset{}
}

func (t *tally) names(c wire.Call) bool {
	return (t.rule.Service == "" || t.rule.Service == c.Service) &&
		(t.operation == nil || t.operation.MatchString(c.Operation)) &&
		(t.resource == nil || slices.ContainsFunc(c.Resources, t.resource.MatchString))
}

// strikes counts a call that the rule names, and tells whether it goes wrong.
func (t *tally) strikes() bool {
	t.seen++
	if t.seen <= t.rule.After || (t.rule.Count > 0 && t.injected >= t.rule.Count) {
		return false
	}
	if p := t.rule.Probability; p > 0 && t.random.Float64() >= p {
		return false
	}
	t.injected++
	return true
}
