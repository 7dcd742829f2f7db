package activities

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

func TestSnapshotOfTraffic(t *testing.T) {
	w := newWatched(t)
	data := &Data{Objects: w.objects, Bucket: testBucket}
	env := environment(t, data)
	evidence := func(release int, features ...string) {
		raw, err := json.Marshal(lifecycle.Manifest{Parts: lifecycle.Parts{Features: features, Numeric: []string{"amount"}}})
		require.NoError(t, err)
		w.put(fmt.Sprintf("evidence/%d/manifest.json", release), string(raw))
	}
	evidence(3, "amount", "origin", "at")
	rows := rowsOf(100, 5, 10, 0.5)
	young := time.Now().UTC()
	old := young.Add(-72 * time.Hour).Truncate(24 * time.Hour).Add(10 * time.Hour)
	var lines []string
	for i, r := range rows {
		lines = append(lines, line(r.id, old.Add(time.Duration(i)*time.Second), "CSV", r.csv(), r.answer()))
	}
	w.capture("traffic", old, append(lines,
		line(rows[0].id, old.Add(time.Hour/2), "CSV", rows[0].csv(), rows[0].answer()),
		line("", old, "CSV", rows[1].csv(), rows[1].answer()),
		line("two", old, "CSV", rows[1].csv()+rows[2].csv(), "0.5\n0.5\n"),
		line("odd", old, "JSON", "{}", "{}"),
		line("word", old.Add(time.Hour/3), "CSV", "much,B,2001-01-01T00:00:00Z\n", "0.5\n"),
	)...)
	w.capture("young", young, line("young", young, "CSV", rows[0].csv(), rows[0].answer()))
	w.truthFile("a.csv", append(rows[:80:80], row{id: "word", late: 1}, row{id: "young", late: 1}), false)

	in := lifecycle.Data{
		Sources: []lifecycle.Source{{Name: "served", Traffic: &lifecycle.Traffic{}}}, Task: lifecycle.Binary,
		Label: "late", Time: "asked_at", ID: "flight", Features: []string{"origin", "amount"},
		Split:       lifecycle.Split{By: "time", Validation: 0.2, Test: 0.2},
		GroundTruth: lifecycle.GroundTruth{URI: "s3://steward/truth/", Key: "flight", MatureAfter: lifecycle.Duration(24 * time.Hour)},
	}
	of := lifecycle.Of{Model: testModel, Release: 4}
	s := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: of, Data: in})
	require.Equal(t, []lifecycle.SourceUse{{Name: "served", Files: 1, New: 1, Rows: 81,
		Note: "coverage 0.771: 81 of 105 predictions have their truth; 3 without an inference id of their own; 1 of an inference id that came before; 1 requests that could not be understood"}}, s.Sources)
	require.Equal(t, []time.Time{old, old.Add(time.Hour / 3)}, []time.Time{s.From, s.To}, "times of the requests")
	require.Equal(t, s.Digest, run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: of, Data: in}).Digest)
	require.Equal(t, "traffic/r3/"+old.Format("2006-01-02"), readLineage(t, data, s).Files[0].Source)

	parts := run(t, env, data.PrepareParts, lifecycle.PrepareInput{Of: of, Data: in, Snapshot: s})
	require.Equal(t, []string{"amount"}, parts.Numeric)
	train, err := w.objects.Get(t.Context(), parts.Train.Train+"data-00000.csv")
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%g,%s,%g", rows[0].late, rows[0].origin, rows[0].amount), strings.Split(string(train), "\n")[1])
	last, err := w.objects.Get(t.Context(), parts.Test.Input+"data.csv")
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(last), "\nB,\n"), "what is no number is missing: %q", last)

	in.Sources[0].Traffic.Last = lifecycle.Duration(12 * time.Hour)
	_, err = try(env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: of, Data: in})
	require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, "can be learned from: coverage 0.000: 0 of 0")

	in.Sources[0].Traffic.Last = 0
	in.Features = []string{"origin", "weather"}
	_, err = try(env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: of, Data: in})
	require.ErrorContains(t, err, "101 of releases without these features")
}
