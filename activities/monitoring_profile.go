package activities

import (
	"math"
	"strconv"
	"strings"

	"steward/internal/stats"
)

// profileBatch is how many rows are gathered before they are profiled.
const profileBatch = 4096

// tally profiles captured rows as the baseline was profiled: the baseline says
// which features are numbers and which are categories. Times, which always move
// on, are left out.
type tally struct {
	columns []column
	profile *stats.Profiler
	waiting int
}

// column gathers the values of one profiled feature, the field-th of a row.
type column struct {
	name    string
	field   int
	number  bool
	numbers []float64
	texts   []string
	valid   []bool
}

func newTally(features []string, baseline *stats.Profile) *tally {
	t := &tally{}
	var fields []stats.Field
	for i, name := range features {
		base, known := baseline.Column(name)
		if !known || base.Kind == stats.Time {
			continue
		}
		t.columns = append(t.columns, column{name: name, field: i, number: base.Kind == stats.Number})
		fields = append(fields, stats.Field{Name: name, Kind: base.Kind})
	}
	t.profile = stats.NewProfiler(fields)
	return t
}

func (t *tally) add(row []string) {
	for i := range t.columns {
		c := &t.columns[i]
		text := strings.TrimSpace(row[c.field])
		if c.number {
			c.numbers = append(c.numbers, number(text))
		} else {
			c.texts, c.valid = append(c.texts, text), append(c.valid, text != "")
		}
	}
	if t.waiting++; t.waiting == profileBatch {
		t.flush()
	}
}

// number reads what a client sent for a number; what is none is missing.
func number(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

func (t *tally) flush() {
	for i := range t.columns {
		c := &t.columns[i]
		if c.number {
			t.profile.AddNumbers(i, c.numbers)
		} else {
			t.profile.AddStrings(i, c.texts, c.valid)
		}
		c.numbers, c.texts, c.valid = c.numbers[:0], c.texts[:0], c.valid[:0]
	}
	t.waiting = 0
}

// done is the profile of all rows added.
func (t *tally) done() *stats.Profile {
	t.flush()
	return t.profile.Profile()
}

// names are the features that can be compared with the baseline.
func (t *tally) names() []string {
	out := make([]string, len(t.columns))
	for i, c := range t.columns {
		out[i] = c.name
	}
	return out
}

// prediction is the name under which a model's answers are compared.
const prediction = "prediction"

func profileScores(scores []float64) *stats.Profile {
	p := stats.NewProfiler([]stats.Field{{Name: prediction, Kind: stats.Number}})
	p.AddNumbers(0, scores)
	return p.Profile()
}
