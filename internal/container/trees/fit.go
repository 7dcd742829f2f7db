package trees

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"steward/internal/container/frame"
	"steward/internal/container/metric"
	"steward/internal/container/parallel"
)

// booster is the state of one training.
type booster struct {
	Options
	model   *Model
	grower  *grower
	train   *side
	valid   *side // nil without validation data
	random  *rand.Rand
	scale   float64 // makes the mean weight 1, so that l2 means the same whatever the weights' unit
	reports func(metric.Progress)

	best     int // trees of the best round so far
	bestLoss float64
}

// Fit trains on a frame. With validation data (nil: none) the model keeps the
// trees of the round with the lowest validation loss. When ctx ends, what was
// best so far is returned; before the first round that is an error. The same
// data, options and seed give the same model on any number of cores.
func Fit(ctx context.Context, train, valid *frame.Frame, o Options, report func(metric.Progress)) (*Model, error) {
	for _, f := range []*frame.Frame{train, valid} {
		if err := checkLabels(f); err != nil {
			return nil, err
		}
	}
	b := start(train, valid, o)
	b.reports = report
	for round := 1; round <= o.Rounds && ctx.Err() == nil; round++ {
		grew := b.round()
		loss := math.NaN()
		if b.valid != nil {
			loss = b.validate()
		}
		last := round == o.Rounds || !grew || b.exhausted()
		if round%b.stride() == 0 || round == 1 || last {
			b.reports(metric.Progress{Step: round, Steps: o.Rounds, Train: b.loss(b.train), Valid: loss})
		}
		if last {
			break
		}
	}
	if len(b.model.trees) == 0 {
		return nil, fmt.Errorf("stopped before the first round: %w", context.Cause(ctx))
	}
	if b.valid != nil && b.best == 0 {
		return nil, fmt.Errorf("the validation loss of label %q is never finite (last %v); remove extreme values and weights or scale them", train.Schema.Label, b.loss(b.valid))
	}
	if b.valid != nil {
		b.model.trees = b.model.trees[:b.best]
	}
	return b.model, nil
}

// checkLabels refuses labels that single precision, in which trees hold their
// values, cannot. f may be nil.
func checkLabels(f *frame.Frame) error {
	if f == nil {
		return nil
	}
	for i, y := range f.Label {
		if !(math.Abs(y) <= math.MaxFloat32) {
			return fmt.Errorf("label %q is %v in row %d, beyond ±%v; scale or remove it", f.Schema.Label, y, i+1, math.MaxFloat32)
		}
	}
	return nil
}

// stride spaces progress reports so that a training makes about forty.
func (b *booster) stride() int { return max(1, b.Rounds/40) }

func (b *booster) exhausted() bool {
	return b.valid != nil && b.EarlyStoppingRounds > 0 && len(b.model.trees)-b.best >= b.EarlyStoppingRounds
}

func start(train, valid *frame.Frame, o Options) *booster {
	by := binners(train, o.MaxBins)
	b := &booster{
		Options:  o,
		model:    &Model{schema: train.Schema, base: base(train)},
		random:   rand.New(rand.NewPCG(o.Seed, 0)),
		scale:    float64(train.Rows()) / metric.Total(train.Weight, train.Rows()),
		bestLoss: math.Inf(1),
	}
	b.train = b.side(train, by)
	if valid != nil {
		b.valid = b.side(valid, by)
	}
	b.grower = newGrower(b.train.columns, by, o, train.Rows())
	return b
}

// base is the weighted mean label: the best score before any tree. For a
// probability it stays away from 0 and 1, where the margin is infinite.
func base(f *frame.Frame) float32 {
	sum := parallel.Sum(f.Rows(), func(from, to int) float64 {
		s := 0.0
		for i := from; i < to; i++ {
			s += metric.Weight(f.Weight, i) * f.Label[i]
		}
		return s
	})
	mean := sum / metric.Total(f.Weight, f.Rows())
	if f.Schema.Task == frame.Binary {
		mean = min(max(mean, 1e-6), 1-1e-6)
	}
	return float32(mean)
}

// round adds one tree; false if no split was worth making and none ever will.
func (b *booster) round() bool {
	b.differentiate()
	b.draw()
	nodes, leaves := b.grower.grow(b.features())
	if b.Subsample == 1 {
		b.credit(nodes, leaves)
	} else {
		b.train.add(nodes)
	}
	if b.valid != nil {
		b.valid.add(nodes)
	}
	b.model.trees = append(b.model.trees, b.grower.export(nodes))
	return len(nodes) > 1 || b.Subsample < 1 || b.FeatureFraction < 1
}

// differentiate takes the loss's derivatives at the margins so far: of the
// log-loss p-y and p(1-p), of half the squared error m-y and 1.
func (b *booster) differentiate() {
	f, binary := b.train.frame, b.model.schema.Task == frame.Binary
	parallel.Rows(f.Rows(), func(_, from, to int) {
		for i := from; i < to; i++ {
			score, h := b.train.margin[i], 1.0
			if binary {
				score = metric.Sigmoid(score)
				h = max(score*(1-score), 1e-16)
			}
			w := b.scale * metric.Weight(f.Weight, i)
			b.grower.rows[i] = derivative{float32(w * (score - f.Label[i])), float32(w * h)}
		}
	})
}

// draw chooses the rows of a round.
func (b *booster) draw() {
	g := b.grower
	g.order = g.order[:0]
	for i := range len(g.rows) {
		if b.Subsample == 1 || b.random.Float64() < b.Subsample {
			g.order = append(g.order, int32(i))
		}
	}
}

// features chooses the features of a round.
func (b *booster) features() []int {
	all := len(b.grower.binners)
	n := max(1, int(math.Round(b.FeatureFraction*float64(all))))
	order := make([]int, all)
	for j := range order {
		order[j] = j
	}
	if n < all {
		b.random.Shuffle(all, func(i, j int) { order[i], order[j] = order[j], order[i] })
		order = order[:n]
		slices.Sort(order)
	}
	return order
}

// credit adds each leaf's value to the margins of its rows.
func (b *booster) credit(nodes []branch, leaves []*leaf) {
	parallel.Each(len(leaves), func(_, k int) {
		l := leaves[k]
		for _, row := range b.grower.order[l.from:l.to] {
			b.train.margin[row] += float64(nodes[l.node].value)
		}
	})
}

// validate measures the validation loss and remembers the best round.
func (b *booster) validate() float64 {
	loss := b.loss(b.valid)
	if loss < b.bestLoss {
		b.bestLoss, b.best = loss, len(b.model.trees)
	}
	return loss
}
