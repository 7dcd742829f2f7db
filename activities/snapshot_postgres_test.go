package activities

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
	"steward/internal/postgres"
	"steward/internal/postgres/pgtest"
)

func TestSnapshotOfAQuery(t *testing.T) {
	url := pgtest.Start(t)
	pgtest.Exec(t, url, "create table flights (flight text, at timestamptz, delay float8, origin text, hour int, late int, distance int)")
	insert := func(text string) {
		var values []string
		for line := range strings.Lines(text) {
			if f := strings.Split(strings.TrimSpace(line), ","); f[0] != "flight" {
				values = append(values, "('"+f[0]+"','"+f[1]+"',nullif('"+f[2]+"','')::float8,'"+strings.Join(f[3:], "','")+"')")
			}
		}
		pgtest.Exec(t, url, "insert into flights values "+strings.Join(values, ","))
	}
	insert(flights(100, 200))
	insert(flights(0, 100))
	objects := cloud.NewObjects(startCloud(t).S3)
	data := &Data{Objects: objects, Bucket: testBucket, Databases: postgres.New(map[string]string{"warehouse": url}, 0)}
	env := environment(t, data)
	in := flightData("")
	in.Sources = []lifecycle.Source{{Name: "flights", Postgres: &lifecycle.Postgres{Connection: "warehouse", Query: "select * from flights"}}}
	a := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: first, Data: in})
	require.Equal(t, []lifecycle.SourceUse{{Name: "flights", Files: 1, New: 1, Rows: 300}}, a.Sources)
	b := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: second, Data: in})
	require.Equal(t, a.Digest, b.Digest)
	require.Equal(t, "postgres:warehouse/flights/1", readLineage(t, data, b).Files[0].Source)

	prepare := func(of lifecycle.Of, in lifecycle.Data, s lifecycle.Snapshot) lifecycle.Parts {
		return run(t, env, data.PrepareParts, lifecycle.PrepareInput{Of: of, Data: in, Snapshot: s})
	}
	store(t, objects, map[string]string{"s3://source/a/1.csv": flights(0, 100), "s3://source/a/2.csv": flights(100, 200)})
	files := flightData("s3://source/a/")
	same := run(t, env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: lifecycle.Of{Model: "files", Release: 1}, Data: files})
	require.Equal(t, prepare(lifecycle.Of{Model: "files", Release: 1}, files, same).Train.Digest, prepare(first, in, a).Train.Digest, "the same rows as from files")

	in.Sources[0].Postgres.Query = "select * from flight"
	_, err := try(env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: second, Data: in})
	require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, `source flights: connection warehouse: relation "flight" does not exist`)
	in.Sources[0].Postgres.Connection = "other"
	_, err = try(env, data.TakeSnapshot, lifecycle.SnapshotInput{Of: second, Data: in})
	require.Equal(t, lifecycle.Denied, lifecycle.ErrorType(err))
}
