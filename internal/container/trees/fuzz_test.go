package trees

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const fuzzFeatures = `{"format":"steward/features/1","task":"regression","label":"y","features":[{"name":"a","type":"numeric"},{"name":"b","type":"categorical","levels":["x","y"],"other":true}]}`

const fuzzModel = `{"learner":{"objective":{"name":"reg:squarederror"},"learner_model_param":{"base_score":"0.5","num_feature":"2"},"gradient_booster":{"name":"gbtree","model":{"trees":[
{"left_children":[1,-1,-1],"right_children":[2,-1,-1],"default_left":[1,0,0],"split_conditions":[0.5,1,2],"split_indices":[1,0,0],"split_type":[1,0,0],"categories_nodes":[0],"categories_segments":[0],"categories_sizes":[1],"categories":[1]}]}}}}`

// FuzzLoad holds that a model that is taken can score any row of its schema.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(fuzzFeatures), []byte(fuzzModel))
	f.Add([]byte(`{"features":null}`), []byte(`{"learner":{"gradient_booster":{"model":{"trees":[{"left_children":[0],"categories_segments":[9223372036854775807],"categories_sizes":[1]}]}}}}`))
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
