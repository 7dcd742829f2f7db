package dataset_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
)

// lines is a CSV of one column.
func lines(name string, values ...string) dataset.Source {
	return dataset.Bytes(name, []byte("v\n"+strings.Join(values, "\n")+"\n"))
}

// longColumn has so many whole numbers first that what follows is in another chunk.
func longColumn(name string, last ...string) dataset.Source {
	values := make([]string, 300_000, 300_000+len(last))
	for i := range values {
		values[i] = "12"
	}
	return lines(name, append(values, last...)...)
}

func TestTypesWidenOverTheWholeFile(t *testing.T) {
	for last, want := range map[string]dataset.Type{
		"13": dataset.Integer, "1.5": dataset.Number, "x": dataset.String, "true": dataset.String,
		"2001-02-03": dataset.String, "9007199254740993": dataset.Integer, "nan": dataset.Number, "": dataset.Integer,
	} {
		schema, rows, err := read(longColumn("v.csv", last, "7"))
		require.NoError(t, err, last)
		require.Equal(t, want, schema[0].Type, last)
		require.Equal(t, []string{"12"}, rows[0], last)
		require.Equal(t, []string{"7"}, rows[len(rows)-1], last)
	}
	// A whole number that a float64 would change is never mixed with fractions.
	schema, rows, err := read(longColumn("v.csv", "9007199254740993", "1.5"))
	require.NoError(t, err)
	require.Equal(t, dataset.String, schema[0].Type)
	require.Equal(t, []string{"9007199254740993"}, rows[300_000])
}

func TestDeclaredTypesHoldForTheWholeFile(t *testing.T) {
	src := longColumn("v.csv", "1.5")
	src.Types = map[string]dataset.Type{"v": dataset.Integer}
	_, _, err := read(src)
	require.ErrorContains(t, err, `v.csv:300002: column v: "1.5" is not of type integer, which is declared for it`)
	_, _, err = read(src, "v")
	require.ErrorContains(t, err, `v.csv:300002: column v: "1.5"`)
	src.Types["v"] = dataset.String
	schema, _, err := read(src)
	require.NoError(t, err)
	require.Equal(t, dataset.String, schema[0].Type)
}

// The type of a column does not depend on the order of its values, and is that of
// the union whatever the files.
func TestWideningIsALattice(t *testing.T) {
	values := []string{"1", "-2", "1.5", "true", "x", "2001-02-03", "", "nan", "9007199254740993", "2001-02-03T04:05:06+01:00"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		chosen := make([]string, 1+random.IntN(4))
		for i := range chosen {
			chosen[i] = values[random.IntN(len(values))] + ",x"
		}
		infer := func(sources ...dataset.Source) dataset.Type {
			schema, _, err := dataset.Infer(context.Background(), sources, []string{"v"})
			require.NoError(t, err)
			return schema[0].Type
		}
		file := func(values []string) dataset.Source {
			return dataset.Bytes("v.csv", []byte("v,pad\n"+strings.Join(values, "\n")+"\n"))
		}
		want := infer(file(chosen))
		random.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
		require.Equal(t, want, infer(file(chosen)), chosen)
		files := make([]dataset.Source, len(chosen))
		for i := range chosen {
			files[i] = file(chosen[i : i+1])
		}
		require.Equal(t, want, infer(files...), chosen)
	}
}

func parquetOf[T any](t *testing.T, rows ...T) dataset.Source {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, parquet.Write(&out, rows))
	return dataset.Bytes("p.parquet", out.Bytes())
}

func TestFilesOfOneTableAgreeOnTypes(t *testing.T) {
	type whole struct{ V int64 }
	type real struct{ V float64 }
	type text struct{ V string }
	type yes struct{ V bool }
	csv := dataset.Bytes("v.csv", []byte("V\n7\n"))
	for _, c := range []struct {
		sources []dataset.Source
		want    dataset.Type
		values  []string
	}{
		{[]dataset.Source{parquetOf(t, whole{1}), parquetOf(t, real{2.5})}, dataset.Number, []string{"1", "2.5"}},
		{[]dataset.Source{parquetOf(t, real{2.5}), parquetOf(t, whole{1}), csv}, dataset.Number, []string{"2.5", "1", "7"}},
		{[]dataset.Source{parquetOf(t, whole{1}), parquetOf(t, text{"x"})}, dataset.String, []string{"1", "x"}},
		{[]dataset.Source{parquetOf(t, yes{true}), csv}, dataset.String, []string{"true", "7"}},
	} {
		var got []string
		require.NoError(t, dataset.ReadAll(context.Background(), c.sources, nil, func(b *dataset.Batch) error {
			require.Equal(t, dataset.Schema{{Name: "V", Type: c.want}}, b.Schema)
			for row := range b.Rows {
				v, _ := b.Text(0, row)
				got = append(got, v)
			}
			return nil
		}))
		require.Equal(t, c.values, got)
	}
}

func TestKeysOfJSONLinesMayComeLate(t *testing.T) {
	text := strings.Repeat("{\"v\":1}\n", 80_000) + "{\"v\":1,\"w\":2}\n"
	schema, rows, err := read(dataset.Bytes("a.jsonl", []byte(text)))
	require.NoError(t, err)
	require.Equal(t, []string{"v", "w"}, schema.Names())
	require.Equal(t, []string{"1", "∅"}, rows[0])
	require.Equal(t, []string{"1", "2"}, rows[80_000])
	_, _, err = read(dataset.Bytes("a.jsonl", []byte(text)), "u")
	require.ErrorContains(t, err, `a.jsonl: column "u" does not exist`)
}

func TestDelimiters(t *testing.T) {
	want := [][]string{{"1,5", "a b"}, {"∅", "x|y"}}
	for _, c := range []struct{ text string }{
		{"n;s\n1,5;a b\n;x|y\n"}, {"n\ts\n1,5\ta b\n\tx|y\n"}, {"n,s\n\"1,5\",a b\n,x|y\n"}, {"n|s\n1,5|a b\n|\"x|y\"\n"},
	} {
		schema, rows, err := read(dataset.Bytes("d.csv", []byte(c.text)))
		require.NoError(t, err, c.text)
		require.Equal(t, []string{"n", "s"}, schema.Names(), c.text)
		require.Equal(t, want, rows, c.text)
	}
	src := dataset.Bytes("d.csv", []byte("a;b\n1;2\n"))
	src.Delimiter = ','
	schema, _, err := read(src)
	require.NoError(t, err)
	require.Equal(t, []string{"a;b"}, schema.Names())
	src.Delimiter = '"'
	_, _, err = read(src)
	require.ErrorContains(t, err, `d.csv: delimiter '"' cannot separate fields`)
}

// Records end where they end, wherever the chunks do.
func TestQuotedRecordsAcrossChunks(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var text strings.Builder
	var want []string
	text.WriteString("id,note\n")
	for i := 0; text.Len() < 3<<20; i++ {
		note := strings.Repeat("é", random.IntN(40))
		switch random.IntN(4) {
		case 0:
			note += "\n,\"" + strings.Repeat("line\n", random.IntN(300)) + "\""
		case 1:
			note += "\r\n\"\"\n"
		}
		want = append(want, note)
		fmt.Fprintf(&text, "%d,\"%s\"\n", i, strings.ReplaceAll(note, `"`, `""`))
	}
	_, rows, err := read(dataset.Bytes("q.csv", []byte(text.String())))
	require.NoError(t, err)
	require.Len(t, rows, len(want))
	for i, note := range want {
		if note == "" {
			note = "∅"
		}
		require.Equal(t, []string{fmt.Sprint(i), note}, rows[i])
	}
}

func TestTimes(t *testing.T) {
	for value, want := range map[string]string{
		"2001-02-03":                          "2001-02-03T00:00:00Z",
		"2001/02/03 04:05":                    "2001-02-03T04:05:00Z",
		"2001-02-03 04:05:06":                 "2001-02-03T04:05:06Z",
		"2001-02-03T04:05:06.5Z":              "2001-02-03T04:05:06.5Z",
		"2001-02-03T04:05:06.1234567891+01":   "2001-02-03T03:05:06.123456789Z",
		"2001-02-03 04:05:06,25 UTC":          "2001-02-03T04:05:06.25Z",
		"2001-02-03T04:05:06-0330":            "2001-02-03T07:35:06Z",
		"2001-02-03 04:05:06 +05:30":          "2001-02-02T22:35:06Z",
		"2000-02-29":                          "2000-02-29T00:00:00Z",
		"1678-01-01T00:00:00Z":                "1678-01-01T00:00:00Z",
		"2261-12-31T23:59:59.999999999-23:59": "2262-01-01T23:58:59.999999999Z",
		"1969-12-31 23:59:59":                 "1969-12-31T23:59:59Z",
	} {
		schema, rows, err := read(lines("t.csv", `"`+value+`"`))
		require.NoError(t, err, value)
		require.Equal(t, dataset.Time, schema[0].Type, value)
		require.Equal(t, want, rows[0][0], value)
	}
	for value, want := range map[string]string{
		"01/02/2003":           "may have the day or the month first: write dates as 2006-01-02",
		"1.2.2003 10:00":       "may have the day or the month first",
		"1609459200":           "may count seconds or milliseconds since 1970: declare the type epochSeconds or epochMillis",
		"2001-02-30":           "is not a time",
		"1900-02-29":           "is not a time",
		"2001-02-03T24:00:00Z": "is not a time",
		"2001-02-03T04:05:60Z": "is not a time",
		"2001-02-03T04:05:06X": "is not a time",
		"2001-02-03 04:05:06.": "is not a time",
		"2001-13-03":           "is not a time",
		"1500-01-01":           "lies outside the years 1678 to 2261",
		"yesterday":            "is not a time",
	} {
		src := lines("t.csv", "2001-02-03", value)
		src.Types = map[string]dataset.Type{"v": dataset.Time}
		_, _, err := read(src)
		require.ErrorContains(t, err, "t.csv:3: column v: ", value)
		require.ErrorContains(t, err, want, value)
		schema, _, err := read(lines("t.csv", "2001-02-03", value))
		require.NoError(t, err)
		require.Equal(t, dataset.String, schema[0].Type, value)
	}
}

func TestEpochsAreDeclared(t *testing.T) {
	type row struct {
		V int64
	}
	for _, src := range []dataset.Source{lines("t.csv", "978307200"), dataset.Bytes("t.jsonl", []byte(`{"v":978307200}`))} {
		src.Types = map[string]dataset.Type{"v": dataset.EpochSeconds}
		schema, rows, err := read(src)
		require.NoError(t, err)
		require.Equal(t, dataset.Time, schema[0].Type)
		require.Equal(t, [][]string{{"2001-01-01T00:00:00Z"}}, rows)
	}
	src := parquetOf(t, row{978307200_250})
	src.Types = map[string]dataset.Type{"V": dataset.EpochMillis}
	schema, rows, err := read(src)
	require.NoError(t, err)
	require.Equal(t, dataset.Time, schema[0].Type)
	require.Equal(t, [][]string{{"2001-01-01T00:00:00.25Z"}}, rows)

	for value, want := range map[string]string{"1e300": "is no count of 1s since 1970", "99999999999": "outside the years", "x": "is no count"} {
		src := lines("t.csv", value)
		src.Types = map[string]dataset.Type{"v": dataset.EpochSeconds}
		_, _, err := read(src)
		require.ErrorContains(t, err, want, value)
	}
}
