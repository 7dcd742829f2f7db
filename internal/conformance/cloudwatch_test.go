package conformance

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"
)

var metricCases = []kase{
	{name: "metric statistics", covers: "PutMetricData GetMetricStatistics", run: metricStatistics},
	{name: "metric data", covers: "PutMetricData GetMetricData", run: metricData},
	{name: "metrics are listed", covers: "PutMetricData ListMetrics", run: metricsListed},
	{name: "metric data is checked", covers: "PutMetricData", run: badMetrics},
	{name: "queries are checked", covers: "GetMetricData GetMetricStatistics ListMetrics", run: badQueries},
}

// minute is a full one that lies back far enough for all data to be in it.
func minute() time.Time { return time.Now().Add(-10 * time.Minute).Truncate(time.Minute) }

func (c *cloud) measure(namespace *string, data ...types.MetricDatum) {
	c.Helper()
	_, err := c.metrics.PutMetricData(c.Context(), &cloudwatch.PutMetricDataInput{Namespace: namespace, MetricData: data})
	require.NoError(c, err)
}

func metricStatistics(c *cloud) {
	namespace, name, from := c.name(), aws.String("latency"), minute()
	dimensions := []types.Dimension{{Name: aws.String("Host"), Value: aws.String("a")}}
	datum := types.MetricDatum{MetricName: name, Dimensions: dimensions, Unit: types.StandardUnitMilliseconds, Timestamp: &from}
	one, many, set := datum, datum, datum
	one.Value = aws.Float64(10)
	many.Values, many.Counts = []float64{20, 30}, []float64{2, 1}
	set.StatisticValues = &types.StatisticSet{SampleCount: aws.Float64(2), Sum: aws.Float64(12), Minimum: aws.Float64(4), Maximum: aws.Float64(8)}
	c.measure(namespace, one, many, set)
	in := &cloudwatch.GetMetricStatisticsInput{Namespace: namespace, MetricName: name, Dimensions: dimensions, StartTime: &from, EndTime: aws.Time(from.Add(time.Minute)), Period: aws.Int32(60),
		Statistics: []types.Statistic{types.StatisticSum, types.StatisticAverage, types.StatisticSampleCount, types.StatisticMinimum, types.StatisticMaximum}}
	var out *cloudwatch.GetMetricStatisticsOutput
	c.eventually("metric data arrives", func() bool {
		var err error
		out, err = c.metrics.GetMetricStatistics(c.Context(), in)
		require.NoError(c, err)
		return len(out.Datapoints) == 1 && *out.Datapoints[0].SampleCount == 6
	})
	p := out.Datapoints[0]
	require.Equal(c, []float64{92, 4, 30}, []float64{*p.Sum, *p.Minimum, *p.Maximum})
	require.InDelta(c, 92.0/6, *p.Average, 1e-9)
	require.True(c, p.Timestamp.Equal(from))
	require.Equal(c, types.StandardUnitMilliseconds, p.Unit)
	require.Equal(c, "latency", *out.Label)
	in.Dimensions = nil
	out, err := c.metrics.GetMetricStatistics(c.Context(), in)
	require.NoError(c, err)
	require.Empty(c, out.Datapoints, "dimensions are part of a metric's name")
}

func metricData(c *cloud) {
	namespace, from := c.name(), minute().Add(-5*time.Minute)
	for i := range 3 {
		c.measure(namespace, types.MetricDatum{MetricName: aws.String("m"), Value: aws.Float64(float64(i + 1)), Timestamp: aws.Time(from.Add(time.Duration(i) * time.Minute))})
	}
	query := func(id, stat string) types.MetricDataQuery {
		return types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{Stat: &stat, Period: aws.Int32(60), Metric: &types.Metric{Namespace: namespace, MetricName: aws.String("m")}}}
	}
	in := &cloudwatch.GetMetricDataInput{StartTime: &from, EndTime: aws.Time(from.Add(3 * time.Minute)), MetricDataQueries: []types.MetricDataQuery{query("sum", "Sum"), query("p50", "p50")}}
	var out *cloudwatch.GetMetricDataOutput
	c.eventually("metric data arrives", func() bool {
		var err error
		out, err = c.metrics.GetMetricData(c.Context(), in)
		require.NoError(c, err)
		return len(out.MetricDataResults) == 2 && len(out.MetricDataResults[0].Values) == 3
	})
	for i, id := range []string{"sum", "p50"} {
		r := out.MetricDataResults[i]
		require.Equal(c, id, *r.Id)
		require.Equal(c, types.StatusCodeComplete, r.StatusCode)
		require.InDeltaSlice(c, []float64{3, 2, 1}, r.Values, 0.01, "newest first")
		require.True(c, r.Timestamps[2].Equal(from))
	}
	in.ScanBy, in.MetricDataQueries = types.ScanByTimestampAscending, in.MetricDataQueries[:1]
	in.MaxDatapoints = aws.Int32(2)
	var values []float64
	pages := cloudwatch.NewGetMetricDataPaginator(c.metrics, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.Context())
		require.NoError(c, err)
		for _, r := range page.MetricDataResults {
			values = append(values, r.Values...)
		}
	}
	require.Equal(c, []float64{1, 2, 3}, values)
	in.MetricDataQueries[0].MetricStat.Metric.MetricName = aws.String("nowhere")
	out, err := c.metrics.GetMetricData(c.Context(), in)
	require.NoError(c, err)
	require.Empty(c, out.MetricDataResults[0].Values, "no data is no error")
}

func metricsListed(c *cloud) {
	namespace := c.name()
	for _, host := range []string{"a", "b"} {
		c.measure(namespace, types.MetricDatum{MetricName: aws.String("m"), Value: aws.Float64(1), Dimensions: []types.Dimension{{Name: aws.String("Host"), Value: &host}}})
	}
	count := func(in *cloudwatch.ListMetricsInput) int {
		in.Namespace = namespace
		out, err := c.metrics.ListMetrics(c.Context(), in)
		require.NoError(c, err)
		return len(out.Metrics)
	}
	c.eventually("metrics are listed", func() bool { return count(&cloudwatch.ListMetricsInput{}) == 2 })
	require.Equal(c, 2, count(&cloudwatch.ListMetricsInput{MetricName: aws.String("m"), Dimensions: []types.DimensionFilter{{Name: aws.String("Host")}}}))
	require.Equal(c, 1, count(&cloudwatch.ListMetricsInput{Dimensions: []types.DimensionFilter{{Name: aws.String("Host"), Value: aws.String("a")}}}))
	require.Equal(c, 0, count(&cloudwatch.ListMetricsInput{MetricName: aws.String("nowhere")}))
}

func badMetrics(c *cloud) {
	namespace := c.name()
	for name, tt := range map[string]struct {
		change func(*cloudwatch.PutMetricDataInput)
		code   string
	}{
		"reserved namespace": {func(in *cloudwatch.PutMetricDataInput) { in.Namespace = aws.String("AWS/SageMaker") }, "InvalidParameterValue"},
		"not a number":       {func(in *cloudwatch.PutMetricDataInput) { in.MetricData[0].Value = aws.Float64(math.NaN()) }, "InvalidParameterValue"},
		"two forms of value": {func(in *cloudwatch.PutMetricDataInput) { in.MetricData[0].Values = []float64{1} }, "InvalidParameterCombination"},
		"long ago": {func(in *cloudwatch.PutMetricDataInput) {
			in.MetricData[0].Timestamp = aws.Time(time.Now().AddDate(0, 0, -15))
		}, "InvalidParameterValue"},
		"far ahead": {func(in *cloudwatch.PutMetricDataInput) {
			in.MetricData[0].Timestamp = aws.Time(time.Now().Add(3 * time.Hour))
		}, "InvalidParameterValue"},
		"empty dimension": {func(in *cloudwatch.PutMetricDataInput) {
			in.MetricData[0].Dimensions = []types.Dimension{{Name: aws.String("a"), Value: aws.String("")}}
		}, "InvalidParameterValue"},
		"resolution": {func(in *cloudwatch.PutMetricDataInput) { in.MetricData[0].StorageResolution = aws.Int32(7) }, "InvalidParameterValue"},
		"too many":   {func(in *cloudwatch.PutMetricDataInput) { in.MetricData = slices.Repeat(in.MetricData, 1001) }, "InvalidParameterValue"},
		"too many dimensions": {func(in *cloudwatch.PutMetricDataInput) {
			for i := range 31 {
				in.MetricData[0].Dimensions = append(in.MetricData[0].Dimensions, types.Dimension{Name: aws.String(fmt.Sprint(i)), Value: aws.String("v")})
			}
		}, "InvalidParameterValue"},
	} {
		in := &cloudwatch.PutMetricDataInput{Namespace: namespace, MetricData: []types.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1)}}}
		tt.change(in)
		_, err := c.metrics.PutMetricData(c.Context(), in)
		require.Error(c, err, name)
		c.refused(err, tt.code, "")
		require.Equal(c, 400, status(err), name)
	}
}

func badQueries(c *cloud) {
	ctx, namespace, now := c.Context(), c.name(), time.Now()
	stat := func(period int32, stat string) []types.MetricDataQuery {
		return []types.MetricDataQuery{{Id: aws.String("q"), MetricStat: &types.MetricStat{Stat: &stat, Period: &period, Metric: &types.Metric{Namespace: namespace, MetricName: aws.String("m")}}}}
	}
	for name, queries := range map[string][]types.MetricDataQuery{
		"period": stat(7, "Sum"), "statistic": stat(60, "Median"), "id twice": append(stat(60, "Sum"), stat(60, "Sum")...),
	} {
		_, err := c.metrics.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{StartTime: aws.Time(now.Add(-time.Hour)), EndTime: &now, MetricDataQueries: queries})
		require.Error(c, err, name)
		require.Equal(c, 400, status(err), name)
	}
	in := &cloudwatch.GetMetricStatisticsInput{Namespace: namespace, MetricName: aws.String("m"), StartTime: aws.Time(now.Add(-48 * time.Hour)), EndTime: &now, Period: aws.Int32(60), Statistics: []types.Statistic{types.StatisticSum}}
	_, err := c.metrics.GetMetricStatistics(ctx, in)
	c.refused(err, "InvalidParameterCombination", "")
	require.ErrorContains(c, err, "1440")
	in.StartTime, in.EndTime = in.EndTime, in.StartTime
	_, err = c.metrics.GetMetricStatistics(ctx, in)
	require.Equal(c, 400, status(err))
	_, err = c.metrics.ListMetrics(ctx, &cloudwatch.ListMetricsInput{NextToken: aws.String("none of yours")})
	require.Equal(c, 400, status(err))
}
