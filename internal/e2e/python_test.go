package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
	"steward/internal/spec"
)

// everyFlight is which of the flights of January and February the examples
// learn from here: every so many-th.
const everyFlight = 12

// flights are those, in the file's order.
func flights(t *testing.T) (all []*dataset.Batch) {
	t.Helper()
	seen := 0
	err := dataset.Read(t.Context(), dataset.File("../../examples/flight-delay/data/flights_2001h1.parquet"), nil, func(b *dataset.Batch) error {
		month, err := b.Schema.Index("month")
		if err != nil {
			return err
		}
		var kept []int
		for row, m := range b.Numbers(month) {
			if seen++; m <= 2 && seen%everyFlight == 0 {
				kept = append(kept, row)
			}
		}
		all = append(all, b.Take(kept))
		return nil
	})
	require.NoError(t, err)
	return all
}

// Projects as users of SageMaker have them, in Python, through the life of a
// model: applied, trained, scored, approved, serving, and applied again.
func TestPythonExamples(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	rows := flights(t)
	var file bytes.Buffer
	require.NoError(t, dataset.WriteParquet(&file, rows[0].Schema, rows...))
	client := s3.NewFromConfig(s.aws())
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("demo")})
	require.NoError(t, err)
	_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("demo"), Key: aws.String("flights/2001.parquet"), Body: bytes.NewReader(file.Bytes())})
	require.NoError(t, err)
	for folder, name := range map[string]string{"python-sklearn": "flights-sklearn", "python-xgboost": "flights-xgboost"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			m := &model{T: t, stack: s, declaration: declaration{Name: name}}
			m.bringExample(filepath.Join("..", "..", "examples", folder, "model.yaml"), rows[0])
		})
	}
}

func (m *model) bringExample(file string, rows *dataset.Batch) {
	m.Helper()
	m.must(m.T, engineer, "apply", file)
	m.release()
	m.awaitApproval(1)
	m.approve(1, scientist, product)
	m.awaitChampion(1)

	text, err := os.ReadFile(file)
	require.NoError(m, err)
	declared, err := spec.Load(file, text)
	require.NoError(m, err)
	m.Features = declared.Spec.Data.Features
	variant, answer := m.invoke(rows, 0)
	require.Equal(m, "r1", variant)
	score, err := strconv.ParseFloat(answer, 64)
	require.NoError(m, err, answer)
	require.Greater(m, score, 0.0)
	require.Less(m, score, 1.0)

	code := m.seen.Model.Champion.Model.Code
	require.Equal(m, lifecycle.CodeURI("steward", m.Name, code.Digest), code.URI)
	require.Len(m, m.objects(m.T, "steward", "models/"+m.Name+"/code/"), 1)
	require.Contains(m, m.must(m.T, engineer, "apply", file), "is as it was")
	pack, err := m.as(m.T, product).Evidence(m.Context(), m.Name, 1)
	require.NoError(m, err)
	require.Contains(m, string(pack), code.Digest, "it is part of what was approved")
	m.must(m.T, operator, "retire", m.Name, "--reason", "seen", "--yes")
}
