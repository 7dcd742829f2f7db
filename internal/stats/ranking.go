package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Ranked is answers to queries: rows of one Query are ranked by falling Score.
// Gain is how relevant a row is, 0 for not at all.
type Ranked struct {
	Query       []int
	Score, Gain []float64
	Weight      []float64 // of the query of each row, the same in all its rows; nil weighs all 1
}

const rankingDepth = 10

// Ranking measures a ranking by the mean over the queries that have a relevant
// row: ndcg_at_10, with gains as given and discounts 1/log₂(rank+1) (Järvelin
// and Kekäläinen 2002), equal scores sharing the mean of their gains as in
// scikit-learn; map, the mean of average precision over the rows with a gain;
// mrr, the mean of 1/rank of the first of them (Voorhees 1999); recall_at_10,
// the share of them in the first ten. For the last three rows of equal score
// come in their order. rows and queries count what was measured; without a
// query that has a relevant row there is an error.
func Ranking(r Ranked) (Metrics, error) { return RankingSample(r).Measure() }

// RankingSample measures what Ranking does; its queries are resampled whole.
func RankingSample(r Ranked) Sample { return rankingSample{r} }

type rankingSample struct{ Ranked }

func (s rankingSample) Measure() (Metrics, error) {
	m, err := s.prepare(nil)
	if err != nil {
		return nil, err
	}
	out := m.measure(own(m)).defined()
	out["rows"], out["queries"] = float64(len(s.Query)), float64(len(m.order()))
	return out, nil
}

func (s rankingSample) task() string { return TaskRanking }
func (s rankingSample) rows() int    { return len(s.Query) }

func (s rankingSample) subset(rows []int) Sample {
	return rankingSample{Ranked{Query: pick(s.Query, rows), Score: pick(s.Score, rows),
		Gain: pick(s.Gain, rows), Weight: pick(s.Weight, rows)}}
}

func (s rankingSample) prepare([]string) (measurer, error) {
	if len(s.Query) != len(s.Score) {
		return nil, fmt.Errorf("%d queries, %d scores: there must be one of each a row", len(s.Query), len(s.Score))
	}
	if err := (Scored{Score: s.Score, Label: s.Gain, Weight: s.Weight}).check(false); err != nil {
		return nil, err
	}
	for i, g := range s.Gain {
		if g < 0 {
			return nil, fmt.Errorf("gain of row %d is %v: it is 0 or more", i, g)
		}
	}
	return newQueries(s.Ranked)
}

// queries are measured one by one, once.
type queries struct {
	first                    []int32 // row of each query, by its first
	ndcg, ap, reciprocal, at []float64
	own                      []float64
}

func newQueries(r Ranked) (*queries, error) {
	byQuery := map[int][]int{}
	var seen []int
	for i, q := range r.Query {
		if byQuery[q] == nil {
			seen = append(seen, q)
		}
		byQuery[q] = append(byQuery[q], i)
	}
	out := &queries{own: r.Weight}
	for _, q := range seen {
		rows := byQuery[q]
		for _, i := range rows {
			if r.Weight != nil && r.Weight[i] != r.Weight[rows[0]] {
				return nil, fmt.Errorf("weight of row %d is %v, that of query %d %v: a query has one", i, r.Weight[i], q, r.Weight[rows[0]])
			}
		}
		first := int32(rows[0])
		slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(r.Score[b], r.Score[a]) })
		out.add(first, pick(r.Score, rows), pick(r.Gain, rows))
	}
	if len(out.first) == 0 {
		return nil, fmt.Errorf("none of %d queries has a relevant row: nothing to rank", len(seen))
	}
	return out, nil
}

// add takes a query whose rows are sorted by falling score.
func (q *queries) add(first int32, score, gain []float64) {
	var relevant, ap, reciprocal, within float64
	for k, g := range gain {
		if g == 0 {
			continue
		}
		relevant++
		ap += relevant / float64(k+1)
		reciprocal = max(reciprocal, 1/float64(k+1))
		if k < rankingDepth {
			within++
		}
	}
	if relevant == 0 {
		return
	}
	ideal := slices.Clone(gain)
	slices.SortFunc(ideal, func(a, b float64) int { return cmp.Compare(b, a) })
	q.first = append(q.first, first)
	q.ndcg = append(q.ndcg, discounted(sharedGains(score, gain))/discounted(ideal))
	q.ap = append(q.ap, ap/relevant)
	q.reciprocal = append(q.reciprocal, reciprocal)
	q.at = append(q.at, within/relevant)
}

func discounted(gain []float64) float64 {
	sum := 0.0
	for k, g := range gain[:min(len(gain), rankingDepth)] {
		sum += g / math.Log2(float64(k+2))
	}
	return sum
}

// sharedGains gives rows of equal score the mean of their gains (McSherry and
// Najork 2008).
func sharedGains(score, gain []float64) []float64 {
	out := slices.Clone(gain)
	for i := 0; i < len(score); {
		j, sum := i, 0.0
		for ; j < len(score) && score[j] == score[i]; j++ {
			sum += gain[j]
		}
		for k := i; k < j; k++ {
			out[k] = sum / float64(j-i)
		}
		i = j
	}
	return out
}

func (q *queries) order() []int32     { return q.first }
func (q *queries) weights() []float64 { return q.own }

func (q *queries) measure(weigh weigher) Metrics {
	weights := make([]float64, len(q.first))
	weigh(0, weights)
	mean := func(values []float64) float64 {
		sum, n := 0.0, 0.0
		for i, w := range weights {
			sum += w * values[i]
			n += w
		}
		return sum / n
	}
	return Metrics{"ndcg_at_10": mean(q.ndcg), "map": mean(q.ap), "mrr": mean(q.reciprocal), "recall_at_10": mean(q.at)}
}

// units are the queries themselves.
func (q *queries) units() ([]int32, int) {
	out := make([]int32, len(q.first))
	for i := range out {
		out[i] = int32(i)
	}
	return out, len(out)
}
