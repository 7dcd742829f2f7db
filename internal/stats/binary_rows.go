package stats

import "math"

// binaryRows are the rows of a binary sample from the highest score to the
// lowest. In that order everything is had in one pass: ties are neighbours, and
// so are the rows of a calibration bin and those above the threshold.
type binaryRows struct {
	ranking
	score, label, loss []float64 // by rank
	parts              []part
	own                []float64 // weights by row
}

// part is a run of ranks that lie in one calibration bin, on one side of the
// threshold.
type part struct {
	to      int // after the last rank
	bin     int
	flagged bool
}

func newBinaryRows(s Scored, threshold float64) *binaryRows {
	n := len(s.Score)
	b := &binaryRows{ranking: rank(s.Score), own: s.Weight,
		score: make([]float64, n), label: make([]float64, n), loss: make([]float64, n)}
	for k, row := range b.rows {
		p, y := s.Score[row], s.Label[row]
		b.score[k], b.label[k], b.loss[k] = p, y, logLoss(p, y)
		in := part{to: k + 1, bin: binOf(p, calibrationEdges), flagged: p >= threshold}
		if i := len(b.parts) - 1; i >= 0 && b.parts[i].bin == in.bin && b.parts[i].flagged == in.flagged {
			b.parts[i].to = k + 1
		} else {
			b.parts = append(b.parts, in)
		}
	}
	return b
}

func (b *binaryRows) order() []int32        { return b.rows }
func (b *binaryRows) weights() []float64    { return b.own }
func (b *binaryRows) units() ([]int32, int) { return nil, 0 }

// partSums are weighted sums over a part.
type partSums struct{ weight, label, score, loss, brier float64 }

type binarySums struct {
	areas
	parts []partSums
}

func (b *binaryRows) sum(weigh weigher) binarySums {
	out := binarySums{parts: make([]partSums, len(b.parts))}
	var block [blockRows]float64
	at := 0
	for from := 0; from < len(b.score); from += blockRows {
		to := min(from+blockRows, len(b.score))
		w := block[:to-from]
		weigh(from, w)
		out.areas.add(b.label[from:to], w, b.last[from:to])
		for lo := from; lo < to; {
			hi := min(to, b.parts[at].to)
			out.parts[at].add(b, lo, hi, w[lo-from:hi-from])
			if lo = hi; hi == b.parts[at].to {
				at++
			}
		}
	}
	out.areas.finish()
	return out
}

// add takes the ranks from lo to hi.
func (p *partSums) add(b *binaryRows, lo, hi int, weight []float64) {
	s := *p
	n := len(weight) // is hi − lo, which spares the loop its checks
	score, label, loss := b.score[lo:hi][:n], b.label[lo:hi][:n], b.loss[lo:hi][:n]
	for k, w := range weight {
		p, y := score[k], label[k]
		s.weight += w
		s.label += w * y
		s.score += w * p
		s.loss += w * loss[k]
		s.brier += w * (p - y) * (p - y)
	}
	*p = s
}

func (b *binaryRows) measure(weigh weigher) Metrics {
	sums := b.sum(weigh)
	var c confusion
	var all partSums
	var gaps [calibrationBins]float64
	for i, s := range sums.parts {
		all.weight += s.weight
		all.label += s.label
		all.score += s.score
		all.loss += s.loss
		all.brier += s.brier
		gaps[b.parts[i].bin] += s.score - s.label
		if b.parts[i].flagged {
			c.tp, c.fp = c.tp+s.label, c.fp+s.weight-s.label
		} else {
			c.fn, c.tn = c.fn+s.label, c.tn+s.weight-s.label
		}
	}
	m := c.metrics()
	m["auc"], m["pr_auc"] = sums.auc, sums.meanPrecision
	m["log_loss"], m["brier"], m["mean_score"] = all.loss/all.weight, all.brier/all.weight, all.score/all.weight
	base := all.label / all.weight
	m["base_rate"], m["baseline_accuracy"] = base, max(base, 1-base)
	entropy := -base*math.Log(base) - (1-base)*math.Log(1-base)
	m["baseline_log_loss"], m["log_loss_skill"] = entropy, 1-m["log_loss"]/entropy
	for _, g := range gaps {
		m["ece"] += math.Abs(g) / all.weight
	}
	return m
}
