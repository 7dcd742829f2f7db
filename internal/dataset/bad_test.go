package dataset_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
)

func TestBadTextIsNamed(t *testing.T) {
	later := strings.Repeat("1,2\n", 300_000) // more than one chunk
	for name, c := range map[string]struct {
		file, text string
		want       string
	}{
		"no bytes":        {"a.csv", "", "a.csv: not even a header: no rows"},
		"only a header":   {"a.csv", "x,y\n", "a.csv: no rows"},
		"no lines":        {"a.jsonl", "\n\n", "a.jsonl: no rows"},
		"ragged":          {"a.csv", "x,y\n1,2\n1,2,3\n", "a.csv:3: 3 fields, expected 2 as in the header"},
		"short":           {"a.csv", "x,y\n\"1\n1\",2\n1\n", "a.csv:4: 1 fields, expected 2"},
		"twice":           {"a.csv", "x,y,x\n1,2,3\n", `a.csv:1: column name "x" stands twice in the header (columns 1 and 3)`},
		"nameless":        {"a.csv", "x,\n1,2\n", "a.csv:1: column 2 of the header has no name"},
		"ragged later":    {"a.csv", "x,y\n" + later + "1\n" + later, "a.csv:300002: 1 fields, expected 2"},
		"ragged, tabs":    {"a.csv", "x\ty\n1\t2\n\n1\n", "a.csv:4: 1 fields, expected 2"},
		"after a quote":   {"a.csv", "x,y\n1,2\n1,\"2\"3\n", `a.csv:3: column y: "3" after the closing quote`},
		"lone quote":      {"a.csv", "x,y\n1,5\" disk\n" + later, "a.csv:2: column y: a quote within a field"},
		"lone, later":     {"a.csv", "x,y\n" + later + "1,5\" disk\n" + later, "a.csv:300002: column y: a quote within a field"},
		"open to the end": {"a.csv", "x,y\n1,\"2\n3,4\n", "a.csv:2: column y: a quote is opened and never closed"},
		"never closed":    {"a.csv", "x\n\"" + strings.Repeat("a\n", 9<<20), "a.csv:2: column x: a row is longer than 16 MiB: is a quote never closed?"},
		"utf8":            {"a.csv", "x,y\nok,\xff\n", `a.csv:2: column y: "\xff" is not valid UTF-8`},
		"utf8 header":     {"a.csv", "x\xff\n1\n", "a.csv:1: field 1 of the header is not valid UTF-8"},
		"gzip cut off":    {"a.csv.gz", string(gzipped(t, "x,y\n"+later))[:500], "the file is damaged from here on: unexpected EOF"},
		"zstd cut off":    {"a.csv.zst", string(zstandard(t, "x,y\n"+later))[:20], "a.csv.zst:1: the file is damaged from here on: unexpected EOF"},
		"gzip":            {"a.csv.gz", "\x1f\x8bnonsense nonsense", "a.csv.gz: damaged gzip"},
		"zstd":            {"a.csv.zst", "\x28\xb5\x2f\xfdnonsense", "a.csv.zst:1: "},
		"parquet in csv":  {"a.csv", "PAR1xxxxxxxxPAR1", "a.csv: this is a Parquet file"},
		"extension":       {"a.xlsx", "x", "a.xlsx: the extension does not tell the format"},
		"not an object":   {"a.jsonl", "[1]\n", "a.jsonl:1: each line must be one flat JSON object: found an array"},
		"broken json":     {"a.jsonl", "{\"v\":1}\n{\"v\":\n", "a.jsonl:2: each line must be one flat JSON object: jsontext: unexpected EOF"},
		"two values":      {"a.jsonl", "{\"v\":1}{\"v\":2}\n", "a.jsonl:1: more than one JSON value"},
		"duplicate key":   {"a.jsonl", "{\"v\":1,\"v\":2}\n", "a.jsonl:1: "},
		"json utf8":       {"a.jsonl", "{\"v\":\"\xff\"}\n", "a.jsonl:1: "},
		"nested":          {"a.jsonl", "{\"v\":1}\n{\"v\":1,\"w\":{\"a\":1}}\n", "a.jsonl:2: column w is nested (an object)"},
		"long line":       {"a.jsonl", "{\"v\":\"" + strings.Repeat("a", 17<<20) + "\"}", "a.jsonl:1: a row is longer than 16 MiB"},
		"empty json name": {"a.jsonl", "{\"\":1}", "a column has no name"},
	} {
		_, _, err := read(dataset.Bytes(c.file, []byte(c.text)))
		require.ErrorContains(t, err, c.want, name)
		if strings.Contains(c.want, "no rows") {
			require.ErrorIs(t, err, dataset.ErrEmpty, name)
		}
	}
	src := dataset.Bytes("a.csv", []byte("x\n1\n"))
	src.Format = "excel"
	_, _, err := read(src)
	require.ErrorContains(t, err, `a.csv: format "excel" is not known`)
	_, _, err = dataset.Inspect(context.Background(), dataset.Bytes("a.csv", []byte("x\n")))
	require.ErrorIs(t, err, dataset.ErrEmpty)
}

func TestOtherColumnsMayBeNestedOrNew(t *testing.T) {
	text := "{\"v\":1,\"w\":{\"a\":[1]}}\n" + strings.Repeat("{\"v\":1}\n", 9000) + "{\"v\":7,\"x\":2}\n"
	_, rows, err := read(dataset.Bytes("a.jsonl", []byte(text)), "v")
	require.NoError(t, err)
	require.Equal(t, []string{"7"}, rows[9001])
}

func TestUnknownColumnSuggestsTheNearest(t *testing.T) {
	for _, src := range []dataset.Source{
		dataset.Bytes("f.csv", []byte(flightsCSV)), dataset.Bytes("f.parquet", flightsParquet(t)),
	} {
		_, _, err := read(src, "dealy")
		require.ErrorContains(t, err, src.Name+`: column "dealy" does not exist; did you mean "delay"? (columns: id, at, late,`)
		var unknown *dataset.UnknownColumnError
		require.ErrorAs(t, err, &unknown)
		require.Equal(t, "delay", unknown.Nearest)
		_, _, err = read(src, "id", "id")
		require.ErrorContains(t, err, "asked for twice")
	}
	_, err := flightsSchema.Index("zzzzzz")
	require.NotContains(t, err.Error(), "did you mean")
}

func TestDamagedParquetIsNamed(t *testing.T) {
	good := flightsParquet(t)
	footer := bytes.Clone(good)
	copy(footer[len(footer)-8:], []byte{0xff, 0xff, 0xff, 0x7f})
	none := func() []byte {
		var out bytes.Buffer
		require.NoError(t, dataset.WriteParquet(&out, flightsSchema))
		return out.Bytes()
	}()
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":      {nil, "f.parquet: the file has no bytes: no rows"},
		"tiny":       {[]byte("PAR1"), "f.parquet: 4 bytes are too few"},
		"truncated":  {good[:len(good)-20], "f.parquet: truncated Parquet"},
		"not":        {[]byte("id,late\n1,0\n1,1\n"), "f.parquet: not a Parquet file: it begins with"},
		"footer":     {footer, "f.parquet: damaged Parquet: a footer of"},
		"encrypted":  {append([]byte("PARE"), good[4:]...), "f.parquet: encrypted Parquet"},
		"no rows":    {none, "f.parquet: no rows"},
		"middle cut": {append(bytes.Clone(good[:40]), good[80:]...), "f.parquet: "},
	} {
		_, _, err := read(dataset.Bytes("f.parquet", c.content))
		require.ErrorContains(t, err, c.want, name)
	}
}

func TestParquetTypes(t *testing.T) {
	type row struct {
		I8   int8     `parquet:"i8"`
		U32  uint32   `parquet:"u32"`
		U64  uint64   `parquet:"u64"`
		F32  float32  `parquet:"f32"`
		Day  int32    `parquet:"day,date"`
		Ms   int64    `parquet:"ms,timestamp(millisecond)"`
		Ns   int64    `parquet:"ns,timestamp(nanosecond)"`
		Dec  int64    `parquet:"dec,decimal(2:10)"`
		UUID [16]byte `parquet:"uuid,uuid"`
		Opt  *string  `parquet:"opt,optional,dict"`
		Enum string   `parquet:"enum,enum"`
	}
	var out bytes.Buffer
	require.NoError(t, parquet.Write(&out, []row{{I8: -8, U32: 4_000_000_000, U64: 9, F32: 0.5, Day: 1, Ms: 1500, Ns: 5,
		Dec: 1234, UUID: [16]byte{0xab, 15: 0x01}, Enum: "A"}}))
	schema, rows, err := read(dataset.Bytes("t.parquet", out.Bytes()))
	require.NoError(t, err)
	got := map[string]string{}
	for i, f := range schema {
		got[f.Name] = fmt.Sprint(f.Type, " ", rows[0][i])
	}
	require.Equal(t, map[string]string{
		"i8": "integer -8", "u32": "integer 4000000000", "u64": "integer 9", "f32": "number 0.5",
		"day": "time 1970-01-02T00:00:00Z", "ms": "time 1970-01-01T00:00:01.5Z", "ns": "time 1970-01-01T00:00:00.000000005Z",
		"dec": "number 12.34", "uuid": "string ab000000-0000-0000-0000-000000000001", "opt": "string ∅", "enum": "string A",
	}, got)

	out.Reset()
	require.NoError(t, parquet.Write(&out, []row{{U64: 1 << 63}}))
	_, _, err = read(dataset.Bytes("t.parquet", out.Bytes()))
	require.ErrorContains(t, err, "t.parquet: column u64: 9223372036854775808 does not fit")
}

func TestNestedParquetIsRefused(t *testing.T) {
	type inner struct{ A int64 }
	type row struct {
		ID   int64   `parquet:"id"`
		Tags []int64 `parquet:"tags"`
		In   inner   `parquet:"in"`
	}
	var out bytes.Buffer
	require.NoError(t, parquet.Write(&out, []row{{ID: 7, Tags: []int64{1, 2}}, {ID: 8}}))
	src := dataset.Bytes("n.parquet", out.Bytes())
	for _, column := range []string{"tags", "in"} {
		_, _, err := read(src, column)
		require.ErrorContains(t, err, "n.parquet: column "+column+" is nested")
	}
	_, _, err := read(src)
	require.ErrorContains(t, err, "is nested")
	_, rows, err := read(src, "id")
	require.NoError(t, err)
	require.Equal(t, [][]string{{"7"}, {"8"}}, rows)
}
