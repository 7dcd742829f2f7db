package frame

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func all(text string) (records [][]string, err error) {
	r := NewRows(strings.NewReader(text), -1)
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return nil, err
		}
		records = append(records, append([]string(nil), record...))
	}
}

func TestRows(t *testing.T) {
	records, err := all("a,\"b\n\nb\"\r\n\"\"\nc\n\n\n")
	require.NoError(t, err)
	require.Equal(t, [][]string{{"a", "b\n\nb"}, {""}, {"c"}}, records)
	_, err = all("\na\n")
	require.ErrorContains(t, err, "line 1 is blank")
	_, err = all("a\n\"x\ny\"\n\nb\n")
	require.ErrorContains(t, err, "line 4 is blank")
}

// FuzzRows: whatever Rows accepts, encoding/csv reads alike, and no line
// between two records is dropped.
func FuzzRows(f *testing.F) {
	for _, seed := range []string{"", "a,b\n", "\"a\"\"b\",c\r\n", "\n\n", "a\n\nb", "\"\n", "a\"b", "\"\",\"\n\n\"\nx,y", "\r\r\n", "é,\x00\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := all(text)
		plain := csv.NewReader(strings.NewReader(text))
		plain.FieldsPerRecord = -1
		want, plainErr := plain.ReadAll()
		if err != nil {
			require.True(t, plainErr != nil || strings.Contains(err.Error(), "is blank"), "%v", err)
			return
		}
		require.NoError(t, plainErr)
		require.Equal(t, len(want), len(got))
		for i := range want {
			require.Equal(t, want[i], got[i])
		}
	})
}
