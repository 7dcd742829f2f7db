package cloudwatch

import (
	"maps"
	"math"
	"slices"
)

// Accuracy is the greatest relative error of a percentile: the answer lies
// within 1 % of a value whose rank is the one asked for.
const Accuracy = 0.01

// gamma is the ratio of neighbouring bucket bounds for that accuracy, or a hair
// finer, so that rounding does not break the promise at a bound; formula of
// Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
// relative-error guarantees", VLDB 2019, section 2.
const gamma = (1 + 0.999*Accuracy) / (1 - 0.999*Accuracy)

var logGamma = math.Log(gamma)

// sketch is a histogram with logarithmic buckets: a value v falls into bucket
// ⌈log v / log gamma⌉ of its sign. All float64 need fewer than 150,000 buckets,
// values over six orders of magnitude about 700.
type sketch struct {
	positive, negative map[int32]float64
	zero               float64
}

func bucketOf(v float64) int32 { return int32(math.Ceil(math.Log(v) / logGamma)) }

// valueOf is the point of a bucket with the same relative error to both bounds.
func valueOf(bucket int32) float64 { return 2 * math.Exp(float64(bucket)*logGamma) / (gamma + 1) }

func (s *sketch) add(v, count float64) {
	switch {
	case v > 0:
		addTo(&s.positive, bucketOf(v), count)
	case v < 0:
		addTo(&s.negative, bucketOf(-v), count)
	default:
		s.zero += count
	}
}

func addTo(m *map[int32]float64, bucket int32, count float64) {
	if *m == nil {
		*m = map[int32]float64{}
	}
	(*m)[bucket] += count
}

func (s *sketch) merge(o sketch) {
	for b, n := range o.positive {
		addTo(&s.positive, b, n)
	}
	for b, n := range o.negative {
		addTo(&s.negative, b, n)
	}
	s.zero += o.zero
}

func (s *sketch) count() float64 {
	n := s.zero
	for _, m := range []map[int32]float64{s.positive, s.negative} {
		for _, c := range m {
			n += c
		}
	}
	return n
}

// quantile gives the value of rank q·(count−1), for q from 0 to 1.
func (s *sketch) quantile(q float64) float64 {
	rank := q * (s.count() - 1)
	seen := 0.0
	last := 0.0
	for _, b := range slices.Backward(slices.Sorted(maps.Keys(s.negative))) {
		if last, seen = -valueOf(b), seen+s.negative[b]; seen > rank {
			return last
		}
	}
	if s.zero > 0 {
		if last, seen = 0, seen+s.zero; seen > rank {
			return last
		}
	}
	for _, b := range slices.Sorted(maps.Keys(s.positive)) {
		if last, seen = valueOf(b), seen+s.positive[b]; seen > rank {
			return last
		}
	}
	return last
}
