package cloudwatch

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// maxListed is how many metrics one answer of ListMetrics holds, as on AWS.
const maxListed = 500

func (s *Store) list(_ context.Context, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
	if in.RecentlyActive != "" || aws.ToBool(in.IncludeLinkedAccounts) || in.OwningAccount != nil {
		return nil, invalid("RecentlyActive, IncludeLinkedAccounts and OwningAccount are not offered")
	}
	skip, err := offset(aws.ToString(in.NextToken))
	if err != nil {
		return nil, err
	}
	found := s.matching(in)
	keys := slices.Sorted(maps.Keys(found))
	from, to := min(skip, len(keys)), min(skip+maxListed, len(keys))
	out := &cloudwatch.ListMetricsOutput{Metrics: []types.Metric{}}
	for _, k := range keys[from:to] {
		out.Metrics = append(out.Metrics, found[k].metric())
	}
	if to < len(keys) {
		out.NextToken = aws.String(strconv.Itoa(to))
	}
	return out, nil
}

// matching gives the series that pass the filters, each once whatever its units.
func (s *Store) matching(in *cloudwatch.ListMetricsInput) map[string]series {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]series{}
	for _, x := range s.series {
		if passes(x, in) {
			x.Unit = ""
			found[x.key()] = x
		}
	}
	return found
}

func passes(x series, in *cloudwatch.ListMetricsInput) bool {
	if in.Namespace != nil && *in.Namespace != x.Namespace || in.MetricName != nil && *in.MetricName != x.Name {
		return false
	}
	for _, f := range in.Dimensions {
		value, ok := x.Dimensions[aws.ToString(f.Name)]
		if !ok || f.Value != nil && *f.Value != value {
			return false
		}
	}
	return true
}

func (s series) metric() types.Metric {
	m := types.Metric{Namespace: aws.String(s.Namespace), MetricName: aws.String(s.Name), Dimensions: []types.Dimension{}}
	for _, name := range slices.Sorted(maps.Keys(s.Dimensions)) {
		m.Dimensions = append(m.Dimensions, types.Dimension{Name: aws.String(name), Value: aws.String(s.Dimensions[name])})
	}
	return m
}
