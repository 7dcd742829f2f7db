package stats_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
	"steward/internal/stats/fairness"
	"steward/internal/stats/sequential"
)

// golden is what testdata/golden.py computed with other people's libraries.
type golden struct {
	Versions map[string]string `json:"versions"`
	Binary   []struct {
		goldenScored
		Curves map[string][]float64 `json:"curves"`
	} `json:"binary"`
	Regression []goldenScored `json:"regression"`
	Multiclass []struct {
		goldenCase
		Classes             int
		Probability, Weight []float64
		Label               []int
	} `json:"multiclass"`
	Ranking []struct {
		goldenCase
		Query       []int
		Score, Gain []float64
	} `json:"ranking"`
	Samples []struct {
		goldenCase
		A, B, Shift []float64
	} `json:"samples"`
	Shares []struct {
		goldenCase
		P, Q []float64 // of 1,000 rows
	} `json:"shares"`
	Fairness struct {
		goldenCase
		Facet            []bool
		Label, Predicted []float64
	} `json:"fairness"`
	Estimates struct {
		goldenScored
		At, Probability, Isotonic, Platt []float64
	} `json:"estimates"`
	Adjusted struct{ P, BH []float64 } `json:"adjusted"`
	KSLargeP float64                   `json:"ks_large_p"`
	RatioP   float64                   `json:"ratio_p"`
}

type goldenCase struct {
	Name string             `json:"name"`
	Want map[string]float64 `json:"want"`
}

type goldenScored struct {
	goldenCase
	Score, Label, Weight []float64
}

func (g goldenScored) scored() stats.Scored {
	return stats.Scored{Score: g.Score, Label: g.Label, Weight: g.Weight}
}

// agreement is how far each measure lay from the peers' at most.
type agreement struct {
	t          *testing.T
	largest    map[string]float64
	tolerance  map[string]float64
	cases      map[string]int
	exceptions map[string]float64
}

// exact is the tolerance of what is computed the same way: rounding.
const exact = 1e-9

// hold compares relative to values above 1, since cases are as large as 1e12.
func (a *agreement) hold(measure, name string, want, got float64) {
	a.t.Helper()
	tolerance, ok := a.exceptions[measure]
	if !ok {
		tolerance = exact
	}
	off := math.Abs(want-got) / max(1, math.Abs(want))
	require.LessOrEqual(a.t, off, tolerance, "%s of case %q: %v, peers say %v", measure, name, got, want)
	a.largest[measure] = max(a.largest[measure], off)
	a.tolerance[measure] = tolerance
	a.cases[measure]++
}

func (a *agreement) holdAll(task string, c goldenCase, got map[string]float64) {
	a.t.Helper()
	for _, measure := range slices.Sorted(maps.Keys(c.Want)) {
		require.Contains(a.t, got, measure, "%s case %q", task, c.Name)
		a.hold(task+" "+measure, c.Name, c.Want[measure], got[measure])
	}
}

func (a *agreement) holdEach(measure, name string, want, got []float64) {
	a.t.Helper()
	require.Len(a.t, got, len(want), "%s of case %q", measure, name)
	for i := range want {
		a.hold(measure, name, want[i], got[i])
	}
}

// TestAgreement holds every measure against scikit-learn, SciPy, Evidently,
// NannyML and fairlearn. With -v it prints how near they are.
func TestAgreement(t *testing.T) {
	b, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var g golden
	require.NoError(t, json.Unmarshal(b, &g))
	a := &agreement{t: t, largest: map[string]float64{}, tolerance: map[string]float64{}, cases: map[string]int{},
		exceptions: map[string]float64{
			"two samples wasserstein_norm": 0.01, // Evidently divides by σ of n, we by that of n−1
			"two samples ks_p (limit)":     1e-3, // Stephens's correction, not the exact distribution
			"estimates auc":                1e-6, // NannyML rounds its running sums to 5 digits
			"estimates platt":              1e-6, // scikit-learn stops its solver early
		}}
	g.scored(a)
	g.distances(a)
	g.rest(a)
	t.Logf("computed by %v", g.Versions)
	t.Logf("| %-40s | values | largest deviation | tolerance |", "measure")
	for _, m := range slices.Sorted(maps.Keys(a.largest)) {
		t.Logf("| %-40s | %6d | %17.1e | %9.0e |", m, a.cases[m], a.largest[m], a.tolerance[m])
	}
}

func (g golden) scored(a *agreement) {
	for _, c := range g.Binary {
		m, err := stats.Binary(c.scored(), 0.5)
		require.NoError(a.t, err, c.Name)
		a.holdAll("binary", c.goldenCase, m)
		if c.Curves != nil {
			g.curves(a, c.Name, c.scored(), c.Curves)
		}
	}
	for _, c := range g.Regression {
		m, err := stats.Regression(c.scored())
		require.NoError(a.t, err, c.Name)
		a.holdAll("regression", c.goldenCase, m)
	}
	for _, c := range g.Multiclass {
		m, err := stats.Multiclass(stats.Classified{Classes: c.Classes, Probability: c.Probability, Label: c.Label, Weight: c.Weight})
		require.NoError(a.t, err, c.Name)
		a.holdAll("multiclass", c.goldenCase, m)
	}
	for _, c := range g.Ranking {
		m, err := stats.Ranking(stats.Ranked{Query: c.Query, Score: c.Score, Gain: c.Gain})
		require.NoError(a.t, err, c.Name)
		a.holdAll("ranking", c.goldenCase, m)
	}
}

func (g golden) curves(a *agreement, name string, s stats.Scored, want map[string][]float64) {
	roc, err := stats.ROCCurve(s, 0)
	require.NoError(a.t, err)
	got := map[string][]float64{}
	for _, p := range roc.Points {
		got["fpr"], got["tpr"] = append(got["fpr"], p.FalsePositiveRate), append(got["tpr"], p.TruePositiveRate)
	}
	pr, err := stats.PrecisionRecallCurve(s, 0)
	require.NoError(a.t, err)
	for _, p := range pr.Points {
		got["precision"], got["recall"] = append(got["precision"], p.Precision), append(got["recall"], p.Recall)
	}
	for key, cut := range map[string]string{"width": stats.EqualWidth, "count": stats.EqualCount} {
		bins, err := stats.CalibrationCurve(s, 5, cut, 0.95)
		require.NoError(a.t, err)
		for _, b := range bins {
			got["observed_"+key] = append(got["observed_"+key], b.Observed)
			got["score_"+key] = append(got["score_"+key], b.Score)
		}
	}
	for key, values := range want {
		a.holdEach("curve "+key, name, values, got[key])
	}
}

func (g golden) distances(a *agreement) {
	for _, c := range g.Samples {
		d, p := stats.KSTest(c.A, c.B)
		edges, err := stats.DoaneEdges(c.A)
		require.NoError(a.t, err)
		u, err := sequential.MannWhitney(c.A, c.B, 0.98)
		require.NoError(a.t, err)
		got := map[string]float64{"ks": d, "ks_p": p, "ks_p_limit": c.Want["ks_p_limit"],
			"wasserstein": stats.Wasserstein(c.A, c.B), "wasserstein_norm": stats.Wasserstein(c.A, c.B) / deviation(c.A),
			"js_doane":   stats.JensenShannonDistance(stats.BinShares(c.A, edges), stats.BinShares(c.B, edges), 2),
			"doane_bins": float64(len(edges) - 1), "u": u.U, "u_p": u.PValue, "hodges_lehmann": u.Estimate}
		delete(c.Want, "ks_p_limit")
		a.holdAll("two samples", c.goldenCase, got)
		if c.Shift != nil {
			a.holdEach("two samples shift interval", c.Name, c.Shift, []float64{u.Low, u.High})
		}
	}
	large := [2][]float64{make([]float64, 3000), make([]float64, 2500)}
	for i := range large[0] {
		large[0][i] = float64(i)
	}
	for i := range large[1] {
		large[1][i] = 1.2*float64(i) + 90.5
	}
	_, p := stats.KSTest(large[0], large[1])
	a.hold("two samples ks_p (limit)", "large", g.KSLargeP, p)
	for _, c := range g.Shares {
		p, q := scaled(c.P, 1e-3), scaled(c.Q, 1e-3)
		chi2, chi2P := stats.ChiSquared(c.P, c.Q)
		_, z := stats.ProportionsTest(c.P[0], 1000, c.Q[0], 1000)
		a.holdAll("shares", c.goldenCase, map[string]float64{"psi": stats.PSI(p, q), "hellinger": stats.Hellinger(p, q),
			"js_e": stats.JensenShannonDistance(p, q, math.E), "js_2": stats.JensenShannonDistance(p, q, 2),
			"jsd_2": stats.JensenShannonDivergence(p, q, 2), "tv": stats.TotalVariation(p, q), "linf": stats.LInf(p, q),
			"chi2": chi2, "chi2_p": chi2P, "z_p": z})
	}
}

func (g golden) rest(a *agreement) {
	m, err := fairness.Measure(fairness.Sample{Facet: g.Fairness.Facet, Label: g.Fairness.Label, Predicted: g.Fairness.Predicted})
	require.NoError(a.t, err)
	a.holdAll("fairness", g.Fairness.goldenCase, m)

	e := g.Estimates
	m, err = stats.CalibratedCBPE(e.Score, e.Probability, 0.5)
	require.NoError(a.t, err)
	a.holdAll("estimates", e.goldenCase, m)
	for name, fit := range map[string]func(stats.Scored) (stats.Calibrator, error){"isotonic": stats.FitIsotonic, "platt": stats.FitPlatt} {
		c, err := fit(e.scored())
		require.NoError(a.t, err)
		want := map[string][]float64{"isotonic": e.Isotonic, "platt": e.Platt}[name]
		for i, at := range e.At {
			a.hold("estimates "+name, fmt.Sprint(at), want[i], c.Probability(at))
		}
	}
	a.holdEach("adjusted bh", "", g.Adjusted.BH, stats.BenjaminiHochberg(g.Adjusted.P))
	p, _, err := sequential.SampleRatio([]float64{5100, 4900, 10300}, []float64{1, 1, 2})
	require.NoError(a.t, err)
	a.hold("sample ratio p", "", g.RatioP, p)
}

func scaled(values []float64, by float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = v * by
	}
	return out
}

// deviation is the sample's, at least 0.001.
func deviation(values []float64) float64 {
	mean, square := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		square += (v - mean) * (v - mean)
	}
	return max(0.001, math.Sqrt(square/float64(len(values)-1)))
}
