package dataset_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
)

const constraints = `{"version": 0.0, "features": [
  {"name": "late", "inferred_type": "Integral", "completeness": 1.0, "num_constraints": {"is_non_negative": true}},
  {"name": "delay", "inferred_type": "Fractional", "completeness": 0.9, "num_constraints": {"is_non_negative": false}},
  {"name": "origin", "inferred_type": "String", "completeness": 1.0, "string_constraints": {"domains": ["ATL", "JFK"]}}],
 "monitoring_config": {"evaluate_constraints": "Enabled", "emit_metrics": "Enabled", "datatype_check_threshold": 1.0,
  "domain_content_threshold": 0.75, "distribution_constraints": {"perform_comparison": "Enabled", "comparison_threshold": 0.1, "comparison_method": "Robust"}}}`

func TestReadConstraints(t *testing.T) {
	c, err := dataset.ReadConstraints([]byte(constraints))
	require.NoError(t, err)
	require.Equal(t, []dataset.Check{
		{Required: []string{"late", "delay", "origin"}},
		{Column: "late", Type: dataset.Integer},
		{Column: "late", Min: ptr(0.0), MaxMissing: ptr(0.0)},
		{Column: "delay", Type: dataset.Number},
		{Column: "delay", MaxMissing: ptr(0.1)},
		{Column: "origin", In: []string{"ATL", "JFK"}, Tolerate: 0.25},
		{Column: "origin", MaxMissing: ptr(0.0)},
	}, c.Checks)
	require.Equal(t, "monitoring_config.distribution_constraints: drift is for spec.watch, which compares with the training data", c.Unchecked())
}

// The checks judge data as the file means it.
func TestConstraintsJudge(t *testing.T) {
	c, err := dataset.ReadConstraints([]byte(constraints))
	require.NoError(t, err)
	schema := dataset.Schema{{Name: "late", Type: dataset.Integer}, {Name: "origin", Type: dataset.String}}
	judge := func(rows ...[]any) map[string]bool {
		checker, err := dataset.NewChecker(schema, c.For(schema, dataset.Warning), time.Now())
		require.NoError(t, err)
		b, err := dataset.NewBatch(schema, rows)
		require.NoError(t, err)
		require.NoError(t, checker.Add(b))
		out := map[string]bool{}
		for _, r := range checker.Report().Checks {
			require.Equal(t, dataset.Warning, r.Severity)
			out[r.Column+" "+r.Name] = r.Pass
		}
		return out
	}
	good := judge([]any{1, "ATL"}, []any{0, "JFK"}, []any{0, "JFK"}, []any{0, "ORD"})
	require.False(t, good["delay required"])
	delete(good, "delay required")
	for name, pass := range good {
		require.True(t, pass, name)
	}
	bad := judge([]any{-1, "ATL"}, []any{nil, "ORD"}, []any{0, "SFO"})
	require.False(t, bad["late min"])
	require.False(t, bad["late missing"])
	require.False(t, bad["origin in"], "a third of the values is outside, a quarter may be")
}

func TestConstraintsThatAreNotKnownAreNamed(t *testing.T) {
	c, err := dataset.ReadConstraints([]byte(`{"features": [{"name": "x", "inferred_type": "Unknown", "num_constraints": {"is_prime": true},
		"string_constraints": {"max_length": 3}, "monitoringConfigOverrides": {"completeness": 1}}],
		"monitoring_config": {"extra_column_check": "Enabled", "missing_column_check": "Disabled", "frequency": "daily"}}`))
	require.NoError(t, err)
	require.Empty(t, c.Checks)
	require.Equal(t, []string{
		"monitoring_config.frequency: it is not known",
		"monitoring_config.extra_column_check: columns that nobody uses do no harm",
		"num_constraints.is_prime of column x: it is not known",
		"string_constraints.max_length of column x: it is not known",
		"monitoringConfigOverrides.completeness of column x: it is not known",
	}, c.Left)
}

func TestConstraintsRefused(t *testing.T) {
	for raw, want := range map[string]string{
		``:                  "not of the form",
		`[]`:                "not of the form",
		`{}`:                "features is empty",
		`{"features":[{}]}`: "features[0].name is empty",
		`{"features":[{"name":"x"},{"name":"x"}]}`:                                            `features[1].name "x" is there twice`,
		`{"features":[{"name":"x","completeness":1.5}]}`:                                      "completeness is 1.5",
		`{"features":[{"name":"x","inferred_type":"Complex"}]}`:                               `inferred_type is "Complex"`,
		`{"features":[{"name":"x","num_constraints":{"is_non_negative":"yes"}}]}`:             "num_constraints.is_non_negative",
		`{"features":[{"name":"x","string_constraints":{"domains":"a"}}]}`:                    "string_constraints.domains",
		`{"features":[{"name":"x"}],"monitoring_config":{"evaluate_constraints":"Disabled"}}`: "evaluate_constraints is Disabled",
		`{"features":[{"name":"x"}],"monitoring_config":{"domain_content_threshold":0}}`:      "domain_content_threshold is 0",
		`{"features":[{"name":"x"}],"monitoring_config":{"datatype_check_threshold":"high"}}`: "datatype_check_threshold",
	} {
		_, err := dataset.ReadConstraints([]byte(raw))
		require.ErrorContains(t, err, want, raw)
	}
}

func FuzzConstraints(f *testing.F) {
	f.Add([]byte(constraints))
	f.Add([]byte(`{"features":[{"name":"x","completeness":null}],"monitoring_config":{}}`))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		c, err := dataset.ReadConstraints(raw)
		if err != nil {
			return
		}
		schema := dataset.Schema{{Name: "x", Type: dataset.Number}, {Name: "late", Type: dataset.String}}
		_, _ = dataset.NewChecker(schema, c.For(schema, dataset.Error), time.Time{})
	})
}
