package e2e

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
)

// columns are those of every test's rows.
var columns = dataset.Schema{
	{Name: "id", Type: dataset.String}, {Name: "at", Type: dataset.Time}, {Name: "y", Type: dataset.Integer},
	{Name: "amount", Type: dataset.Number}, {Name: "age", Type: dataset.Number}, {Name: "colour", Type: dataset.String},
}

// A concept is the sign with which amount decides the label. When it turns, the
// inputs look as ever: only the truth shows that the model is wrong.
const (
	january = +1.0
	march   = -1.0
)

var months = map[float64]time.Time{
	january: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC),
	march:   time.Date(2001, 3, 1, 0, 0, 0, 0, time.UTC),
}

// rows are n rows of a concept, the same for the same seed, a minute apart.
func rows(t *testing.T, seed uint64, n int, concept float64) *dataset.Batch {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	at := months[concept]
	values := make([][]any, n)
	for i := range values {
		amount, age := random.NormFloat64(), random.NormFloat64()
		colour := []string{"red", "green", "blue"}[random.IntN(3)]
		odds := concept*2.5*amount + 0.5*age
		if colour == "red" {
			odds++
		}
		y := 0
		if random.Float64() < 1/(1+math.Exp(-odds)) {
			y = 1
		}
		values[i] = []any{fmt.Sprintf("%d-%d", seed, i), at.Add(time.Duration(i%30_000) * time.Minute), y, amount, age, colour}
	}
	b, err := dataset.NewBatch(columns, values)
	require.NoError(t, err)
	return b
}

func parquet(t *testing.T, b *dataset.Batch) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, dataset.WriteParquet(&out, b.Schema, b))
	return out.Bytes()
}

// line is one row's features as a client sends them.
func line(t *testing.T, b *dataset.Batch, row int, features []string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := dataset.NewCSVWriter(&out, "", features)
	require.NoError(t, err)
	require.NoError(t, w.Write(b, []int{row}))
	require.NoError(t, w.Flush())
	_, body, _ := bytes.Cut(out.Bytes(), []byte("\n"))
	return body
}
