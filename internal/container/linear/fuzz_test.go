package linear

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzLoad holds that a model that is taken can score any row of its schema.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"format":"steward/features/1","task":"binary","label":"y","features":[{"name":"a","type":"numeric"},{"name":"b","type":"categorical","levels":["x","y"],"other":true}]}`),
		[]byte(`{"format":"steward/linear/1","intercept":1,"terms":[{"mean":1,"scale":2,"slope":3,"missing":0},{"levels":[1,2,3],"missing":0}]}`))
	f.Add([]byte(`{"format":"steward/features/1","task":"binary","features":[{"type":"categorical"}]}`), []byte(`{"format":"steward/linear/1","terms":[{}]}`))
	f.Add([]byte("["), []byte(""))
	f.Fuzz(func(t *testing.T, features, model []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, featuresFile), features, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, modelFile), model, 0o600))
		m, err := Load(dir)
		if err != nil {
			require.ErrorContains(t, err, dir)
			return
		}
		for _, v := range []float64{0, 1, math.NaN(), -1e300} {
			row := make([]float64, len(m.Schema().Features))
			for j := range row {
				if row[j] = v; m.Schema().Features[j].Kind == "categorical" {
					row[j] = m.Schema().Features[j].Code("x")
				}
			}
			m.Score(row)
		}
	})
}
