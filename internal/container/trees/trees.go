// Package trees is gradient boosting with histograms: it trains, saves, loads
// and scores ensembles of regression trees for binary classification and
// regression. Trees grow leaf by leaf, best gain first; missing values go the
// way that gains most; categories are split as sets. The model file is
// XGBoost's JSON, so that other tools can read what was trained here.
//
// Sources: Chen and Guestrin, "XGBoost" (KDD 2016) for the second-order gain
// and missing values; Ke et al., "LightGBM" (NIPS 2017) for leaf-wise growth
// on histograms; Fisher, "On grouping for maximum homogeneity" (1958) for
// ordering categories by their mean before splitting them.
package trees

import (
	"math"

	"steward/internal/container/frame"
	"steward/internal/container/metric"
	"steward/internal/container/params"
)

// Options are the hyperparameters. Rounds are trees; MinLeafRows are rows
// whatever their weight; L2 is added to a leaf's sum of second derivatives.
type Options struct {
	Seed                uint64
	Rounds              int
	MaxLeaves           int
	LearningRate        float64
	MinLeafRows         int
	L2                  float64
	MaxBins             int
	EarlyStoppingRounds int // 0: train all rounds. Counts only with validation data
	Subsample           float64
	FeatureFraction     float64
}

// Configure reads the options of a job.
func Configure(p *params.Set) Options {
	return Options{
		Seed:                uint64(p.Int("seed", 1, 0, math.MaxInt32)),
		Rounds:              p.Int("rounds", 200, 1, 10000),
		MaxLeaves:           p.Int("maxLeaves", 31, 2, 4096),
		LearningRate:        p.Float("learningRate", 0.1, 0.0001, 1),
		MinLeafRows:         p.Int("minLeafRows", 20, 1, 1000000),
		L2:                  p.Float("l2", 1, 0, 1e6),
		MaxBins:             p.Int("maxBins", 255, 2, 255),
		EarlyStoppingRounds: p.Int("earlyStoppingRounds", 20, 0, 10000),
		Subsample:           p.Float("subsample", 1, 0.01, 1),
		FeatureFraction:     p.Float("featureFraction", 1, 0.01, 1),
	}
}

// node is a split or a leaf. A value that is missing goes the default way; one
// below value goes left; for a categorical split, one outside the set does.
type node struct {
	feature     int32 // leaf: -1
	value       float32
	left, right int32
	set         []uint64 // nil for a numeric split; bit c: category c goes right
	defaultLeft bool
	gain, cover float32 // loss reduction and sum of second derivatives, for importance
}

type tree []node

// Model is a trained ensemble.
type Model struct {
	schema *frame.Schema
	base   float32 // score of no tree: a probability for a binary task, else a value
	trees  []tree
}

// Schema is the input the model was trained on.
func (m *Model) Schema() *frame.Schema { return m.schema }

// Trees is the number of trees kept.
func (m *Model) Trees() int { return len(m.trees) }

// Score is the probability of label 1, or the predicted value, for one row
// encoded by the schema.
func (m *Model) Score(row []float64) float64 {
	margin := m.margin(row)
	if m.schema.Task == frame.Binary {
		return metric.Sigmoid(margin)
	}
	return margin
}

func (m *Model) margin(row []float64) float64 {
	sum := m.baseMargin()
	for _, t := range m.trees {
		sum += float64(t.leaf(row))
	}
	return sum
}

func (m *Model) baseMargin() float64 {
	base := float64(m.base)
	if m.schema.Task == frame.Binary {
		return math.Log(base / (1 - base))
	}
	return base
}

func (t tree) leaf(row []float64) float32 {
	n := &t[0]
	for n.feature >= 0 {
		if n.goesLeft(row[n.feature]) {
			n = &t[n.left]
		} else {
			n = &t[n.right]
		}
	}
	return n.value
}

func (n *node) goesLeft(v float64) bool {
	switch {
	case v != v:
		return n.defaultLeft
	case n.set == nil:
		return float32(v) < n.value
	default:
		code := int(v)
		return code>>6 >= len(n.set) || n.set[code>>6]>>(code&63)&1 == 0
	}
}
