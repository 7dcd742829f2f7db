package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/zeebo/xxh3"

	"steward/internal/stats"
)

const (
	// leakAUC is what a single number reaches only if it knows the answer.
	leakAUC = 0.999
	// leakRows are the fewest rows of each class that an AUC is judged on: two
	// classes of ten are parted by chance once in 184,756 times.
	leakRows = 10
	// leakChance is how unlikely it must be that a feature determines the label
	// by chance alone.
	leakChance = 1e-6

	maxLeakValues = 1 << 16 // different values of a feature that are followed
	maxLeakCells  = 1 << 21 // numbers kept of a sample, 16 MiB
)

// Leaks looks for features that give the label away: each of whose values goes
// with one label only, or which, alone, order the rows by a binary label. It
// keeps, of each feature, at most 65,536 values that still look so, and a sample
// of at most 2 million numbers of all.
type Leaks struct {
	label   string
	columns []string
	follow  []*follower
	classes map[uint64]float64 // rows by label
	rows    float64
	sample  [2]reservoir // of rows labelled 0 and 1
	numeric []int        // positions in columns
}

// reservoir is a random sample of rows (Vitter 1985, algorithm R), the same for
// the same rows in the same order.
type reservoir struct {
	seen int
	rows [][]float64
}

// follower follows the values of a feature as long as each has one label.
type follower struct {
	labels map[uint64]uint64
	counts map[uint64]float64
}

// NewLeaks looks at the features of a table for a label that is a class.
func NewLeaks(schema Schema, label string, features []string) *Leaks {
	l := &Leaks{label: label, classes: map[uint64]float64{}}
	for _, name := range features {
		if name == label {
			continue // it is the label, not a sign of it
		}
		i := len(l.columns)
		l.columns = append(l.columns, name)
		l.follow = append(l.follow, &follower{map[uint64]uint64{}, map[uint64]float64{}})
		if f, err := schema.Field(name); err == nil && f.Type != String {
			l.numeric = append(l.numeric, i)
		}
	}
	return l
}

// Add looks at the rows of a batch; those without a label say nothing.
func (l *Leaks) Add(b *Batch) error {
	at, err := b.Schema.Select(append([]string{l.label}, l.columns...))
	if err != nil {
		return err
	}
	label := &b.columns[at[0]]
	hashes := make([]uint64, b.Rows)
	for row := range b.Rows {
		if text, ok := label.text(row); ok {
			hashes[row] = xxh3.HashString(text)
			l.classes[hashes[row]]++
			l.rows++
		}
	}
	if len(l.classes) > maxLeakValues {
		return nil // no classes: too many to be determined
	}
	for i, f := range l.follow {
		if f != nil && !f.add(&b.columns[at[i+1]], label, hashes) {
			l.follow[i] = nil
		}
	}
	if label.kind != String {
		l.take(b, at)
	}
	return nil
}

// add reports false once a value went with two labels.
func (f *follower) add(c, label *column, labels []uint64) bool {
	for row, h := range labels {
		if label.missing(row) {
			continue
		}
		text, ok := c.text(row)
		value := xxh3.HashString(text)
		if !ok {
			value = 1 // missing is a value like any other
		}
		seen, known := f.labels[value]
		switch {
		case known && seen != h:
			return false
		case known:
			f.counts[value]++
		case len(f.labels) < maxLeakValues:
			f.labels[value], f.counts[value] = h, 1
		}
	}
	return true
}

// take samples the numbers of rows that are labelled 0 or 1.
func (l *Leaks) take(b *Batch, at []int) {
	most := min(10_000, maxLeakCells/2/max(1, len(l.numeric)))
	labels := b.Numbers(at[0])
	numbers := make([][]float64, len(l.numeric))
	for i, n := range l.numeric {
		numbers[i] = b.Numbers(at[n+1])
	}
	for row, label := range labels {
		if label != 0 && label != 1 {
			continue
		}
		r := &l.sample[int(label)]
		place := r.place(most, uint64(label))
		if place < 0 {
			continue
		}
		values := make([]float64, len(numbers))
		for i := range numbers {
			values[i] = numbers[i][row]
		}
		r.rows[place] = values
	}
}

// place is where the next row goes, −1 when it is left out.
func (r *reservoir) place(most int, seed uint64) int {
	r.seen++
	if len(r.rows) < most {
		r.rows = append(r.rows, nil)
		return len(r.rows) - 1
	}
	if at := rand.New(rand.NewPCG(seed, uint64(r.seen))).IntN(r.seen); at < most {
		return at
	}
	return -1
}

// Found describes the features that give the label away.
func (l *Leaks) Found() []string {
	var out []string
	told := map[int]bool{}
	for i, f := range l.follow {
		if f != nil && len(l.classes) > 1 && f.chance(l.classes, l.rows) < math.Log(leakChance) {
			told[i] = true
			out = append(out, l.columns[i]+" (each of its values goes with one label)")
		}
	}
	for k, i := range l.numeric {
		if auc := l.auc(k); auc >= leakAUC && !told[i] {
			out = append(out, fmt.Sprintf("%s (alone, it has an AUC of %.4f)", l.columns[i], auc))
		}
	}
	return out
}

// chance is the logarithm of the likelihood that values which occur so often
// would each go with one label if they had nothing to do with it: the product,
// over the values, of Σ shareₖⁿ for n rows.
func (f *follower) chance(classes map[uint64]float64, rows float64) float64 {
	log := 0.0
	for _, n := range f.counts {
		same := 0.0
		for _, count := range classes {
			same += math.Pow(count/rows, n)
		}
		log += math.Log(same)
	}
	return log
}

// auc is how well a feature alone orders the rows, either way round, missing
// values first or last, whichever is best; 0 with too few rows.
func (l *Leaks) auc(k int) float64 {
	if len(l.sample[0].rows) < leakRows || len(l.sample[1].rows) < leakRows {
		return 0
	}
	best := 0.0
	for _, missing := range []float64{-math.MaxFloat64, math.MaxFloat64} {
		var scores, labels []float64
		for class, r := range l.sample {
			for _, row := range r.rows {
				v := row[k]
				if math.IsNaN(v) {
					v = missing
				}
				scores, labels = append(scores, v), append(labels, float64(class))
			}
		}
		if auc, err := stats.AUC(scores, labels); err == nil {
			best = max(best, auc, 1-auc)
		}
	}
	return best
}
