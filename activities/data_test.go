package activities

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// flights writes rows of a table whose label depends on its features: one row a
// minute from the first of January 2001 on.
func flights(from, rows int) string {
	var b strings.Builder
	b.WriteString("flight,at,delay,origin,hour,late,distance\n")
	r := rand.New(rand.NewPCG(7, uint64(from)))
	start := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := from; i < from+rows; i++ {
		delay, origin, hour := r.NormFloat64(), r.IntN(3), i%24
		late := 0
		if r.Float64() < 1/(1+math.Exp(-1.5*delay-float64(origin)+1)) {
			late = 1
		}
		text := fmt.Sprintf("%.3f", delay)
		if i%50 == 0 {
			text = "" // missing
		}
		fmt.Fprintf(&b, "f%06d,%s,%s,%s,%d,%d,%d\n", i, start.Add(time.Duration(i)*time.Minute).Format(time.RFC3339),
			text, []string{"ATL", "JFK", "ORD"}[origin], hour, late, 100+i%7)
	}
	return b.String()
}

// flightData declares that table under a prefix.
func flightData(uri string) lifecycle.Data {
	return lifecycle.Data{
		Sources: []lifecycle.Source{{Name: "flights", URI: uri, Format: "csv"}},
		Task:    lifecycle.Binary, Label: "late", Time: "at", ID: "flight",
		Features: []string{"delay", "origin", "hour"}, Categorical: []string{"hour"},
		Split: lifecycle.Split{By: "time", Validation: 0.2, Test: 0.2},
	}
}

var first = lifecycle.Of{Model: "flights", Release: 1}

// store puts text files into the cloud, by URI.
func store(t *testing.T, objects *cloud.Objects, files map[string]string) {
	t.Helper()
	for uri, text := range files {
		require.NoError(t, objects.Put(t.Context(), uri, []byte(text)))
	}
}

// names lists what is under a prefix.
func names(t *testing.T, objects *cloud.Objects, prefix string) []string {
	t.Helper()
	var out []string
	for o, err := range objects.List(t.Context(), prefix) {
		require.NoError(t, err)
		out = append(out, strings.TrimPrefix(o.URI, prefix))
	}
	return out
}

func TestDiscardDeletesTheReleaseOnly(t *testing.T) {
	objects := cloud.NewObjects(startCloud(t).S3)
	data := &Data{Objects: objects, Bucket: testBucket}
	env := environment(t, data)
	for _, model := range []string{"flights", "snapshots", "releases"} {
		t.Run(model, func(t *testing.T) {
			root := "s3://steward/models/" + model + "/"
			store(t, objects, map[string]string{
				root + "releases/1/parts/a": "a", root + "releases/1/scores/b": "b", root + "releases/1/training/j/output/model.tar.gz": "c",
				root + "releases/10/parts/a": "a", root + "snapshots/abc/manifest.json": "{}", root + "windows/1-1.json": "{}",
			})
			for range 2 {
				_, err := env.ExecuteActivity(data.Discard, lifecycle.DiscardInput{Of: lifecycle.Of{Model: model, Release: 1}})
				require.NoError(t, err)
				require.Equal(t, []string{"releases/10/parts/a", "snapshots/abc/manifest.json", "windows/1-1.json"}, names(t, objects, root))
			}
		})
	}
	for _, of := range []lifecycle.Of{{}, {Model: "flights"}, {Release: 1}} {
		_, err := env.ExecuteActivity(data.Discard, lifecycle.DiscardInput{Of: of})
		require.Equal(t, lifecycle.Invalid, lifecycle.ErrorType(err), "%v", of)
	}
}
