package dataset_test

import (
	"strings"
	"testing"

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
	fuzzFormat(f, "f.parquet", flightsParquet(f))
}
