package spec_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/spec"
)

// withCheck is the example with another check and another split.
func withCheck(t *testing.T, check, split string) []byte {
	t.Helper()
	raw, err := os.ReadFile(example)
	require.NoError(t, err)
	changed := strings.Replace(string(raw), "      - {rows: {min: 10000}}\n", "      - "+check+"\n", 1)
	changed = strings.Replace(changed, "split: {by: id,", "split: {"+split+",", 1)
	require.NotEqual(t, string(raw), changed)
	return []byte(changed)
}

func TestLoadChecksOfEveryKind(t *testing.T) {
	for _, check := range []string{
		"{column: departed_at, earliest: 2001-01-01, latest: \"2001-12-31T00:00:00+02:00\", maxAge: 2d}", "{column: distance, type: integer, tolerate: 0.01}",
		"{column: origin, refers: {uri: \"s3://demo/airports/\", column: iata}}", "{columns: [origin, dest], unique: true}",
		"{required: [distance]}", "{expression: \"arrived_at >= departed_at || missing(arrived_at)\"}",
	} {
		for _, split := range []string{"by: id", "by: group, column: origin", "by: stratified", "by: stratified, column: origin, minRows: 50"} {
			f, err := spec.Load("m.yaml", withCheck(t, check, split))
			require.NoError(t, err, "%s %s", check, split)
			require.NotZero(t, f.Spec.Data.Split.MinRows)
		}
	}
}

func TestLoadRefusesChecks(t *testing.T) {
	for check, want := range map[string]string{
		"{rows: {min: 1}, required: [distance]}":                          "spec.data.checks[2]: column, rows, required, columns and expression are checks of their own",
		"{expression: \"distance > 1\", column: distance, min: 1}":        "spec.data.checks[2]: column, rows",
		"{rows: {min: 1}, min: 2}":                                        "spec.data.checks[2]: conditions of a column do not go with the others",
		"{rows: {min: 3, max: 2}}":                                        "spec.data.checks[2].rows.min: min is above max 2",
		"{column: distance}":                                              "spec.data.checks[2]: this check has no condition: add type",
		"{columns: [origin, dest]}":                                       "spec.data.checks[2].columns: columns says which are unique together",
		"{column: departed_at, earliest: 2001-02-30}":                     "spec.data.checks[2].earliest: this is not an instant",
		"{column: departed_at, earliest: yesterday}":                      "spec.data.checks[2].earliest: it must match",
		"{column: departed_at, earliest: 2001-02-03, latest: 2001-02-01}": "spec.data.checks[2].earliest: it is after latest 2001-02-01",
		"{expression: \"distance >\"}":                                    "spec.data.checks[2].expression: at character 11: Syntax error",
		"{expression: \"departed_at > 1\"}":                               "spec.data.checks[2].expression: at character 13: found no matching overload",
		"{expression: \"distance + 1\"}":                                  "spec.data.checks[2].expression: the expression is of type int: it must be true or false",
		"{expression: \"cancelled\"}":                                     "", // of any type until the columns are known
		"{column: origin, refers: {column: iata}}":                        "spec.data.checks[2].refers.uri: this field is missing",
		"{column: distance, type: money}":                                 "spec.data.checks[2].type: it must be one of number, integer, string, time, bool",
		"{column: distance, min: 1, tolerate: 1}":                         "spec.data.checks[2].tolerate",
	} {
		_, err := spec.Load("m.yaml", withCheck(t, check, "by: id"))
		if want == "" {
			require.NoError(t, err, check)
			continue
		}
		require.ErrorContains(t, err, want, check)
	}
	for split, want := range map[string]string{
		"by: group":                "spec.data.split.column: a split by group needs the column",
		"by: time, column: origin": "spec.data.split.column: a split by time needs no column",
		"by: luck":                 "spec.data.split.by: it must be one of time, id, group, stratified",
	} {
		_, err := spec.Load("m.yaml", withCheck(t, "{rows: {min: 1}}", split))
		require.ErrorContains(t, err, want, split)
	}
}

func TestFeaturesThatNobodyCanSendAreRefused(t *testing.T) {
	raw, err := os.ReadFile(example)
	require.NoError(t, err)
	serving := strings.Replace(string(raw), "    checks:\n", "    serving: [day_of_week, dep_hour, distance, origin, dest, origin_delay_prev_day, dest_delay_prev_day]\n    checks:\n", 1)
	_, err = spec.Load("m.yaml", []byte(serving))
	require.ErrorContains(t, err, "spec.data.features[7]: it is not one of spec.data.serving")
}

func TestGuardsAreLoweredOnceWithAReason(t *testing.T) {
	raw, err := os.ReadFile(example)
	require.NoError(t, err)
	load := func(guards string) error {
		_, err := spec.Load("m.yaml", []byte(strings.Replace(string(raw), "    checks:\n", "    guards: "+guards+"\n    checks:\n", 1)))
		return err
	}
	lowered := "{name: overlap, severity: warn, reason: few different routes}"
	require.NoError(t, load("["+lowered+"]"))
	require.ErrorContains(t, load("["+lowered+", "+lowered+"]"), "spec.data.guards[1].name: it is lowered twice")
	require.ErrorContains(t, load("[{name: overlap, severity: warn}]"), "spec.data.guards[0].reason: this field is missing")
	require.ErrorContains(t, load("[{name: overlap, severity: stop, reason: because of that}]"), "spec.data.guards[0].severity: it must be one of warn")
}
