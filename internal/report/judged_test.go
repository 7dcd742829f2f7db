package report

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

func scored(seed uint64, rows int) (s stats.Scored) {
	r := rand.New(rand.NewPCG(seed, 1))
	for range rows {
		p := r.Float64()
		y := 0.0
		if r.Float64() < p {
			y = 1
		}
		s.Score, s.Label = append(s.Score, p), append(s.Label, y)
	}
	return s
}

func TestJudge(t *testing.T) {
	s := scored(1, 5000)
	j, err := Judge(s, 0.5)
	require.NoError(t, err)
	auc, err := stats.AUC(s.Score, s.Label)
	require.NoError(t, err)
	require.InDelta(t, auc, j.ROC.AUC, 1e-12)
	require.LessOrEqual(t, len(j.ROC.Points), curvePoints)
	require.Len(t, j.Calibration, calibrationBins)
	c := j.Confusion
	require.InDelta(t, 5000, c.TrueNegative+c.FalseNegative+c.TruePositive+c.FalsePositive, 1e-9)

	raw, err := json.Marshal(j)
	require.NoError(t, err)
	require.Less(t, len(raw), 64<<10, "it is read for every page")
	var back Judged
	require.NoError(t, json.Unmarshal(raw, &back))
	require.Equal(t, *j, back)

	_, err = Judge(stats.Scored{Score: []float64{0.5, 0.5}, Label: []float64{1, 1}}, 0.5)
	require.ErrorIs(t, err, stats.ErrOneClass)
}

func TestDiagrams(t *testing.T) {
	model, err := Judge(scored(1, 3000), 0.5)
	require.NoError(t, err)
	champion, err := Judge(scored(2, 3000), 0.5)
	require.NoError(t, err)
	for _, d := range Diagrams(model, champion) {
		require.True(t, strings.HasPrefix(d.SVG, "<svg"), d.Title)
		require.NotEmpty(t, d.Caption)
	}
	both, alone := Diagrams(model, champion), Diagrams(model, nil)
	require.Contains(t, both[0].SVG, ">champion<")
	require.NotContains(t, alone[0].SVG, ">champion<")
	require.Equal(t, both, Diagrams(model, champion))
}
