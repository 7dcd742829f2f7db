package postgres

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
	"steward/internal/postgres/pgtest"
)

func export1(t *testing.T, d *Databases, sql string) ([]File, error) {
	t.Helper()
	return d.Export(t.Context(), Query{"warehouse", sql, "id", "at"}, t.TempDir(), func() {})
}

// rows reads files as text, a line a row.
func rows(t *testing.T, files []File) (dataset.Schema, []string) {
	t.Helper()
	var schema dataset.Schema
	var out []string
	for _, f := range files {
		source := dataset.File(f.Name)
		source.Format = dataset.Parquet
		n := int64(0)
		require.NoError(t, dataset.Read(t.Context(), source, nil, func(b *dataset.Batch) error {
			schema, n = b.Schema, n+int64(b.Rows)
			for r := range b.Rows {
				var cells []string
				for c := range b.Schema {
					text, ok := b.Text(c, r)
					if !ok {
						text = "-"
					}
					cells = append(cells, text)
				}
				out = append(out, strings.Join(cells, "|"))
			}
			return nil
		}))
		require.Equal(t, f.Rows, n)
		info, err := os.Stat(f.Name)
		require.NoError(t, err)
		require.Equal(t, info.Size(), f.Bytes)
	}
	return schema, out
}

func TestExport(t *testing.T) {
	url := pgtest.Start(t)
	d := New(map[string]string{"warehouse": url, "elsewhere": "host=/nonexistent user=x password=hush", "broken": "postgres://u:hush@[::1"}, 0)

	t.Run("types", func(t *testing.T) {
		files, err := export1(t, d, `select * from (values
			('b'::text, '2024-01-02 03:04:05.678901+02'::timestamptz, 9007199254740993::int8, 1.5::float4, 0.1::float8, 12345678901234567::numeric(17,0), 0.25::numeric, true, date '2024-02-29', timestamp '2024-01-01 00:00:00', '00000000-0000-0000-0000-00000000002a'::uuid),
			('B', null, null, null, 'nan', null, null, null, null, null, null),
			('é', '1999-12-31 23:59:59+00', -5, -0.5, '-infinity', -1, 1e3, false, '1700-01-01', '2200-01-01', null)
		) as v (id, at, big, small, num, whole, exact, flag, day, plain, uid);  `)
		require.NoError(t, err)
		schema, got := rows(t, files)
		kinds := map[string]dataset.Type{}
		for _, f := range schema {
			kinds[f.Name] = f.Type
		}
		require.Equal(t, map[string]dataset.Type{"id": dataset.String, "at": dataset.Time, "big": dataset.Integer, "small": dataset.Number, "num": dataset.Number,
			"whole": dataset.Number, "exact": dataset.Number, "flag": dataset.Bool, "day": dataset.Time, "plain": dataset.Time, "uid": dataset.String}, kinds)
		require.Equal(t, []string{
			"B|-|-|-|-|-|-|-|-|-|-",
			"b|2024-01-02T01:04:05.678901Z|9007199254740993|1.5|0.1|1.2345678901234568e+16|0.25|true|2024-02-29T00:00:00Z|2024-01-01T00:00:00Z|00000000-0000-0000-0000-00000000002a",
			"é|1999-12-31T23:59:59Z|-5|-0.5|-Inf|-1|1000|false|1700-01-01T00:00:00Z|2200-01-01T00:00:00Z|-",
		}, got, "in the order of bytes, whatever the server's language")
	})

	t.Run("the same rows", func(t *testing.T) {
		pgtest.Exec(t, url, `create table flights (id numeric(30,0), at timestamptz, hour int, fare numeric(6,0));
			insert into flights select g, '2024-01-01'::timestamptz + g * interval '1 minute', g % 24, g from generate_series(1, 20000) g order by random()`)
		a, err := export1(t, d, "select * from flights")
		require.NoError(t, err)
		pgtest.Exec(t, url, "create table again as select * from flights order by random()")
		b, err := export1(t, d, "select * from again -- another table")
		require.NoError(t, err)
		require.Equal(t, a[0].SHA256, b[0].SHA256)
		schema, got := rows(t, a)
		require.Len(t, got, 20000)
		require.Equal(t, []dataset.Type{dataset.String, dataset.Time, dataset.Integer, dataset.Integer},
			[]dataset.Type{schema[0].Type, schema[1].Type, schema[2].Type, schema[3].Type}, "an id keeps all its digits")
		pgtest.Exec(t, url, "update again set hour = 99 where id = 20000")
		c, err := export1(t, d, "select * from again")
		require.NoError(t, err)
		require.NotEqual(t, a[0].SHA256, c[0].SHA256)
	})

	t.Run("refused", func(t *testing.T) {
		pgtest.Exec(t, url, "create sequence numbers")
		for sql, want := range map[string]string{
			"select 1 as id": `the query gives no column "at"`,
			"select 1 as id, now() as at where false":           "the query gives no rows",
			"select 1 as id, now() as at, '{}'::jsonb as extra": `column "extra" is of a type (object id 3802) that cannot be read: cast it in the query, such as "extra"::text`,
			"select 1 as id, now() as at, 2 as at":              `two columns are called "at"`,
			"select 1 as id, 'infinity'::timestamptz as at":     `row 1 of the query, in the order of the id: column "at": "infinity" is not a time`,
			"select 1 as id, '9999-01-01'::timestamptz as at":   "column at",
			"selekt 1": "syntax error",
			"select 1 as id, now() as at from nowhere":                                       `relation "nowhere" does not exist (42P01)`,
			"select 1/0 as id, now() as at":                                                  "division by zero",
			"delete from flights returning id, at":                                           "syntax error",
			"with x as (delete from flights returning *) select * from x":                    "must be at the top level",
			"select id, at from flights) as x; delete from flights; select * from (select 1": "cannot insert multiple commands",
			"select setval('s', 1) as id, now() as at":                                       "does not exist",
			"select nextval('numbers') as id, now() as at":                                   "cannot execute nextval() in a read-only transaction",
		} {
			_, err := export1(t, d, sql)
			require.ErrorContains(t, err, want, sql)
			require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err), "%s: %v", sql, err)
		}
	})

	t.Run("connections", func(t *testing.T) {
		for name, want := range map[string]string{"other": "connection other is not one that this worker has", "broken": "connection broken: the address that this worker has for it cannot be understood"} {
			_, err := d.Export(t.Context(), Query{name, "select 1", "id", "at"}, t.TempDir(), func() {})
			require.ErrorContains(t, err, want)
			require.Equal(t, lifecycle.Denied, lifecycle.ErrorType(err))
			require.NotContains(t, err.Error(), "hush")
		}
		_, err := d.Export(t.Context(), Query{"elsewhere", "select 1", "id", "at"}, t.TempDir(), func() {})
		require.ErrorContains(t, err, "connection elsewhere")
		require.Empty(t, lifecycle.ErrorType(err), "a retry may help")
		require.NotContains(t, err.Error(), "hush")
	})

	t.Run("too long", func(t *testing.T) {
		_, err := export1(t, New(map[string]string{"warehouse": url}, 100*time.Millisecond), "select pg_sleep(60)::text as id, now() as at")
		require.ErrorContains(t, err, "canceling statement due to statement timeout: make the query cheaper")
		require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err))
	})

	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("stop")
		ended := make(chan error, 1)
		go func() {
			_, err := d.Export(ctx, Query{"warehouse", "select pg_sleep(600)::text as id, now() as at", "id", "at"}, os.TempDir(), func() {})
			ended <- err
		}()
		conn, err := pgconn.Connect(t.Context(), url)
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close(context.Background())) }()
		running := func() string {
			out, err := conn.Exec(t.Context(), "select count(*) from pg_stat_activity where application_name = 'steward' and state = 'active'").ReadAll()
			require.NoError(t, err)
			return string(out[0].Rows[0][0])
		}
		require.Eventually(t, func() bool { return running() == "1" }, 10*time.Second, 5*time.Millisecond)
		cancel(stop)
		require.ErrorIs(t, <-ended, stop)
		require.Eventually(t, func() bool { return running() == "0" }, 10*time.Second, 5*time.Millisecond, "the server works on")
	})
}

// FuzzColumns holds that no text of a server makes a value of the wrong type.
func FuzzColumns(f *testing.F) {
	for _, s := range []string{"1", "-1.5e300", "NaN", "2024-01-02", "2024-01-02 03:04:05.6+00", "infinity", "0001-01-01 BC", "t"} {
		f.Add(s)
	}
	oids := []uint32{oidBool, oidInt8, oidFloat8, oidNumeric, oidText, oidUUID, oidDate, oidTimestamp, oidTimestampWithZone}
	f.Fuzz(func(t *testing.T, s string) {
		for _, oid := range oids {
			c, err := columnOf(pgconn.FieldDescription{Name: "v", DataTypeOID: oid, TypeModifier: -1}, "id")
			require.NoError(t, err)
			v, err := c.parse(s)
			if err != nil {
				continue
			}
			_, _ = dataset.NewBatch(dataset.Schema{c.Field}, [][]any{{v}})
		}
	})
}
