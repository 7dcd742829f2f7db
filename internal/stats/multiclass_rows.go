package stats

import "math"

const topClasses = 3

// multiclassRows holds what each row adds, prepared once.
type multiclassRows struct {
	Classified
	predicted   []int32
	loss, brier []float64
	top         []float64 // 1 when the class is among the topClasses most probable
	rankings    []ranking // of each class against the rest
	against     [][]float64
}

func newMulticlassRows(c Classified, areas bool) *multiclassRows {
	n := len(c.Label)
	m := &multiclassRows{Classified: c, predicted: make([]int32, n),
		loss: make([]float64, n), brier: make([]float64, n), top: make([]float64, n)}
	for i := range n {
		m.describe(i)
	}
	if !areas {
		return m
	}
	for class := range c.Classes {
		score := make([]float64, n)
		for i := range score {
			score[i] = c.Probability[i*c.Classes+class]
		}
		r := rank(score)
		label := make([]float64, n)
		for k, row := range r.rows {
			if c.Label[row] == class {
				label[k] = 1
			}
		}
		m.rankings, m.against = append(m.rankings, r), append(m.against, label)
	}
	return m
}

func (m *multiclassRows) describe(row int) {
	p, y := m.Probability[row*m.Classes:(row+1)*m.Classes], m.Label[row]
	above := 0 // classes that come before the true one, the first of equals first
	for class, v := range p {
		if v > p[m.predicted[row]] {
			m.predicted[row] = int32(class)
		}
		if v > p[y] || (v == p[y] && class > y) {
			above++ // ties as in scikit-learn's top_k_accuracy_score
		}
		truth := 0.0
		if class == y {
			truth = 1
		}
		m.brier[row] += (v - truth) * (v - truth)
	}
	if above < topClasses {
		m.top[row] = 1
	}
	m.loss[row] = logLoss(p[y], 1)
}

func (m *multiclassRows) order() []int32        { return nil }
func (m *multiclassRows) weights() []float64    { return m.Weight }
func (m *multiclassRows) units() ([]int32, int) { return nil, 0 }

func (m *multiclassRows) measure(weigh weigher) Metrics {
	weights := make([]float64, len(m.Label))
	weigh(0, weights)
	counts := make([]float64, m.Classes*m.Classes)
	var n, loss, brier, top float64
	for i, w := range weights {
		n += w
		loss += w * m.loss[i]
		brier += w * m.brier[i]
		top += w * m.top[i]
		counts[m.Label[i]*m.Classes+int(m.predicted[i])] += w
	}
	out := m.confusion(counts, n)
	out["log_loss"], out["brier"], out["top_3_accuracy"] = loss/n, brier/n, top/n
	if m.rankings != nil {
		m.areas(weights, n, out)
	}
	return out
}

// confusion takes from the confusion matrix what needs no more.
func (m *multiclassRows) confusion(counts []float64, n float64) Metrics {
	out := Metrics{}
	var occur, used float64
	for c := range m.Classes {
		var truth, said float64
		for other := range m.Classes {
			truth += counts[c*m.Classes+other]
			said += counts[other*m.Classes+c]
		}
		right := counts[c*m.Classes+c]
		if truth+said == 0 {
			continue
		}
		used++
		if truth > 0 {
			occur++
			out["balanced_accuracy"] += right / truth
		}
		out["accuracy"] += right / n
		out["baseline_accuracy"] = max(out["baseline_accuracy"], truth/n)
		for name, v := range map[string]float64{"precision": ratio(right, said), "recall": ratio(right, truth),
			"f1": ratio(2*right, truth+said)} {
			out["macro_"+name] += v
			out["weighted_"+name] += v * truth / n
		}
	}
	out["balanced_accuracy"] /= occur
	for _, name := range []string{"macro_precision", "macro_recall", "macro_f1"} {
		out[name] /= used
	}
	return out
}

// areas are NaN unless every class has weight and so has another.
func (m *multiclassRows) areas(weights []float64, n float64, out Metrics) {
	byRank := make([]float64, len(weights))
	for c, r := range m.rankings {
		for k, row := range r.rows {
			byRank[k] = weights[row]
		}
		var a areas
		a.add(m.against[c], byRank, r.last)
		a.finish()
		out["macro_auc"] += a.auc / float64(m.Classes)
		out["weighted_auc"] += a.auc * a.above / n
	}
	if math.IsInf(out["macro_auc"], 0) {
		out["macro_auc"] = math.NaN()
	}
}
