package activities

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

func TestSnapshotIsOfTheContent(t *testing.T) {
	objects := cloud.NewObjects(startCloud(t).S3)
	data := &Data{Objects: objects, Bucket: testBucket}
	env := environment(t, data)
	one, two := flights(0, 300), flights(300, 200)
	store(t, objects, map[string]string{
		"s3://source/a/1.csv": one, "s3://source/a/2.csv": two, "s3://source/a/_SUCCESS": "", "s3://source/a/.crc": "x",
		"s3://source/b/jan.csv": one, "s3://source/b/nested/feb.csv": two,
		"s3://source/c/1.csv": one,
	})
	take := func(uri string) lifecycle.Snapshot {
		s := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: flightData(uri)})
		s.Sources, s.Lineage = nil, nil // those tell of where and when
		return s
	}

	a := take("s3://source/a/")
	require.Equal(t, lifecycle.Snapshot{
		URI:    "s3://steward/models/flights/snapshots/" + strings.TrimPrefix(a.Digest, "sha256:") + "/manifest.json",
		Digest: a.Digest, Files: 2, Bytes: int64(len(one) + len(two)), Rows: 500,
		From: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2001, 1, 1, 8, 19, 0, 0, time.UTC),
	}, a)
	require.Equal(t, a, take("s3://source/a/"), "again")
	require.Equal(t, a, take("s3://source/b/"), "the same content under other names")
	require.NotEqual(t, a.Digest, take("s3://source/c/").Digest)
	require.Len(t, names(t, objects, "s3://steward/objects/"), 2, "each content is kept once")

	for o, err := range objects.List(t.Context(), "s3://steward/objects/") {
		require.NoError(t, err)
		b, err := objects.Get(t.Context(), o.URI)
		require.NoError(t, err)
		require.Contains(t, []string{one, two}, string(b))
	}
}

func TestSnapshotOfTheLastRows(t *testing.T) {
	objects := cloud.NewObjects(startCloud(t).S3)
	data := &Data{Objects: objects, Bucket: testBucket}
	env := environment(t, data)
	store(t, objects, map[string]string{
		"s3://source/a/1.csv": flights(0, 100), "s3://source/a/2.csv": flights(100, 100), "s3://source/a/3.csv": flights(200, 100),
	})
	in := flightData("s3://source/a/")
	in.Last = lifecycle.Duration(149 * time.Minute)

	s := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
	require.Equal(t, int64(150), s.Rows)
	require.Equal(t, 2, s.Files)
	require.Equal(t, time.Date(2001, 1, 1, 2, 30, 0, 0, time.UTC), s.From)
	require.Len(t, names(t, objects, "s3://steward/objects/"), 2, "older files are not copied")

	parts := run(t, env, data.PrepareParts, lifecycle.PrepareInput{Of: first, Data: in, Snapshot: s})
	require.Equal(t, []int64{90, 30, 30}, []int64{parts.Train.Rows, parts.Validation.Rows, parts.Test.Rows})
}

// parquet is a table in the other format.
func parquet(t *testing.T, text string) string {
	t.Helper()
	var batches []*dataset.Batch
	require.NoError(t, dataset.Read(t.Context(), dataset.Bytes("a.csv", []byte(text)), nil, func(b *dataset.Batch) error {
		batches = append(batches, b)
		return nil
	}))
	var out bytes.Buffer
	require.NoError(t, dataset.WriteParquet(&out, batches[0].Schema, batches...))
	return out.String()
}

func TestSnapshotOfParquet(t *testing.T) {
	objects := cloud.NewObjects(startCloud(t).S3)
	data := &Data{Objects: objects, Bucket: testBucket}
	env := environment(t, data)
	one, two := flights(0, 300), flights(300, 200)
	store(t, objects, map[string]string{
		"s3://source/csv/1": one, "s3://source/csv/2": two,
		"s3://source/parquet/1": parquet(t, one), "s3://source/parquet/2": parquet(t, two),
		"s3://source/cut/1": parquet(t, one), "s3://source/cut/2": parquet(t, two)[:2000],
	})
	prepare := func(format string) lifecycle.Parts {
		in := flightData("s3://source/" + format + "/")
		in.Sources[0].Format = format
		s := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
		require.Equal(t, int64(500), s.Rows)
		return run(t, env, data.PrepareParts, lifecycle.PrepareInput{Of: first, Data: in, Snapshot: s, Slices: []string{"distance"}})
	}
	require.Equal(t, prepare("csv"), prepare("parquet"), "the same rows in both formats")

	in := flightData("s3://source/cut/")
	in.Sources[0].Format = "parquet"
	_, err := try(env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
	require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, "s3://source/cut/2")
}

func TestSnapshotOfWrongData(t *testing.T) {
	objects := cloud.NewObjects(startCloud(t).S3)
	data := &Data{Objects: objects, Bucket: testBucket}
	env := environment(t, data)
	good := flights(0, 50)
	for name, tt := range map[string]struct {
		files  map[string]string
		change func(*lifecycle.Data)
		says   []string
	}{
		"nothing":      {nil, nil, []string{"no files under s3://source/nothing/"}},
		"empty file":   {map[string]string{"1.csv": good, "2.csv": ""}, nil, []string{"s3://source/empty file/2.csv is empty"}},
		"no rows":      {map[string]string{"1.csv": "flight,at,delay,origin,hour,late\n"}, nil, []string{"1.csv", "no rows"}},
		"truncated":    {map[string]string{"1.csv": good[:len(good)-9]}, nil, []string{"1.csv:51", "fields"}},
		"not parquet":  {map[string]string{"1.parquet": good}, func(d *lifecycle.Data) { d.Sources[0].Format = "parquet" }, []string{"1.parquet"}},
		"misspelt":     {map[string]string{"1.csv": good}, func(d *lifecycle.Data) { d.Features[1] = "origni" }, []string{`"origni"`, "1.csv", `"origin"`}},
		"other column": {map[string]string{"1.csv": good, "2.csv": strings.Replace(good, "late", "delayed", 1)}, nil, []string{`"late"`, "2.csv"}},
		"other type":   {map[string]string{"1.csv": good, "2.csv": strings.Replace(flights(50, 50), ",101\n", ",a\n", 1)}, func(d *lifecycle.Data) { d.Features = append(d.Features, "distance") }, []string{"2.csv", "distance"}},
		"time as text": {map[string]string{"1.csv": good}, func(d *lifecycle.Data) { d.Time = "origin" }, []string{`"origin"`, "timestamps", "1.csv"}},
		"label a word": {map[string]string{"1.csv": good}, func(d *lifecycle.Data) { d.Label = "origin" }, []string{`"origin"`, "label", "0 and 1"}},
		"no bucket":    {nil, func(d *lifecycle.Data) { d.Sources[0].URI = "s3://unknown/x" }, []string{"s3://unknown/x", "does not exist"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := flightData("s3://source/" + name + "/")
			for file, text := range tt.files {
				store(t, objects, map[string]string{in.Sources[0].URI + file: text})
			}
			if tt.change != nil {
				tt.change(&in)
			}
			_, err := try(env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
			require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err), "%v", err)
			for _, says := range tt.says {
				require.ErrorContains(t, err, says)
			}
		})
	}
	require.Empty(t, names(t, objects, "s3://steward/"), "nothing of refused data is kept")
}

func TestCheckSnapshot(t *testing.T) {
	objects := cloud.NewObjects(startCloud(t).S3)
	data := &Data{Objects: objects, Bucket: testBucket}
	env := environment(t, data)
	rows := strings.SplitAfter(flights(0, 100), "\n")
	check := func(t *testing.T, text string, change func(*lifecycle.Data)) ([]lifecycle.CheckResult, error) {
		uri := "s3://source/" + t.Name() + "/"
		store(t, objects, map[string]string{uri + "1.csv": text})
		in := flightData(uri)
		if change != nil {
			change(&in)
		}
		s := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
		return try(env, data.CheckSnapshot, lifecycle.CheckInput{Of: first, Data: in, Snapshot: s})
	}
	low, high, none := 0.0, 23.0, 0.0
	for _, tt := range []struct {
		name, text string
		change     func(*lifecycle.Data)
		failed     []string
	}{
		{"good", strings.Join(rows, ""), nil, nil},
		{"id twice", strings.Join(rows, "") + rows[1], nil, []string{"flight unique"}},
		{"no label", strings.Join(rows, "") + "x,2001-01-02T00:00:00Z,1,ATL,1,,100\n", nil, []string{"late missing"}},
		{"third class", strings.Join(rows, "") + "x,2001-01-02T00:00:00Z,1,ATL,1,2,100\n", nil, []string{"late in"}},
		{"future", strings.Join(rows, "") + "x,2201-01-02T00:00:00Z,1,ATL,1,1,100\n", nil, []string{"at range"}},
		{"leak", strings.Join(rows, ""), func(d *lifecycle.Data) { d.Features = append(d.Features, "late") }, []string{"label leakage"}},
		{"leak of a class", withColumn(rows, 5, func(v string) string { return "code-" + v }), func(d *lifecycle.Data) { d.Features = append(d.Features, "extra") }, []string{"label leakage"}},
		{"leak of a number", withColumn(rows, 5, func(v string) string { return v + ".5" }), func(d *lifecycle.Data) { d.Features = append(d.Features, "extra") }, []string{"label leakage"}},
		{"time of the future", withColumn(rows, 1, func(v string) string { return strings.Replace(v, "2001", "2002", 1) }), func(d *lifecycle.Data) { d.Features = append(d.Features, "extra") }, []string{"future times"}},
		{"rows twice", repeated(rows), nil, []string{"duplicates"}},
		{"known rows", repeated(rows), func(d *lifecycle.Data) { d.Split.By = "id" }, []string{"duplicates", "overlap"}},
		{"declared", strings.Join(rows, ""), func(d *lifecycle.Data) {
			d.Checks = []lifecycle.Check{{Column: "hour", Min: &low, Max: &high}, {Column: "delay", MaxMissing: &none}, {Column: "origin", In: []string{"ATL"}, Severity: "warn"}}
		}, []string{"delay missing", "origin in"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			results, err := check(t, tt.text, tt.change)
			require.NoError(t, err)
			var failed []string
			for _, r := range results {
				if !r.Pass {
					failed = append(failed, r.Name)
					require.Equal(t, map[bool]string{true: warn, false: stop}[r.Name == "origin in"], r.Severity)
				}
			}
			require.Equal(t, tt.failed, failed)
			require.GreaterOrEqual(t, len(results), 7)
		})
	}
	t.Run("one class", func(t *testing.T) {
		one := strings.NewReplacer(",0,10", ",1,10").Replace(strings.Join(rows, ""))
		_, err := check(t, one, nil)
		require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err))
		require.ErrorContains(t, err, `label "late" has one value only: 1 in all 100 rows`)
	})
	t.Run("of Model Monitor", func(t *testing.T) {
		const uri = "s3://source/monitor/constraints.json"
		store(t, objects, map[string]string{uri: `{"features": [{"name": "hour", "inferred_type": "Integral", "num_constraints": {"is_non_negative": true}},
			{"name": "origin", "string_constraints": {"domains": ["ATL"]}}, {"name": "gate"}], "monitoring_config": {"distribution_constraints": {"perform_comparison": "Enabled"}}}`})
		of := func(c lifecycle.Constraints) ([]lifecycle.CheckResult, error) {
			return check(t, strings.Join(rows, ""), func(d *lifecycle.Data) { d.Constraints = &c })
		}
		results, err := of(lifecycle.Constraints{URI: uri, Severity: "warn"})
		require.NoError(t, err)
		var failed []string
		for _, r := range results {
			if !r.Pass {
				failed = append(failed, r.Name)
				require.Equal(t, warn, r.Severity)
			}
		}
		require.Equal(t, []string{"gate required", "origin in", "constraints"}, failed)
		require.True(t, results[len(results)-1].Inconclusive)
		require.Contains(t, results[len(results)-1].Observed, "distribution_constraints")

		_, err = of(lifecycle.Constraints{URI: uri + ".old"})
		require.Equal(t, lifecycle.Invalid, lifecycle.ErrorType(err))
		require.ErrorContains(t, err, "there is no "+uri+".old")
		store(t, objects, map[string]string{uri: `{}`})
		_, err = of(lifecycle.Constraints{URI: uri})
		require.ErrorContains(t, err, uri+": features is empty")
	})
	t.Run("of other tables and times", func(t *testing.T) {
		store(t, objects, map[string]string{"s3://source/airports/a.csv": "iata\nATL\nJFK\n"})
		uri := "s3://source/" + t.Name() + "/"
		store(t, objects, map[string]string{uri + "1.csv": strings.Join(rows, "")})
		in := flightData(uri)
		in.Checks = []lifecycle.Check{
			{Column: "origin", Refers: &lifecycle.Reference{URI: "s3://source/airports/", Column: "iata"}, Severity: "warn"},
			{Column: "at", MaxAge: lifecycle.Duration(time.Hour), Latest: "2001-01-02"}, {Expression: "hour < distance"}, {Required: []string{"orign"}},
		}
		s := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
		results := run(t, env, data.CheckSnapshot, lifecycle.CheckInput{Of: first, Data: in, Snapshot: s, At: s.To.Add(2 * time.Hour)})
		failed := map[string]lifecycle.CheckResult{}
		for _, r := range results {
			if !r.Pass {
				failed[r.Name] = r
			}
		}
		require.Len(t, failed, 3, "%v", failed)
		require.Contains(t, failed["origin refers"].Examples[0], ": ORD")
		require.False(t, failed["origin refers"].Stops())
		require.Equal(t, "2001-01-01T01:39:00Z", failed["at freshness"].Observed)
		require.Contains(t, failed["orign required"].Observed, `did you mean "origin"`)

		in.Checks[0].Refers.Column = "itaa"
		_, err := try(env, data.CheckSnapshot, lifecycle.CheckInput{Of: first, Data: in, Snapshot: s})
		require.ErrorContains(t, err, `did you mean "iata"`)
		in.Checks[0].Refers.URI = "s3://source/none/"
		_, err = try(env, data.CheckSnapshot, lifecycle.CheckInput{Of: first, Data: in, Snapshot: s})
		require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err))
		require.ErrorContains(t, err, "refers to s3://source/none/: there are no files")
	})
	t.Run("impossible", func(t *testing.T) {
		_, err := check(t, strings.Join(rows, ""), func(d *lifecycle.Data) { d.Checks = []lifecycle.Check{{Column: "orign", In: []string{"ATL"}}} })
		require.ErrorContains(t, err, `did you mean "origin"`)
	})
}

// withColumn adds a column made of another.
func withColumn(rows []string, of int, make func(string) string) string {
	out := strings.TrimSpace(rows[0]) + ",extra\n"
	for _, row := range rows[1:] {
		if row = strings.TrimSpace(row); row != "" {
			out += row + "," + make(strings.Split(row, ",")[of]) + "\n"
		}
	}
	return out
}

// repeated repeats all rows under other ids.
func repeated(rows []string) string {
	return strings.Join(rows, "") + strings.ReplaceAll(strings.Join(rows[1:], ""), "f0", "g0")
}

func TestGuardsCanBeLowered(t *testing.T) {
	objects := cloud.NewObjects(startCloud(t).S3)
	data := &Data{Objects: objects, Bucket: testBucket}
	env := environment(t, data)
	store(t, objects, map[string]string{"s3://source/a/1.csv": repeated(strings.SplitAfter(flights(0, 100), "\n"))})
	in := flightData("s3://source/a/")
	in.Guards = []lifecycle.Guard{{Name: "duplicates", Severity: warn, Reason: "sensors repeat readings"}}
	s := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
	for _, r := range run(t, env, data.CheckSnapshot, lifecycle.CheckInput{Of: first, Data: in, Snapshot: s}) {
		require.False(t, r.Stops(), "%v", r)
		require.Equal(t, r.Name == "duplicates", !r.Pass)
		if r.Name == "duplicates" {
			require.EqualValues(t, 100, r.Violations)
			require.Contains(t, r.Expected, "sensors repeat readings")
		}
	}
	in.Split.By, in.Split.Column = "group", "customer"
	for _, r := range run(t, env, data.CheckSnapshot, lifecycle.CheckInput{Of: first, Data: in, Snapshot: s}) {
		require.Equal(t, r.Name == "overlap", r.Inconclusive)
		if r.Inconclusive {
			require.Contains(t, r.Observed, `the snapshot cannot be split: split by group: column "customer" does not exist`)
		}
	}
}

func TestChangedManifestIsRefused(t *testing.T) {
	objects := cloud.NewObjects(startCloud(t).S3)
	data := &Data{Objects: objects, Bucket: testBucket}
	env := environment(t, data)
	store(t, objects, map[string]string{"s3://source/a/1.csv": flights(0, 50), "s3://source/b/1.csv": flights(50, 50)})
	a := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: flightData("s3://source/a/")})
	b := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: flightData("s3://source/b/")})
	other, err := objects.Get(t.Context(), b.URI)
	require.NoError(t, err)
	require.NoError(t, objects.Put(t.Context(), a.URI, other))

	_, err = try(env, data.CheckSnapshot, lifecycle.CheckInput{Of: first, Data: flightData("s3://source/a/"), Snapshot: a})
	require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, "it was changed")
}
