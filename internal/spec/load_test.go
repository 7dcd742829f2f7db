package spec_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
	"steward/internal/spec"
)

const example = "../../examples/flight-delay/model.yaml"

func TestLoadExample(t *testing.T) {
	raw, err := os.ReadFile(example)
	require.NoError(t, err)
	f, err := spec.Load("model.yaml", raw)
	require.NoError(t, err)
	require.Equal(t, "flight-delay", f.Metadata.Name)
	require.Equal(t, lifecycle.Binary, f.Spec.Data.Task, "default")
	require.Equal(t, 1, f.Spec.Approval.Require[0].Count, "default")
	require.Equal(t, "stop", f.Spec.Data.Checks[0].Severity, "default")
	require.InDelta(t, 0.5, f.Spec.Rollout.Analysis.Metrics[1].Max.Value, 1e-12, "500ms in seconds")

	first, err := lifecycle.Digest(f.Spec)
	require.NoError(t, err)
	again, err := spec.Load("other-name.yaml", raw)
	require.NoError(t, err)
	second, err := lifecycle.Digest(again.Spec)
	require.NoError(t, err)
	require.Equal(t, first, second, "the digest covers the declaration, not the file's name")
}

// Each case changes one thing of the example; the message must name the place,
// the value and the remedy.
func TestLoadRefuses(t *testing.T) {
	raw, err := os.ReadFile(example)
	require.NoError(t, err)
	for _, tt := range []struct{ name, old, new, want string }{
		{"unknown field", "    risk: limited", "    risk: limited\n    rsk: high", "spec.objective.rsk: this field is not known here; known are kpi, risk, statement"},
		{"missing field", "    risk: limited\n", "", "spec.objective.risk: this field is missing: add it"},
		{"wrong type", "budget: 5", "budget: five", `spec.training.budget: it must be of type number (it is "five")`},
		{"not in list", "risk: limited", "risk: huge", `spec.objective.risk: it must be one of minimal, limited, high (it is "huge")`},
		{"bad duration", "every: 8s", "every: 8 seconds", "spec.watch.every: it must be a duration such as 90s, 1h30m or 14d"},
		{"bad uri", `"s3://demo/flights/"`, `"/data/flights"`, "spec.data.sources[0].uri: it must match"},
		{"partitions", `name: flights, uri: "s3://demo/flights/"`, `name: flights, partitions: "month=01", uri: "s3://demo/flights/"`, "spec.data.sources[0].partitions: write year (2006), month (01)"},
		{"two kinds of source", `name: flights, uri: "s3://demo/flights/"`, `name: flights, postgres: {connection: a, query: b}, uri: "s3://demo/flights/"`, "spec.data.sources[0]: a source is files, a query or traffic"},
		{"no kind of source", `uri: "s3://demo/flights/", format: parquet`, `format: parquet`, "spec.data.sources[0]: a source is files, a query or traffic"},
		{"format of a query", `uri: "s3://demo/flights/"`, `postgres: {connection: a, query: b}`, "spec.data.sources[0].format: only files have a format"},
		{"no format", `, format: parquet`, ``, "spec.data.sources[0].format: this field is missing"},
		{"column type", "    checks:", "    types: {distance: float}\n    checks:", "spec.data.types.distance: this type is not known: use one of number, integer"},
		{"feature is label", "features: [day_of_week", "features: [late", "spec.data.features[0]: the label, id and time columns cannot be features"},
		{"foreign category", "    checks:", "    categorical: [carrier]\n    checks:", "spec.data.categorical[0]: it is not one of spec.data.features"},
		{"two of a name", "name: trees", "name: linear", "spec.training.candidates[1].name: two candidates have this name"},
		{"metric of another task", "select: {metric: auc", "select: {metric: rmse", "spec.training.select.metric: this metric is not known for a binary model"},
		{"wrong goal", "goal: maximize", "goal: minimize", "spec.training.select.goal: auc is better the other way round"},
		{"gate without condition", "{metric: auc, min: 0.65}", "{metric: auc}", "spec.gates[0]: this gate has no condition"},
		{"gate both ways", "{nonInferior: 0.005}", "{nonInferior: 0.005, superior: true}", "spec.gates[1].vsChampion: give either nonInferior or superior"},
		{"role without holder", "    product-manager: product@example.com\n", "", "spec.approval.require[1].role: nobody holds this role"},
		{"nobody", "  owners:\n    data-engineer: data@example.com\n    data-scientist: science@example.com\n    operator: ops@example.com\n    product-manager: product@example.com\n", "  owners: {}\n", "metadata.owners: nobody answers for the model"},
		{"name of the champion", "name: trees", "name: champion", "spec.training.candidates[1].name: this name is kept for the version that serves"},
		{"role unknown", "    operator: ops@example.com", "    oprator: ops@example.com", "metadata.owners.oprator: this role is not known"},
		{"escalation after expiry", "after: 72h", "after: 15d", "spec.approval.escalate.after: the approval expires after 14d"},
		{"no promotion", ", {promote: {}}]", "]", "spec.rollout.steps: the last step must be promote"},
		{"two in one step", "{weight: 10}", "{weight: 10, bake: 5s}", "spec.rollout.steps[1]: a step is one of smoke, weight, bake, pause, promote; this one has 2"},
		{"weights shrink", "{weight: 50}", "{weight: 5}", "spec.rollout.steps[3].weight: weights must grow; the step before has 10"},
		{"share as time", "max: 0.01}, {name: p99", "max: 10ms}, {name: p99", "spec.rollout.analysis.metrics[0].max: errors are a share"},
		{"time as share", "max: 500ms", "max: 0.5", "spec.rollout.analysis.metrics[1].max: p99 is a time"},
		{"check without column", "{column: distance, min: 1, maxMissing: 0}", "{min: 1}", "spec.data.checks[0]: a check is about a column or about rows"},
		{"check bounds crossed", "{column: dep_hour, min: 0, max: 23}", "{column: dep_hour, min: 24, max: 23}", "spec.data.checks[1].min: min is above max 23"},
		{"cron", "cooldown: 10s", "cooldown: 10s\n    schedule: sometimes", "spec.retrain.schedule: this is not a cron expression"},
		{"cause without rule", "    quality: [{metric: auc, min: 0.675}]\n", "", "spec.retrain.on[1]: there is no spec.watch.quality"},
		{"duplicate key", "    risk: limited", "    risk: limited\n    risk: high", "this is not YAML"},
		{"name too long", "name: flight-delay", "name: flight-delay-flight-delay-flight", "metadata.name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changed := strings.Replace(string(raw), tt.old, tt.new, 1)
			require.NotEqual(t, string(raw), changed, "the case changes nothing")
			_, err := spec.Load("model.yaml", []byte(changed))
			var bad *spec.Errors
			require.ErrorAs(t, err, &bad)
			require.ErrorContains(t, err, tt.want)
			for _, p := range bad.Problems {
				require.Positive(t, p.Line, p)
				require.Equal(t, "model.yaml", p.File)
			}
		})
	}
}

func TestLoadNamesEveryMistakeAtOnceWithItsLine(t *testing.T) {
	_, err := spec.Load("m.yaml", []byte(`apiVersion: steward/v2
kind: Model
metadata:
  name: Bad_Name
  team: x
  owners: {data-engineer: a}
spec:
  watch:
    every: soon
  gates:
    - {metric: auc, mn: 3}
`))
	for _, want := range []string{
		`m.yaml:1: apiVersion: it must be one of steward/v1 (it is "steward/v2")`,
		`m.yaml:4: metadata.name`, `m.yaml:9: spec.watch.every`, `m.yaml:11: spec.gates[0].mn`,
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestLoadRefusesWhatIsNoModelFile(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "two documents": "a: 1\n---\nb: 2\n", "no yaml": "a: [1\n", "a list": "- 1\n", "tabs": "a:\n\t- 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := spec.Load("m.yaml", []byte(text))
			var bad *spec.Errors
			require.ErrorAs(t, err, &bad)
		})
	}
}

func TestCommittedSchemaIsTheTypesSchema(t *testing.T) {
	made, err := spec.GenerateSchema()
	require.NoError(t, err)
	require.Equal(t, string(made), string(spec.Schema()), "run go generate ./internal/spec")
}

func FuzzLoad(f *testing.F) {
	raw, err := os.ReadFile(example)
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte("a: &x [*x]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = spec.Load("m.yaml", b)
	})
}
