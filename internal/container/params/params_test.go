package params

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValuesAndDefaults(t *testing.T) {
	s := New(map[string]string{"rounds": " 7 ", "rate": "0.5", "task": "binary", "columns": "a, b,,c", "empty": "",
		"_tuning_objective_metric": "auc", "sagemaker_region": "eu"})
	require.Equal(t, 7, s.Int("rounds", 200, 1, 10))
	require.Equal(t, 31, s.Int("leaves", 31, 2, 40))
	require.Equal(t, 4, s.Int("empty", 4, 2, 40))
	require.Equal(t, 0.5, s.Float("rate", 0.1, 0, 1))
	require.Equal(t, "binary", s.Choice("task", "binary", "regression"))
	require.Equal(t, "", s.Choice("mode", "a"))
	require.Equal(t, []string{"a", "b", "c"}, s.List("columns"))
	require.NoError(t, s.Err())
}

func TestEveryMistakeIsNamed(t *testing.T) {
	s := New(map[string]string{"rounds": "0", "leaves": "1e3", "rate": "NaN", "task": "ranking", "depth": "6"})
	s.Int("rounds", 200, 1, 10)
	s.Int("leaves", 31, 2, 40)
	s.Float("rate", 0.1, 0, 1)
	s.Choice("task", "binary", "regression")
	require.EqualError(t, s.Err(), `hyperparameter "depth" is unknown; known are rounds, leaves, rate, task
hyperparameter leaves is "1e3"; give a whole number from 2 to 40
hyperparameter rate is "NaN"; give a number from 0 to 1
hyperparameter rounds is "0"; give a whole number from 1 to 10
hyperparameter task is "ranking"; give one of binary, regression`)
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hyperparameters.json")
	s, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, 3, s.Int("rounds", 3, 1, 10))
	require.NoError(t, os.WriteFile(path, []byte(`{"rounds": 5}`), 0o600))
	_, err = Load(path)
	require.ErrorContains(t, err, "not a JSON object of strings")
	require.NoError(t, os.WriteFile(path, []byte(`{"rounds": "5"}`), 0o600))
	s, err = Load(path)
	require.NoError(t, err)
	require.Equal(t, 5, s.Int("rounds", 3, 1, 10))
}
