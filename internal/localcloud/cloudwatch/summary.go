package cloudwatch

import (
	"encoding/binary"
	"errors"
	"math"
)

// summary is what is known of the values of one stretch of time. Summaries of
// neighbouring stretches merge without loss.
type summary struct {
	count, sum, min, max float64
	values               sketch
}

func (s *summary) add(v, count float64) {
	s.merge(summary{count: count, sum: v * count, min: v, max: v})
	s.values.add(v, count)
}

func (s *summary) merge(o summary) {
	if o.count == 0 {
		return
	}
	if s.count == 0 {
		s.min, s.max = o.min, o.max
	}
	s.count += o.count
	s.sum += o.sum
	s.min, s.max = min(s.min, o.min), max(s.max, o.max)
	s.values.merge(o.values)
}

// percentile gives the p-th percentile, false if some of the values came as a
// statistic set, of which only extremes and sum are known.
func (s *summary) percentile(p float64) (float64, bool) {
	// Counts may be fractions, so their sums may differ in the last bits.
	if s.count == 0 || s.values.count() < s.count*(1-1e-9) {
		return 0, false
	}
	switch p { // known exactly
	case 0:
		return s.min, true
	case 100:
		return s.max, true
	}
	return min(max(s.values.quantile(p/100), s.min), s.max), true
}

// encode writes four numbers, the count of zeros and both histograms, each as
// its length and pairs of bucket and count.
func (s *summary) encode() []byte {
	var b []byte
	for _, f := range []float64{s.count, s.sum, s.min, s.max, s.values.zero} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
	}
	for _, m := range []map[int32]float64{s.values.positive, s.values.negative} {
		b = binary.AppendUvarint(b, uint64(len(m)))
		for bucket, n := range m {
			b = binary.AppendVarint(b, int64(bucket))
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(n))
		}
	}
	return b
}

var errDamaged = errors.New("a stored summary is damaged")

func decodeSummary(b []byte) (summary, error) {
	r := summaryReader{rest: b}
	var s summary
	for _, f := range []*float64{&s.count, &s.sum, &s.min, &s.max, &s.values.zero} {
		*f = r.float()
	}
	for _, m := range []*map[int32]float64{&s.values.positive, &s.values.negative} {
		for range r.length() {
			bucket := r.bucket()
			addTo(m, bucket, r.float())
		}
	}
	if r.failed || len(r.rest) > 0 {
		return summary{}, errDamaged
	}
	return s, nil
}

// summaryReader reads what encode wrote; after the first fault it gives zeros.
type summaryReader struct {
	rest   []byte
	failed bool
}

func (r *summaryReader) take(n int) bool {
	if r.failed = r.failed || n <= 0 || n > len(r.rest); r.failed {
		return false
	}
	r.rest = r.rest[n:]
	return true
}

func (r *summaryReader) float() float64 {
	was := r.rest
	if !r.take(8) {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(was))
}

// length reads the number of pairs, each of which takes 9 bytes at least.
func (r *summaryReader) length() uint64 {
	v, n := binary.Uvarint(r.rest)
	if !r.take(n) || v > uint64(len(r.rest)/9) {
		r.failed = true
		return 0
	}
	return v
}

func (r *summaryReader) bucket() int32 {
	v, n := binary.Varint(r.rest)
	r.take(n)
	return int32(v)
}
