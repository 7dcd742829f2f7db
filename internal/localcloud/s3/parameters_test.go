package s3

import (
	"net/http"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/stretchr/testify/require"
)

func TestRangesAsS3TakesThem(t *testing.T) {
	const size = 10
	for header, want := range map[string]*gofakes3.ObjectRange{
		"":                             nil,
		"bytes=0-":                     {Start: 0, Length: 10},
		"bytes=9-9":                    {Start: 9, Length: 1},
		"bytes=3-999999999999999999":   {Start: 3, Length: 7},
		"bytes=-4":                     {Start: 6, Length: 4},
		"bytes=-11":                    {Start: 0, Length: 10},
		"bytes=4-3":                    nil,
		"bytes=-":                      nil,
		"bytes=1-2,4-5":                nil,
		"bytes=a-b":                    nil,
		"bytes=1-99999999999999999999": nil, // no number that an object could have
		"items=1-2":                    nil,
	} {
		h := http.Header{"Range": {header}}
		got, err := cut(takeRange(h), size)
		require.NoError(t, err, header)
		require.Equal(t, want, got, header)
		require.Equal(t, want == nil, h.Get("Range") == "", "%s: what is not a range is taken out", header)
	}
	for _, header := range []string{"bytes=10-", "bytes=10-12", "bytes=-0"} {
		_, err := cut(takeRange(http.Header{"Range": {header}}), size)
		require.ErrorIs(t, err, gofakes3.ErrInvalidRange, header)
	}
	_, err := cut(takeRange(http.Header{"Range": {"bytes=-5"}}), 0)
	require.ErrorIs(t, err, gofakes3.ErrInvalidRange, "nothing can be taken from an empty object")
}
