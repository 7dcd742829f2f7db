package fairness_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats/fairness"
)

func sample() fairness.Sample {
	return fairness.Sample{
		Facet:     []bool{false, false, false, false, true, true, true, true},
		Label:     []float64{1, 1, 0, 0, 1, 1, 0, 0},
		Predicted: []float64{1, 1, 1, 0, 1, 0, 0, 0},
	}
}

// Values by hand: the rest has 2 TP, 1 FP, 1 TN, the facet 1 TP, 1 FN, 2 TN.
func TestMeasureOfAKnownExample(t *testing.T) {
	m, err := fairness.Measure(sample())
	require.NoError(t, err)
	for name, want := range map[string]float64{"ci": 0, "dpl": 0, "dppl": 0.5, "di": 1. / 3, "ad": 0, "rd": 0.5,
		"dar": 2./3 - 1, "sd": 0.5, "drr": 2./3 - 1, "dcr": 2./3 - 2, "dca": 2./3 - 2, "ge": 0.125,
		"demographic_parity_difference": 0.5, "demographic_parity_ratio": 1. / 3,
		"equalized_odds_difference": 0.5, "equalized_odds_ratio": 0} {
		require.InDelta(t, want, m[name], 1e-12, name)
	}
	require.NotContains(t, m, "te", "FN/FP of the facet is 1/0")
	require.True(t, fairness.Alarming(m["di"]))
	require.True(t, fairness.Alarming(1.3))
	require.False(t, fairness.Alarming(0.8))
}

func TestWeightsActAsRepetition(t *testing.T) {
	weighted := sample()
	weighted.Weight = []float64{2, 1, 1, 3, 1, 1, 0, 2}
	var repeated fairness.Sample
	for i, w := range weighted.Weight {
		for range int(w) {
			repeated.Facet = append(repeated.Facet, weighted.Facet[i])
			repeated.Label = append(repeated.Label, weighted.Label[i])
			repeated.Predicted = append(repeated.Predicted, weighted.Predicted[i])
		}
	}
	a, err := fairness.Measure(weighted)
	require.NoError(t, err)
	b, err := fairness.Measure(repeated)
	require.NoError(t, err)
	require.InDeltaMapValues(t, b, a, 1e-12)
}

func TestWhatCannotBeMeasured(t *testing.T) {
	for want, spoil := range map[string]func(*fairness.Sample){
		"0 rows of the facet":   func(s *fairness.Sample) { s.Facet = make([]bool, 8) },
		"7 labels":              func(s *fairness.Sample) { s.Label = s.Label[1:] },
		"label of row 0 is 2":   func(s *fairness.Sample) { s.Label[0] = 2 },
		"decision of row 7 is":  func(s *fairness.Sample) { s.Predicted[7] = 0.5 },
		"weight of row 0 is -1": func(s *fairness.Sample) { s.Weight = []float64{-1, 1, 1, 1, 1, 1, 1, 1} },
	} {
		s := sample()
		spoil(&s)
		_, err := fairness.Measure(s)
		require.ErrorContains(t, err, want)
	}
}
