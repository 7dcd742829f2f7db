package activities

import (
	"fmt"
	"slices"
	"strings"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// Names of the guards: checks that every release makes, each of which a model
// file may lower to a warning with a reason.
const (
	guardLeakage    = "label-leakage"
	guardFuture     = "future-times"
	guardOverlap    = "overlap"
	guardDuplicates = "duplicates"
)

// maxRepeated is the share of repeated rows, and of test rows that are known from
// other parts, that is tolerated: the default of deepchecks' TrainTestSamplesMix.
const maxRepeated = 0.05

// guards look for what makes a model seem better than it is.
type guards struct {
	data    lifecycle.Data
	leaks   *dataset.Leaks // nil for a label that is no class
	repeats *dataset.Repeats
	times   []string
	later   map[string]int64 // rows by feature whose value lies after the row's time
}

// newGuards guards a snapshot; splitter is nil if the snapshot cannot be split,
// for the reason given.
func newGuards(data lifecycle.Data, schema dataset.Schema, splitter *dataset.Splitter, unsplit error) *guards {
	content := slices.DeleteFunc(slices.Clone(data.Features), func(f string) bool { return f == data.Label })
	content = append(content, data.Label)
	g := &guards{data: data, later: map[string]int64{},
		repeats: dataset.NewRepeats(append(slices.Clone(content), data.Time), content, splitter, unsplit)}
	if data.Task != lifecycle.Regression {
		g.leaks = dataset.NewLeaks(schema, data.Label, data.Features)
	}
	for _, name := range data.Features {
		if f, err := schema.Field(name); err == nil && f.Type == dataset.Time {
			g.times = append(g.times, name)
		}
	}
	return g
}

func (g *guards) add(b *dataset.Batch) error {
	if g.leaks != nil {
		if err := g.leaks.Add(b); err != nil {
			return err
		}
	}
	if err := g.addTimes(b); err != nil {
		return err
	}
	return g.repeats.Add(b)
}

func (g *guards) addTimes(b *dataset.Batch) error {
	at, err := b.Schema.Select(append([]string{g.data.Time}, g.times...))
	if err != nil {
		return err
	}
	of, known := b.Times(at[0])
	for i, name := range g.times {
		times, valid := b.Times(at[i+1])
		for row, t := range times {
			if valid[row] && known[row] && t > of[row] {
				g.later[name]++
			}
		}
	}
	return nil
}

// results judges what was seen; same are the features that equal the label.
func (g *guards) results(same []string) []lifecycle.CheckResult {
	return []lifecycle.CheckResult{g.leakage(same), g.future(), g.duplicates(), g.overlap()}
}

func (g *guards) leakage(same []string) lifecycle.CheckResult {
	found := slices.Clone(same)
	if g.leaks != nil {
		for _, leak := range g.leaks.Found() {
			if name, _, _ := strings.Cut(leak, " ("); !slices.Contains(same, name) {
				found = append(found, leak)
			}
		}
	}
	r := lifecycle.CheckResult{Name: "label leakage", Pass: len(found) == 0, Observed: "none",
		Expected: "no feature equals the label, determines it, or tells the classes apart alone (AUC 0.999)"}
	if !r.Pass {
		r.Observed = strings.Join(found, ", ")
	}
	return g.lowered(guardLeakage, r)
}

func (g *guards) future() lifecycle.CheckResult {
	r := lifecycle.CheckResult{Name: "future times", Pass: true, Observed: "none",
		Expected: "no feature holds a time after the row's " + g.data.Time}
	var found []string
	for _, name := range g.times {
		if n := g.later[name]; n > 0 {
			r.Pass, r.Violations = false, r.Violations+n
			found = append(found, fmt.Sprintf("%s in %d rows", name, n))
		}
	}
	if !r.Pass {
		r.Observed = strings.Join(found, ", ")
	}
	return g.lowered(guardFuture, r)
}

func (g *guards) duplicates() lifecycle.CheckResult {
	repeated, rows := g.repeats.Duplicates()
	return g.lowered(guardDuplicates, lifecycle.CheckResult{
		Name: "duplicates", Pass: float64(repeated) <= maxRepeated*float64(rows), Violations: int64(repeated),
		Observed: fmt.Sprintf("%d of %d rows repeat another in time, features and label", repeated, rows),
		Expected: fmt.Sprintf("at most %v of them", maxRepeated),
	})
}

func (g *guards) overlap() lifecycle.CheckResult {
	r := lifecycle.CheckResult{Name: "overlap", Expected: fmt.Sprintf("at most %v of the test rows", maxRepeated)}
	known, tested, err := g.repeats.Overlap()
	if err != nil {
		r.Inconclusive, r.Observed = true, "the snapshot cannot be split: "+lifecycle.ProblemOf(err).Message
		return g.lowered(guardOverlap, r)
	}
	r.Pass, r.Violations = float64(known) <= maxRepeated*float64(tested), int64(known)
	r.Observed = fmt.Sprintf("%d of %d test rows have the features and the label of a row of another part", known, tested)
	return g.lowered(guardOverlap, r)
}

// lowered gives a result its severity, and the reason for one that was lowered.
func (g *guards) lowered(name string, r lifecycle.CheckResult) lifecycle.CheckResult {
	r.Severity = stop
	for _, lowered := range g.data.Guards {
		if lowered.Name == name {
			r.Severity = lowered.Severity
			r.Expected += "; only warned of: " + lowered.Reason
		}
	}
	return r
}
