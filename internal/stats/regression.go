package stats

import (
	"errors"
	"math"
)

// ErrConstantLabel is returned when all labels are equal, so that R² has no
// meaning.
var ErrConstantLabel = errors.New("all labels are equal: r2 is undefined; measure more rows")

// Regression measures a regression: mae, mse, rmse, bias (mean of score −
// label), rows, and r2 = 1 − Σ(y−ŷ)²/Σ(y−ȳ)². When all labels are equal the
// error is ErrConstantLabel and everything but r2 comes with it.
func Regression(s Scored) (Metrics, error) {
	if err := s.check(false); err != nil {
		return nil, err
	}
	var weight, label, absolute, square, bias float64
	for i, y := range s.Label {
		w, d := s.weight(i), s.Score[i]-y
		weight += w
		label += w * y
		absolute += w * math.Abs(d)
		square += w * d * d
		bias += w * d
	}
	spread, mean := 0.0, label/weight
	for i, y := range s.Label {
		spread += s.weight(i) * (y - mean) * (y - mean)
	}
	m := Metrics{"rows": float64(len(s.Label)), "mae": absolute / weight, "mse": square / weight,
		"rmse": math.Sqrt(square / weight), "bias": bias / weight}
	if spread == 0 {
		return m, ErrConstantLabel
	}
	m["r2"] = 1 - square/spread
	return m, nil
}
