package cloudwatch_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awscw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/cloudwatch"
	"steward/internal/localcloud/wire"
)

// cloud is a store behind HTTP that can be stopped and opened again.
type cloud struct {
	*testing.T
	dir    string
	store  *cloudwatch.Store
	server *httptest.Server
	*awscw.Client
}

func start(t *testing.T) *cloud {
	c := &cloud{T: t, dir: t.TempDir()}
	c.open()
	t.Cleanup(c.shut)
	return c
}

func (c *cloud) open() {
	store, err := cloudwatch.Open(c.dir, slog.New(slog.DiscardHandler))
	require.NoError(c, err)
	c.store = store
	c.server = httptest.NewServer(wire.NewRouter(wire.Verifier{AccessKey: "key", SecretKey: "secret"},
		wire.CBOR("monitoring", "GraniteServiceVersion20100801", store.Operations())))
	c.Client = awscw.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(c.server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
}

func (c *cloud) shut() {
	c.server.Close()
	require.NoError(c, c.store.Close())
}

func (c *cloud) put(data ...types.MetricDatum) {
	_, err := c.PutMetricData(c.Context(), &awscw.PutMetricDataInput{Namespace: aws.String("Test"), MetricData: data})
	require.NoError(c, err)
}

// ask gives the values of one statistic, the oldest first.
func (c *cloud) ask(m types.Metric, stat string, period int32, from, to time.Time) ([]time.Time, []float64) {
	out, err := c.GetMetricData(c.Context(), &awscw.GetMetricDataInput{StartTime: &from, EndTime: &to, ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("q"), MetricStat: &types.MetricStat{Metric: &m, Period: &period, Stat: &stat}}}})
	require.NoError(c, err)
	require.Len(c, out.MetricDataResults, 1)
	return out.MetricDataResults[0].Timestamps, out.MetricDataResults[0].Values
}

func metric(namespace, name string, dims ...string) types.Metric {
	m := types.Metric{Namespace: &namespace, MetricName: &name}
	for i := 0; i < len(dims); i += 2 {
		m.Dimensions = append(m.Dimensions, types.Dimension{Name: &dims[i], Value: &dims[i+1]})
	}
	return m
}

var variant = []string{"EndpointName", "flight", "VariantName", "champion"}

func recorded() map[string]string {
	return map[string]string{"EndpointName": "flight", "VariantName": "champion"}
}

func TestStatisticsOfRecordedValuesSurviveARestart(t *testing.T) {
	c := start(t)
	at := time.Now().Add(-10 * time.Minute).Truncate(time.Minute)
	for i, v := range []float64{0, 0, 1, 0} {
		c.store.Record("AWS/SageMaker", "Invocation5XXErrors", recorded(), v, at.Add(time.Duration(i)*30*time.Second))
	}
	c.shut()
	c.open()
	c.store.Record("AWS/SageMaker", "Invocation5XXErrors", recorded(), 1, at.Add(90*time.Second))

	m := metric("AWS/SageMaker", "Invocation5XXErrors", variant...)
	for _, x := range []struct {
		stat   string
		period int32
		want   []float64
	}{
		{"SampleCount", 60, []float64{2, 3}},
		{"Sum", 60, []float64{0, 2}},
		{"Average", 120, []float64{0.4}},
		{"Minimum", 120, []float64{0}},
		{"Maximum", 60, []float64{0, 1}},
		{"Sum", 30, []float64{0, 0, 1, 1}},
		{"p50", 120, []float64{0}},
		{"p100", 120, []float64{1}},
	} {
		times, got := c.ask(m, x.stat, x.period, at, at.Add(2*time.Minute))
		require.Equal(t, x.want, got, x.stat)
		require.Equal(t, at.UTC(), times[0].UTC(), x.stat)
	}
	_, half := c.ask(m, "Sum", 30, at, at.Add(60*time.Second))
	require.Equal(t, []float64{0, 0}, half, "the end is not part of the window")
}

func TestPercentilesAreWithinTheStatedAccuracy(t *testing.T) {
	c := start(t)
	at := time.Now().Add(-time.Minute)
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a fixed seed
	values := make([]float64, 20_000)
	for i := range values {
		values[i] = 1e4 * (1 + rng.ExpFloat64()*float64(i%7))
		c.store.Record("AWS/SageMaker", "ModelLatency", recorded(), values[i], at.Add(time.Duration(i)*time.Millisecond))
	}
	slices.Sort(values)
	for _, p := range []float64{1, 50, 90, 99, 99.9} {
		stat := fmt.Sprintf("p%v", p)
		_, got := c.ask(metric("AWS/SageMaker", "ModelLatency", variant...), stat, 3600, at.Add(-time.Hour).Truncate(time.Hour), at.Add(2*time.Hour).Truncate(time.Hour))
		require.NotEmpty(t, got)
		if len(got) == 1 { // unless the hour struck in between
			want := values[int(p/100*float64(len(values)-1))]
			require.InEpsilon(t, want, got[0], cloudwatch.Accuracy, stat)
		}
	}
}

func TestPutAndGetStatistics(t *testing.T) {
	c := start(t)
	at := time.Now().Add(-5 * time.Minute).Truncate(time.Minute)
	dims := metric("", "", "Route", "a").Dimensions
	c.put(
		types.MetricDatum{MetricName: aws.String("m"), Dimensions: dims, Timestamp: &at, Unit: types.StandardUnitSeconds, Values: []float64{1, 2}, Counts: []float64{3, 1}, StorageResolution: aws.Int32(1)},
		types.MetricDatum{MetricName: aws.String("m"), Dimensions: dims, Timestamp: &at, Unit: types.StandardUnitSeconds, Value: aws.Float64(-10)},
		types.MetricDatum{MetricName: aws.String("set"), Timestamp: &at, StatisticValues: &types.StatisticSet{SampleCount: aws.Float64(10), Sum: aws.Float64(55), Minimum: aws.Float64(1), Maximum: aws.Float64(10)}},
	)
	get := func(name string, d []types.Dimension, stats []types.Statistic, extended ...string) []types.Datapoint {
		out, err := c.GetMetricStatistics(t.Context(), &awscw.GetMetricStatisticsInput{Namespace: aws.String("Test"), MetricName: &name, Dimensions: d,
			StartTime: &at, EndTime: aws.Time(at.Add(time.Minute)), Period: aws.Int32(60), Statistics: stats, ExtendedStatistics: extended})
		require.NoError(t, err)
		return out.Datapoints
	}
	all := types.Statistic("").Values()
	total := get("m", dims, all)
	require.Len(t, total, 1)
	require.True(t, at.Equal(*total[0].Timestamp))
	require.Equal(t, []types.Datapoint{{Timestamp: total[0].Timestamp, Unit: types.StandardUnitSeconds, SampleCount: aws.Float64(5), Sum: aws.Float64(-5), Average: aws.Float64(-1), Minimum: aws.Float64(-10), Maximum: aws.Float64(2)}}, total)
	p := get("m", dims, nil, "p0", "p50", "p99.99")[0].ExtendedStatistics
	require.InEpsilon(t, -10, p["p0"], cloudwatch.Accuracy)
	require.InEpsilon(t, 1, p["p50"], cloudwatch.Accuracy)
	require.Empty(t, get("m", nil, all), "dimensions match exactly")
	require.Empty(t, get("m", append(dims, metric("", "", "b", "c").Dimensions...), all), "dimensions match exactly")
	require.InEpsilon(t, 5.5, *get("set", nil, all)[0].Average, 1e-12)
	require.Empty(t, get("set", nil, nil, "p50")[0].ExtendedStatistics, "a set does not tell its percentiles")
	require.Empty(t, get("nothing", nil, all))
}

func TestPagesOfData(t *testing.T) {
	c := start(t)
	at := time.Now().Add(-10 * time.Minute).Truncate(time.Minute)
	for i := range 6 {
		for _, name := range []string{"a", "b"} {
			c.put(types.MetricDatum{MetricName: &name, Timestamp: aws.Time(at.Add(time.Duration(i) * time.Minute)), Value: aws.Float64(float64(i))})
		}
	}
	query := func(name string) types.MetricDataQuery {
		m := metric("Test", name)
		return types.MetricDataQuery{Id: &name, MetricStat: &types.MetricStat{Metric: &m, Period: aws.Int32(60), Stat: aws.String("Sum")}}
	}
	pages := awscw.NewGetMetricDataPaginator(c, &awscw.GetMetricDataInput{StartTime: &at, EndTime: aws.Time(at.Add(time.Hour)), MaxDatapoints: aws.Int32(5), MetricDataQueries: []types.MetricDataQuery{query("a"), query("b")}})
	got := map[string][]float64{}
	count := 0
	for pages.HasMorePages() {
		p, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, r := range p.MetricDataResults {
			got[*r.Id] = append(got[*r.Id], r.Values...)
		}
		count++
	}
	require.Equal(t, 3, count)
	require.Equal(t, map[string][]float64{"a": {5, 4, 3, 2, 1, 0}, "b": {5, 4, 3, 2, 1, 0}}, got)
}

func TestListMetrics(t *testing.T) {
	c := start(t)
	for i := range 501 {
		c.store.Record("Many", fmt.Sprintf("m%03d", i), map[string]string{"n": fmt.Sprint(i % 2)}, 1, time.Now())
	}
	c.store.Record("Other", "x", nil, 1, time.Now())
	var names []string
	pages := awscw.NewListMetricsPaginator(c, &awscw.ListMetricsInput{Namespace: aws.String("Many")})
	for pages.HasMorePages() {
		p, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, m := range p.Metrics {
			names = append(names, *m.MetricName)
		}
	}
	require.Len(t, names, 501)
	require.True(t, slices.IsSorted(names))
	odd, err := c.ListMetrics(t.Context(), &awscw.ListMetricsInput{Dimensions: []types.DimensionFilter{{Name: aws.String("n"), Value: aws.String("1")}}})
	require.NoError(t, err)
	require.Len(t, odd.Metrics, 250)
}

func TestRefusals(t *testing.T) {
	c := start(t)
	now := time.Now()
	put := func(namespace string, d types.MetricDatum) error {
		_, err := c.PutMetricData(t.Context(), &awscw.PutMetricDataInput{Namespace: &namespace, MetricData: []types.MetricDatum{d}})
		return err
	}
	get := func(q types.MetricDataQuery) error {
		_, err := c.GetMetricData(t.Context(), &awscw.GetMetricDataInput{StartTime: aws.Time(now.Add(-time.Hour)), EndTime: &now, MetricDataQueries: []types.MetricDataQuery{q}})
		return err
	}
	stat := func(period int32, name string) types.MetricDataQuery {
		m := metric("Test", "m")
		return types.MetricDataQuery{Id: aws.String("q"), MetricStat: &types.MetricStat{Metric: &m, Period: &period, Stat: &name}}
	}
	one := aws.Float64(1)
	require.NoError(t, put("Test", types.MetricDatum{MetricName: aws.String("two"), Value: one, Unit: types.StandardUnitCount}))
	require.NoError(t, put("Test", types.MetricDatum{MetricName: aws.String("two"), Value: one, Unit: types.StandardUnitBytes}))
	two := stat(60, "Sum")
	two.MetricStat.Metric.MetricName = aws.String("two")

	for name, x := range map[string]struct {
		err  error
		says string
	}{
		"reserved namespace": {put("AWS/Mine", types.MetricDatum{MetricName: aws.String("m"), Value: one}), `Namespace "AWS/Mine"`},
		"no value":           {put("Test", types.MetricDatum{MetricName: aws.String("m")}), "MetricData[0] must have exactly one of"},
		"too old":            {put("Test", types.MetricDatum{MetricName: aws.String("m"), Value: one, Timestamp: aws.Time(now.AddDate(0, -1, 0))}), "MetricData[0].Timestamp"},
		"counts":             {put("Test", types.MetricDatum{MetricName: aws.String("m"), Values: []float64{1, 2}, Counts: []float64{1}}), "2 Values and 1 Counts"},
		"resolution":         {put("Test", types.MetricDatum{MetricName: aws.String("m"), Value: one, StorageResolution: aws.Int32(5)}), "StorageResolution is 5"},
		"unit":               {put("Test", types.MetricDatum{MetricName: aws.String("m"), Value: one, Unit: "Furlong"}), "'metricData.1.member.unit'"},
		"expression":         {get(types.MetricDataQuery{Id: aws.String("e"), Expression: aws.String("m1/m2")}), "query e: expressions are not offered"},
		"period":             {get(stat(45, "Sum")), "Period 45"},
		"statistic":          {get(stat(60, "tm90")), `Stat "tm90"`},
		"percentile":         {get(stat(60, "p101")), `Stat "p101"`},
		"control":            {put("Test", types.MetricDatum{MetricName: aws.String("m"), Value: one, Dimensions: metric("", "", "a", "b\x00c").Dimensions}), "MetricData[0].Dimensions[0]"},
		"two units":          {get(two), "name one Unit"},
	} {
		require.ErrorContains(t, x.err, x.says, name)
	}
	var typed *types.InvalidParameterValueException
	require.True(t, errors.As(get(stat(45, "Sum")), &typed))
	_, err := c.DescribeAlarms(t.Context(), &awscw.DescribeAlarmsInput{})
	require.ErrorContains(t, err, "UnknownOperationException: GraniteServiceVersion20100801: operation DescribeAlarms")
}

func TestSecondOpenIsRefused(t *testing.T) {
	c := start(t)
	_, err := cloudwatch.Open(c.dir, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, c.dir)
	require.ErrorContains(t, err, "stop that process or use another directory")
}
