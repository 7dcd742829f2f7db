package lifecycle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPartitions(t *testing.T) {
	at := time.Date(2024, 3, 9, 7, 30, 0, 0, time.FixedZone("", 3600)) // 06:30 UTC
	for layout, want := range map[string]struct {
		path    string
		from    string
		to      string
		columns []PartitionColumn
	}{
		"year=2006":                 {"year=2024", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", []PartitionColumn{{"year", "integer", "2024"}}},
		"year=2006/month=01":        {"year=2024/month=03", "2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z", []PartitionColumn{{"year", "integer", "2024"}, {"month", "integer", "3"}}},
		"ym=2006-01/day=02/hour=15": {"ym=2024-03/day=09/hour=06", "2024-03-09T06:00:00Z", "2024-03-09T07:00:00Z", []PartitionColumn{{"ym", "string", "2024-03"}, {"day", "integer", "9"}, {"hour", "integer", "6"}}},
		"dt=2006-01-02":             {"dt=2024-03-09", "2024-03-09T00:00:00Z", "2024-03-10T00:00:00Z", []PartitionColumn{{"dt", "time", "2024-03-09T00:00:00Z"}}},
		"2006/01/02/15":             {"2024/03/09/06", "2024-03-09T06:00:00Z", "2024-03-09T07:00:00Z", nil},
		"20060102":                  {"20240309", "2024-03-09T00:00:00Z", "2024-03-10T00:00:00Z", nil},
	} {
		p, err := ParsePartitions(layout)
		require.NoError(t, err, layout)
		require.Equal(t, want.path, p.Path(at), layout)
		from, to, err := p.Period(want.path)
		require.NoError(t, err, layout)
		require.Equal(t, []string{want.from, want.to}, []string{from.Format(time.RFC3339), to.Format(time.RFC3339)}, layout)
		require.Equal(t, want.columns, p.Columns(from), layout)
		for _, wrong := range []string{"", "x", want.path + "/x", "dt=2024-02-30", "dt=__HIVE_DEFAULT_PARTITION__"} {
			_, _, err := p.Period(wrong)
			require.ErrorContains(t, err, "is not a partition such as", "%s: %s", layout, wrong)
		}
	}
	for _, layout := range []string{"", "month=01", "month=01/year=2006", "2006/02", "dt=2006-01-02/", "dt=2006 01", "x", "=2006", "2006/01/02/15/02", "dt=Jan"} {
		_, err := ParsePartitions(layout)
		require.Error(t, err, layout)
	}
}

// FuzzPartitions holds that what is taken for a partition is written as one.
func FuzzPartitions(f *testing.F) {
	f.Add("year=2006/month=01", "year=2024/month=03")
	f.Add("dt=2006-01-02", "dt=2024-03-09")
	f.Fuzz(func(t *testing.T, layout, path string) {
		p, err := ParsePartitions(layout)
		if err != nil {
			return
		}
		from, to, err := p.Period(path)
		if err != nil {
			return
		}
		require.Equal(t, path, p.Path(from))
		require.True(t, to.After(from))
		p.Columns(from)
	})
}
