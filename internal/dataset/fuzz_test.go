package dataset_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
)

// Whatever the bytes, reading must end in rows of the schema's width or in an
// error that names the file.
func fuzzFormat(f *testing.F, name string, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
		f.Add(s[:len(s)/2])
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		schema, rows, err := read(dataset.Bytes(name, content))
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), name), err)
			return
		}
		require.NotEmpty(t, rows)
		for _, r := range rows {
			require.Len(t, r, len(schema))
		}
	})
}

func FuzzCSV(f *testing.F) {
	fuzzFormat(f, "f.csv", []byte(flightsCSV), []byte("a\n\"\"\n"), []byte("\xef\xbb\xbfa,b\r\n1,\"2\n\"\r\n"))
}

func FuzzJSONL(f *testing.F) {
	fuzzFormat(f, "f.jsonl", []byte(flightsJSONL), []byte(`{"a":{"b":[1]}}`), []byte("{}\n{\"a\":1e999}"))
}

func FuzzParquet(f *testing.F) {
	fuzzFormat(f, "f.parquet", flightsParquet(f), writeReadings(f, readings(50), parquet.Compression(&parquet.Uncompressed)),
		writeReadings(f, readings(20), parquet.Compression(&parquet.Gzip), parquet.DataPageVersion(1), parquet.PageBufferSize(100)))
}

// Whatever the text of a value, it is of one type or another, and each of those
// it is of reads it.
func FuzzValue(f *testing.F) {
	for _, v := range []string{"1", "-0.5", "1e9", "2001-02-03 04:05:06.5+01:00", "true", "nan", "9007199254740993", "01/02/2003", "é"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, value string) {
		quoted, err := json.Marshal(value)
		require.NoError(t, err)
		text := []byte("v,w\n\"" + strings.ReplaceAll(value, `"`, `""`) + "\",1\n")
		if !utf8.ValidString(value) {
			_, _, err := read(dataset.Bytes("v.csv", text))
			require.ErrorContains(t, err, "v.csv")
			return
		}
		schema, rows, err := read(dataset.Bytes("v.csv", text))
		require.NoError(t, err)
		src := dataset.Bytes("v.csv", text)
		src.Types = map[string]dataset.Type{"v": schema[0].Type}
		_, again, err := read(src, "v")
		require.NoError(t, err)
		require.Equal(t, rows[0][0], again[0][0])
		src.Types["v"] = dataset.String
		_, again, err = read(src, "v")
		require.NoError(t, err)
		require.Equal(t, cmp.Or(value, "∅"), again[0][0])
		_, again, err = read(dataset.Bytes("v.jsonl", fmt.Appendf(nil, "{\"v\":%s}", quoted)))
		require.NoError(t, err)
		require.Len(t, again, 1)
	})
}
