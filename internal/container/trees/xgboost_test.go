package trees

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/container/frame"
	"steward/internal/localcloud/scriptmode/pythontest"
)

// scoreByXGBoost loads model.json with XGBoost itself and prints its answers to
// rows.json, whose missing values are null.
const scoreByXGBoost = `import json, sys, numpy, xgboost
booster = xgboost.Booster(model_file=sys.argv[1] + "/model.json")
rows = numpy.array(json.load(open(sys.argv[1] + "/rows.json")), dtype=float)
matrix = xgboost.DMatrix(rows, feature_names=booster.feature_names, feature_types=booster.feature_types, enable_categorical=True)
print(json.dumps(booster.predict(matrix).tolist()))
`

// XGBoost reads the models, and answers as they do.
func TestXGBoostAgrees(t *testing.T) {
	regression := mixed(3, 2000)
	regression.Schema.Task = frame.Regression
	for i := range regression.Label {
		regression.Label[i] = 100*nan0(regression.Columns[0][i]) + float64(i%7)
	}
	for name, f := range map[string]*frame.Frame{
		"numbers, categories and missing values": mixed(1, 3000), "many categories": airports(200, 3000, false), "regression": regression,
	} {
		t.Run(name, func(t *testing.T) {
			m := fit(t, f, map[string]string{"rounds": "40", "maxLeaves": "15"})
			dir := t.TempDir()
			require.NoError(t, m.Save(dir))
			rows := make([][]*float64, f.Rows())
			for i := range rows {
				for _, v := range row(f, i) {
					if math.IsNaN(v) {
						rows[i] = append(rows[i], nil)
					} else {
						rows[i] = append(rows[i], &v)
					}
				}
			}
			text, err := json.Marshal(rows)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "rows.json"), text, 0o600))
			cmd := exec.Command(pythontest.Python(t), "-c", scoreByXGBoost, dir)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			require.NoError(t, err)
			var theirs []float64
			require.NoError(t, json.Unmarshal(out, &theirs))
			require.Len(t, theirs, f.Rows())
			spread := map[float64]bool{}
			for i, want := range theirs {
				got := m.Score(row(f, i))
				require.InDelta(t, want, got, 1e-6*math.Max(1, math.Abs(want)), "row %d", i)
				spread[want] = true
			}
			require.Greater(t, len(spread), 1, "the answers differ among themselves")
		})
	}
}
