package cloudwatch

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"steward/internal/localcloud/wire"
)

// Operations are the operations of CloudWatch that this store answers.
func (s *Store) Operations() wire.Operations {
	return wire.Operations{
		"PutMetricData":       wire.Op(s.put),
		"GetMetricData":       wire.Op(s.getData),
		"GetMetricStatistics": wire.Op(s.getStatistics),
		"ListMetrics":         wire.Op(s.list),
	}
}

// Limits of GetMetricData and GetMetricStatistics in the CloudWatch API reference.
const (
	maxQueries    = 500
	maxDatapoints = 100_800
	maxStatistics = 1_440
)

func (s *Store) getData(_ context.Context, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	if len(in.MetricDataQueries) == 0 || len(in.MetricDataQueries) > maxQueries {
		return nil, invalid("MetricDataQueries has %d entries, not 1 to %d", len(in.MetricDataQueries), maxQueries)
	}
	if in.LabelOptions != nil {
		return nil, invalid("LabelOptions is not offered")
	}
	limit := int(aws.ToInt32(in.MaxDatapoints))
	if limit < 0 || limit > maxDatapoints {
		return nil, invalid("MaxDatapoints %d is not a number from 1 to %d", limit, maxDatapoints)
	}
	if limit == 0 {
		limit = maxDatapoints
	}
	var results []types.MetricDataResult
	seen := map[string]bool{}
	for i := range in.MetricDataQueries {
		q := &in.MetricDataQueries[i]
		if id := aws.ToString(q.Id); id == "" || seen[id] {
			return nil, invalid("MetricDataQueries[%d].Id %q must be given and differ from the others", i, id)
		}
		seen[*q.Id] = true
		r, err := s.answer(q, in.StartTime, in.EndTime, in.ScanBy)
		if err != nil {
			return nil, err
		}
		if q.ReturnData == nil || *q.ReturnData {
			results = append(results, r)
		}
	}
	return page(results, aws.ToString(in.NextToken), limit)
}

// answer computes one query; newest first unless scan says otherwise.
func (s *Store) answer(q *types.MetricDataQuery, start, end *time.Time, scan types.ScanBy) (r types.MetricDataResult, err error) {
	id := *q.Id
	switch {
	case q.Expression != nil:
		return r, wire.Errorf("ValidationException", "query %s: expressions are not offered; ask for the metrics and compute with the answers", id)
	case q.AccountId != nil:
		return r, wire.Errorf("ValidationException", "query %s: AccountId is not offered", id)
	case q.MetricStat == nil || q.MetricStat.Metric == nil:
		return r, missing("query " + id + ": MetricStat with its Metric")
	}
	m, stat := q.MetricStat.Metric, aws.ToString(q.MetricStat.Stat)
	take, err := statisticOf(stat)
	if err != nil {
		return r, err
	}
	w, err := newWindow(start, end, q.MetricStat.Period)
	if err != nil {
		return r, err
	}
	points, err := s.points(m, q.MetricStat.Unit, w)
	if err != nil {
		return r, err
	}
	if scan != types.ScanByTimestampAscending {
		slices.Reverse(points)
	}
	r = types.MetricDataResult{Id: q.Id, Label: q.Label, StatusCode: types.StatusCodeComplete, Timestamps: []time.Time{}, Values: []float64{}}
	if r.Label == nil {
		r.Label = m.MetricName
	}
	for _, p := range points {
		if v, ok := take(&p.summary); ok {
			r.Timestamps, r.Values = append(r.Timestamps, p.at.UTC()), append(r.Values, v)
		}
	}
	return r, nil
}

func (s *Store) points(m *types.Metric, unit types.StandardUnit, w window) ([]point, error) {
	if aws.ToString(m.Namespace) == "" || aws.ToString(m.MetricName) == "" {
		return nil, missing("Namespace and MetricName of the Metric")
	}
	dims, err := dimensions("Metric", m.Dimensions)
	if err != nil {
		return nil, err
	}
	points, _, err := s.query(*m.Namespace, *m.MetricName, dims, unit, w)
	return points, err
}

// page cuts results, seen as one row of data points, to the limit points after
// those that the token counts.
func page(results []types.MetricDataResult, token string, limit int) (*cloudwatch.GetMetricDataOutput, error) {
	skip, err := offset(token)
	if err != nil {
		return nil, err
	}
	end := skip + limit
	out := &cloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{}}
	at := 0
	for _, r := range results {
		n := len(r.Values)
		from, to := min(max(skip-at, 0), n), min(max(end-at, 0), n)
		r.Timestamps, r.Values = r.Timestamps[from:to], r.Values[from:to]
		if to < n {
			r.StatusCode = types.StatusCodePartialData
		}
		out.MetricDataResults = append(out.MetricDataResults, r)
		at += n
	}
	if end < at {
		out.NextToken = aws.String(strconv.Itoa(end))
	}
	return out, nil
}

func offset(token string) (int, error) {
	if token == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(token)
	if err != nil || n < 0 {
		return 0, wire.Errorf("InvalidNextToken", "NextToken %q is not one of ours", token)
	}
	return n, nil
}

func (s *Store) getStatistics(_ context.Context, in *cloudwatch.GetMetricStatisticsInput) (*cloudwatch.GetMetricStatisticsOutput, error) {
	w, err := newWindow(in.StartTime, in.EndTime, in.Period)
	if err != nil {
		return nil, err
	}
	extended, err := extendedOf(in)
	if err != nil {
		return nil, err
	}
	if n := w.end.Sub(w.start) / w.period; n > maxStatistics {
		return nil, wire.Errorf("InvalidParameterCombinationException", "you have requested up to %d datapoints, which exceeds the limit of %d: ask for a shorter time or a longer Period", n, maxStatistics)
	}
	if aws.ToString(in.Namespace) == "" || aws.ToString(in.MetricName) == "" {
		return nil, missing("Namespace and MetricName")
	}
	dims, err := dimensions("request", in.Dimensions)
	if err != nil {
		return nil, err
	}
	points, unit, err := s.query(*in.Namespace, *in.MetricName, dims, in.Unit, w)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []types.Datapoint{}}
	for _, p := range points {
		d := datapoint(&p, in.Statistics, extended)
		d.Unit = unit
		out.Datapoints = append(out.Datapoints, d)
	}
	return out, nil
}

// extendedOf reads the percentiles of a request, which may ask for them or for
// plain statistics.
func extendedOf(in *cloudwatch.GetMetricStatisticsInput) (map[string]statistic, error) {
	if len(in.Statistics) > 0 == (len(in.ExtendedStatistics) > 0) {
		return nil, wire.Errorf("InvalidParameterCombinationException", "exactly one of Statistics and ExtendedStatistics must be given")
	}
	out := map[string]statistic{}
	for _, name := range in.ExtendedStatistics {
		var err error
		if out[name], err = statisticOf(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func datapoint(p *point, statistics []types.Statistic, extended map[string]statistic) types.Datapoint {
	d := types.Datapoint{Timestamp: aws.Time(p.at.UTC())}
	fields := map[types.Statistic]**float64{
		types.StatisticSampleCount: &d.SampleCount, types.StatisticSum: &d.Sum, types.StatisticAverage: &d.Average,
		types.StatisticMinimum: &d.Minimum, types.StatisticMaximum: &d.Maximum,
	}
	for _, name := range statistics {
		v, _ := simple[name](&p.summary)
		*fields[name] = &v
	}
	for name, take := range extended {
		if v, ok := take(&p.summary); ok {
			if d.ExtendedStatistics == nil {
				d.ExtendedStatistics = map[string]float64{}
			}
			d.ExtendedStatistics[name] = v
		}
	}
	return d
}
