package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
	"steward/starter/live"
)

// declaration is what tests vary in a model file.
type declaration struct {
	Name       string
	Features   []string
	Image      string
	MaxRuntime string
	More       string // candidates besides the one of Image, as YAML
}

var modelFile = template.Must(template.New("model").Parse(`apiVersion: steward/v1
kind: Model
metadata:
  name: {{.Name}}
  team: e2e
  owners: {data-scientist: ana@example.com, product-manager: pat@example.com, operator: oli@example.com}
spec:
  objective: {statement: to be tested from end to end, risk: minimal}
  data:
    sources: [{name: rows, uri: "s3://{{.Name}}-data/rows/", format: parquet}]
    label: "y"
    time: at
    id: id
    features: [{{range $i, $f := .Features}}{{if $i}}, {{end}}{{$f}}{{end}}]
    last: 30d
    split: {by: id, validation: 0.2, test: 0.2}
    groundTruth: {uri: "s3://{{.Name}}-data/truth/", key: id, matureAfter: 1s, minCoverage: 0.8}
  training:
    budget: 5
    maxRuntime: {{.MaxRuntime}}
    candidates:
      - {name: linear, image: {{.Image}}, instance: ml.m5.large}
{{.More}}
    select: {metric: auc, goal: maximize}
  gates:
    - {metric: auc, min: 0.7}
    - {metric: auc, vsChampion: {nonInferior: 0.05}}
  approval:
    require: [{role: data-scientist}, {role: product-manager}]
    notAuthor: true
    expire: 1h
  rollout:
    endpoint: {instance: ml.m5.large, startup: 1m}
    steps: [{smoke: {rows: 5}}, {weight: 30}, {bake: 2s}, {promote: {}}]
    analysis: {every: 1s, minSamples: 5, metrics: [{name: errors, max: 0.05}, {name: p99, max: 10s}]}
  watch:
    every: 2s
    lag: 2s
    minRows: 50
    quality: [{metric: auc, min: 0.6}]
  retrain: {on: [quality], cooldown: 1s, maxPerMonth: 4}
`))

// model is one model in a stack, with the test that it belongs to.
type model struct {
	*testing.T
	*stack
	declaration
	seen live.View
}

// newModel makes the bucket of a model that is not declared yet.
func newModel(t *testing.T, s *stack, name string) *model {
	t.Helper()
	m := &model{T: t, stack: s, declaration: declaration{
		Name: name, Features: []string{"amount", "age", "colour"}, Image: "steward/linear", MaxRuntime: "10m",
	}}
	_, err := s3.NewFromConfig(s.aws()).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(name + "-data")})
	require.NoError(t, err)
	return m
}

// put stores a file among the model's data.
func (m *model) put(name string, content []byte) {
	m.Helper()
	_, err := s3.NewFromConfig(m.aws()).PutObject(m.Context(), &s3.PutObjectInput{
		Bucket: aws.String(m.Name + "-data"), Key: aws.String("rows/" + name), Body: bytes.NewReader(content)})
	require.NoError(m, err)
}

// text is the model's file.
func (m *model) text() []byte {
	m.Helper()
	var out bytes.Buffer
	require.NoError(m, modelFile.Execute(&out, m.declaration))
	return out.Bytes()
}

// declare applies the model's file.
func (m *model) declare() {
	m.Helper()
	file := filepath.Join(m.TempDir(), m.Name+".yaml")
	require.NoError(m, os.WriteFile(file, m.text(), 0o600))
	m.must(m.T, engineer, "apply", file)
}

// release orders the next release.
func (m *model) release() {
	m.Helper()
	m.must(m.T, engineer, "release", m.Name, "--reason", "a test wants it")
}

// await looks at the model until something holds. A release that ends otherwise
// than in production ends the wait.
func (m *model) await(what string, holds func(live.View) bool) {
	m.Helper()
	client := m.as(m.T, engineer)
	eventually(m.T, m.Name+": "+what, func() error {
		v, err := live.Look(m.Context(), client, m.Name)
		if err != nil {
			return err
		}
		for _, change := range live.Changes(m.seen, v) {
			m.Log(change)
		}
		m.seen = v
		for _, r := range v.Model.Releases {
			if r.Stage.Ended() {
				require.Equal(m, lifecycle.StageReleased, r.Stage, "release %d: %v", r.Number, r.Problem)
			}
		}
		if !holds(v) {
			return fmt.Errorf("it is:\n%s", strings.Join(live.Tree(v, v.Model.Applied, 0), "\n"))
		}
		return nil
	})
}

// awaitApproval waits until release n asks people.
func (m *model) awaitApproval(n int) {
	m.Helper()
	m.await(fmt.Sprintf("release %d asks for approval", n), func(v live.View) bool { return asks(v, n) })
}

func asks(v live.View, n int) bool {
	return v.Release != nil && v.Release.Release.Number == n && v.Release.Release.Stage == lifecycle.StageApproval && len(v.Release.Release.Awaiting) > 0
}

// awaitChampion waits until release n serves and nothing is under way.
func (m *model) awaitChampion(n int) {
	m.Helper()
	m.await(fmt.Sprintf("release %d serves", n), func(v live.View) bool { return serves(v, n) })
}

func serves(v live.View, n int) bool {
	return v.Model.Champion != nil && v.Model.Champion.Release == n && v.Model.InFlight == nil
}

// approve gives people's approvals of release n.
func (m *model) approve(n int, people ...string) {
	m.Helper()
	for _, who := range people {
		m.must(m.T, who, "approve", m.Name, fmt.Sprint(n), "--yes", "--comment", "evidence read")
	}
}

// serve brings the first release into production.
func (m *model) serve() {
	m.Helper()
	m.put("january.parquet", parquet(m.T, rows(m.T, 1, 3000, january)))
	m.declare()
	m.release()
	m.awaitApproval(1)
	m.approve(1, scientist, product)
	m.awaitChampion(1)
}

// invoke asks the endpoint as a product would, and returns variant and answer.
func (m *model) invoke(b *dataset.Batch, row int) (variant, answer string) {
	m.Helper()
	out, err := sagemakerruntime.NewFromConfig(m.aws()).InvokeEndpoint(m.Context(), &sagemakerruntime.InvokeEndpointInput{
		EndpointName: aws.String(lifecycle.EndpointName(m.Name)), ContentType: aws.String("text/csv"), Body: line(m.T, b, row, m.Features)})
	require.NoError(m, err)
	return aws.ToString(out.InvokedProductionVariant), string(bytes.TrimSpace(out.Body))
}
