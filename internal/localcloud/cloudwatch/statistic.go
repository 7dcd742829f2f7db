package cloudwatch

import (
	"regexp"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// statistic takes one number from a summary; false if it has none.
type statistic func(*summary) (float64, bool)

var simple = map[types.Statistic]statistic{
	types.StatisticSampleCount: func(s *summary) (float64, bool) { return s.count, true },
	types.StatisticSum:         func(s *summary) (float64, bool) { return s.sum, true },
	types.StatisticAverage:     func(s *summary) (float64, bool) { return s.sum / s.count, true },
	types.StatisticMinimum:     func(s *summary) (float64, bool) { return s.min, true },
	types.StatisticMaximum:     func(s *summary) (float64, bool) { return s.max, true },
}

// percentileName is how AWS writes percentiles: p50, p99.9, p100.
var percentileName = regexp.MustCompile(`^p(\d{1,2}(\.\d{1,10})?|100(\.0{1,10})?)$`)

// statisticOf reads a name such as "Average" or "p99.9".
func statisticOf(name string) (statistic, error) {
	if s, ok := simple[types.Statistic(name)]; ok {
		return s, nil
	}
	m := percentileName.FindStringSubmatch(name)
	if m == nil {
		return nil, invalid("Stat %q is not SampleCount, Sum, Average, Minimum, Maximum or a percentile such as p99.9; others are not offered", name)
	}
	p, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return nil, invalid("Stat %q: %v", name, err)
	}
	return func(s *summary) (float64, bool) { return s.percentile(p) }, nil
}
