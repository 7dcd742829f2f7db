package activities

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

// truth reads the ids of a part, which has a truth file, and their labels and
// slices.
func (b *bench) truth(part lifecycle.Part) map[string][]string {
	text, err := b.objects.Get(b.Context(), part.Truth+"data.csv")
	require.NoError(b, err)
	out := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		fields := strings.Split(line, ",")
		require.NotContains(b, out, fields[0])
		out[fields[0]] = fields[1:]
	}
	return out
}

func TestPrepareSplitsByGroupAndStratified(t *testing.T) {
	b := newBench(t)
	store(t, b.objects, map[string]string{"s3://source/ways/1.csv": flights(0, 2000)})
	data := flightData("s3://source/ways/")
	data.Features, data.Categorical = []string{"delay", "origin"}, nil
	s := run(t, b.env, b.data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: data})
	slices := []string{"hour"}
	prepare := func(split lifecycle.Split) lifecycle.Parts {
		data.Split = split
		in := lifecycle.PrepareInput{Of: first, Data: data, Snapshot: s, Slices: slices}
		parts := run(t, b.env, b.data.PrepareParts, in)
		require.Equal(t, parts, run(t, b.env, b.data.PrepareParts, in), "the same parts again, digests included")
		require.EqualValues(t, 2000, parts.Train.Rows+parts.Validation.Rows+parts.Test.Rows)
		return parts
	}

	parts := prepare(lifecycle.Split{By: "group", Column: "hour", Validation: 0.2, Test: 0.2})
	part := map[string]string{}
	for name, p := range map[string]lifecycle.Part{"validation": parts.Validation, "test": parts.Test} {
		for _, row := range b.truth(p) {
			group := row[1]
			require.Contains(t, []string{"", name}, part[group], "hour %s is in two parts", group)
			part[group] = name
		}
	}
	require.GreaterOrEqual(t, len(part), 2)
	slices = nil

	require.Equal(t, parts.Train.Rows, prepare(data.Split).Train.Rows, "the group is no feature and no slice")
	parts = prepare(lifecycle.Split{By: "stratified", Validation: 0.1, Test: 0.25})
	ones, all := 0., float64(len(b.truth(parts.Test)))
	for _, row := range b.truth(parts.Test) {
		if row[0] == "1" {
			ones++
		}
	}
	require.InDelta(t, parts.BaseRate, ones/all, 0.002, "every class has the same share in every part")
	require.InDelta(t, 500, all, 1)
}
