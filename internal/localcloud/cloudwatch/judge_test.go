package cloudwatch

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// drawn reads periods of a minute from a drawing, the oldest first: X breaches, 0
// does not, - is missing.
func drawn(picture string) []sample {
	var out []sample
	for i, c := range strings.Split(picture, " ") {
		s := sample{at: noon.Add(time.Duration(i) * time.Minute), known: c != "-", count: 5}
		if c == "X" {
			s.value = 10
		}
		out = append([]sample{s}, out...)
	}
	return out
}

func watching(m, n int32, treat string) *types.MetricAlarm {
	x := &types.MetricAlarm{EvaluationPeriods: &n, Threshold: aws.Float64(5), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		TreatMissingData: &treat, Period: aws.Int32(60), Statistic: types.StatisticAverage}
	if m > 0 {
		x.DatapointsToAlarm = &m
	}
	return x
}

// The tables of "How alarm state is evaluated when data is missing" in the
// CloudWatch user guide, and the examples beside them.
func TestStatesWhenDataIsMissing(t *testing.T) {
	const (
		ok     = types.StateValueOk
		alarm  = types.StateValueAlarm
		none   = types.StateValueInsufficientData
		retain = types.StateValue("")
	)
	for _, x := range []struct {
		m                                      int32
		points                                 string
		missing, ignore, breaching, notBreachg types.StateValue
	}{
		{3, "0 - X - X", ok, ok, ok, ok},
		{3, "- - - - 0", ok, ok, ok, ok},
		{3, "- - - - -", none, retain, alarm, ok},
		{3, "0 X X - X", alarm, alarm, alarm, alarm},
		{3, "- - X - -", alarm, retain, alarm, ok},
		{3, "- - - - X", retain, retain, alarm, ok},
		{3, "- - - X -", retain, retain, alarm, ok},
		{2, "0 - X - X", alarm, alarm, alarm, alarm},
		{2, "0 0 X 0 X", alarm, alarm, alarm, alarm},
		{2, "0 - X - -", ok, ok, alarm, ok},
		{2, "- - - - 0", ok, ok, alarm, ok},
		{2, "- - - X -", alarm, retain, alarm, ok},
	} {
		got := map[string]types.StateValue{}
		for _, treat := range []string{"missing", "ignore", "breaching", "notBreaching"} {
			got[treat] = judge(watching(x.m, 3, treat), drawn(x.points)).state
		}
		require.Equal(t, map[string]types.StateValue{"missing": x.missing, "ignore": x.ignore, "breaching": x.breaching, "notBreaching": x.notBreachg},
			got, "%d of 3: %s", x.m, x.points)
	}
}

func TestReasons(t *testing.T) {
	for _, x := range []struct {
		m, n   int32
		treat  string
		points string
		want   string
	}{
		{0, 1, "missing", "- - X", "Threshold Crossed: 1 datapoint [10.0 (04/03/26 12:02:00)] was greater than the threshold (5.0)."},
		{0, 1, "missing", "- - 0", "Threshold Crossed: 1 datapoint [0.0 (04/03/26 12:02:00)] was not greater than the threshold (5.0)."},
		{1, 1, "missing", "- - X", "Threshold Crossed: 1 out of the last 1 datapoints [10.0 (04/03/26 12:02:00)] was greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition)."},
		{2, 3, "missing", "X 0 X", "Threshold Crossed: 2 out of the last 3 datapoints [10.0 (04/03/26 12:02:00), 10.0 (04/03/26 12:00:00)] were greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition)."},
		{2, 3, "missing", "0 0 X", "Threshold Crossed: 2 out of the last 3 datapoints [0.0 (04/03/26 12:01:00), 0.0 (04/03/26 12:00:00)] were not greater than the threshold (5.0) (minimum 2 datapoints for ALARM -> OK transition)."},
		{0, 1, "missing", "- - -", "Insufficient Data: 1 datapoint was unknown."},
		{0, 5, "missing", "- - - - - - -", "Insufficient Data: 5 datapoints were unknown."},
		{0, 1, "notBreaching", "- - -", "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]."},
		{0, 3, "breaching", "- - - - -", "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching]."},
		{2, 3, "breaching", "- - - - 0", "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as [Breaching]."},
	} {
		a := watching(x.m, x.n, x.treat)
		require.Equal(t, x.want, judge(a, drawn(x.points)).reason(a))
	}
}

func TestReasonData(t *testing.T) {
	a := watching(0, 3, "breaching")
	a.Unit = types.StandardUnitCount
	samples := drawn("- - - X X")
	got := judge(a, samples).data(a, samples, noon.Add(5*time.Minute))
	require.Equal(t, `{"version":"1.0","queryDate":"2026-03-04T12:05:00.000+0000","startDate":"2026-03-04T12:03:00.000+0000","unit":"Count",`+
		`"statistic":"Average","period":60,"recentDatapoints":[10.0,10.0],"threshold":5.0,"evaluatedDatapoints":[`+
		`{"timestamp":"2026-03-04T12:04:00.000+0000","sampleCount":5.0,"value":10.0},`+
		`{"timestamp":"2026-03-04T12:03:00.000+0000","sampleCount":5.0,"value":10.0},{"timestamp":"2026-03-04T12:02:00.000+0000"}]}`, got)
}

func TestDecimals(t *testing.T) {
	for want, f := range map[string]float64{"0.0": 0, "5.0": 5, "-0.25": -0.25, "1.0E7": 1e7, "1.25E-5": 0.0000125, "9999999.5": 9999999.5} {
		require.Equal(t, want, decimal(f).String())
		text, err := json.Marshal(decimal(f))
		require.NoError(t, err)
		var back float64
		require.NoError(t, json.Unmarshal(text, &back))
		require.InDelta(t, f, back, 0)
	}
}

// A percentile of few values is not judged if the alarm says so: p99 needs 1000.
func TestFewSamples(t *testing.T) {
	a := watching(0, 1, "missing")
	a.Statistic, a.ExtendedStatistic, a.EvaluateLowSampleCountPercentile = "", aws.String("p99"), aws.String("ignore")
	few, many := drawn("X"), drawn("X")
	many[0].count = 1001
	require.Empty(t, judge(a, few).state)
	require.Equal(t, types.StateValueAlarm, judge(a, many).state)
	a.EvaluateLowSampleCountPercentile = aws.String("evaluate")
	require.Equal(t, types.StateValueAlarm, judge(a, few).state)
}
