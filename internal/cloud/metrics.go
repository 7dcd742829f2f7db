package cloud

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Metrics reads what CloudWatch knows of endpoints.
type Metrics struct{ client *cloudwatch.Client }

// NewMetrics returns Metrics over a CloudWatch client.
func NewMetrics(client *cloudwatch.Client) *Metrics { return &Metrics{client} }

// Served is how a variant served between two instants. Latency, in seconds by
// percentile ("p99"), has only those that there is data for.
type Served struct {
	Requests int64
	Errors   int64 // answered with 5xx; no data is none, since CloudWatch gets no zeros
	Latency  map[string]float64
}

// Metrics of a variant, as SageMaker publishes them.
const (
	namespace   = "AWS/SageMaker"
	invocations = "Invocations"
	faults      = "Invocation5XXErrors"
	latency     = "ModelLatency" // microseconds
)

// Variant measures a variant between two instants, widened to whole periods: a
// minute on AWS, less only for spans under a minute. If the span takes several
// periods, a percentile is the mean of theirs, weighted by requests.
func (m *Metrics) Variant(ctx context.Context, endpoint, variant string, from, to time.Time, percentiles []string) (Served, error) {
	q := query{
		dimensions: []types.Dimension{
			{Name: aws.String("EndpointName"), Value: &endpoint}, {Name: aws.String("VariantName"), Value: &variant},
		},
		seconds: period(to.Sub(from)),
	}
	q.add("requests", invocations, "Sum")
	q.add("errors", faults, "Sum")
	q.add("samples", latency, "SampleCount")
	for _, p := range percentiles {
		q.add(p, latency, p)
	}
	series, err := m.read(ctx, q, from, to)
	if err != nil {
		return Served{}, translate(err, "metrics of endpoint %s, variant %s", endpoint, variant)
	}
	served := Served{Requests: int64(series["requests"].sum()), Errors: int64(series["errors"].sum()), Latency: map[string]float64{}}
	for _, p := range percentiles {
		if v, ok := series[p].mean(series["samples"]); ok {
			served.Latency[p] = v / 1e6
		}
	}
	return served, nil
}

// period is the shortest period, in seconds, that CloudWatch knows and that
// covers the span.
func period(span time.Duration) int32 {
	for _, s := range []int32{1, 5, 10, 30} {
		if span <= time.Duration(s)*time.Second {
			return s
		}
	}
	minutes := (span + time.Minute - 1) / time.Minute
	return int32(minutes) * 60
}

// query asks for several statistics of one variant at once.
type query struct {
	dimensions []types.Dimension
	seconds    int32
	queries    []types.MetricDataQuery
}

func (q *query) add(id, metric, stat string) {
	q.queries = append(q.queries, types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: aws.String(namespace), MetricName: &metric, Dimensions: q.dimensions},
		Period: aws.Int32(q.seconds), Stat: &stat,
	}})
}

// series are values by the Unix second at which their period began.
type series map[int64]float64

func (s series) sum() (total float64) {
	for _, v := range s {
		total += v
	}
	return total
}

// mean weighs the values by those of another series at the same times; false
// when there is nothing to weigh.
func (s series) mean(weights series) (float64, bool) {
	var total, weight float64
	for at, v := range s {
		total += v * weights[at]
		weight += weights[at]
	}
	return total / max(weight, 1), weight > 0
}

func (m *Metrics) read(ctx context.Context, q query, from, to time.Time) (map[string]series, error) {
	length := time.Duration(q.seconds) * time.Second
	from = from.Truncate(min(length, time.Minute))
	if end := to.Truncate(min(length, time.Minute)); end.Before(to) {
		to = end.Add(min(length, time.Minute))
	}
	out := map[string]series{}
	pages := cloudwatch.NewGetMetricDataPaginator(m.client, &cloudwatch.GetMetricDataInput{
		MetricDataQueries: q.queries, StartTime: &from, EndTime: &to,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.MetricDataResults {
			if slices.Contains([]types.StatusCode{types.StatusCodeInternalError, types.StatusCodeForbidden}, r.StatusCode) {
				return nil, fmt.Errorf("metric %s: %s", aws.ToString(r.Id), r.StatusCode)
			}
			s := out[aws.ToString(r.Id)]
			if s == nil {
				s = series{}
				out[aws.ToString(r.Id)] = s
			}
			for i, at := range r.Timestamps {
				s[at.Unix()] += r.Values[i]
			}
		}
	}
	return out, nil
}
