package cloudwatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awscw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/cloudwatch"
	"steward/internal/localcloud/wire"
)

const (
	topic    = "arn:aws:sns:eu-west-1:000000000000:ops"
	patience = 10 * time.Second
)

// published is what a topic got.
type published struct{ topic, subject, message string }

// topics takes messages; refuse, if set, is its answer to every message.
type topics struct {
	got    chan published
	refuse error
}

func (s *topics) Publish(_ context.Context, topic, subject, message string) error {
	if s.refuse != nil {
		return s.refuse
	}
	s.got <- published{topic, subject, message}
	return nil
}

// watched is a cloud with alarms whose clock the test moves.
type watched struct {
	*testing.T
	dir    string
	topics *topics
	store  *cloudwatch.Store
	alarms *cloudwatch.Alarms
	server *httptest.Server
	*awscw.Client

	mu  sync.Mutex
	now time.Time
}

func watch(t *testing.T) *watched {
	w := &watched{T: t, dir: t.TempDir(), topics: &topics{got: make(chan published, 10)}, now: time.Now().Truncate(time.Minute)}
	w.open()
	t.Cleanup(w.shut)
	return w
}

func (w *watched) open() {
	var err error
	w.store, err = cloudwatch.Open(w.dir, slog.New(slog.DiscardHandler))
	require.NoError(w, err)
	w.alarms, err = cloudwatch.NewAlarms(w.store, cloudwatch.AlarmsConfig{Region: "eu-west-1", Account: "000000000000", Topics: w.topics,
		Now: w.clock, Tick: 5 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	require.NoError(w, err)
	ops := w.store.Operations()
	maps.Copy(ops, w.alarms.Operations())
	w.server = httptest.NewServer(wire.NewRouter(wire.Verifier{AccessKey: "key", SecretKey: "secret"},
		wire.CBOR("monitoring", "GraniteServiceVersion20100801", ops)))
	w.Client = awscw.NewFromConfig(aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(w.server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
}

func (w *watched) shut() {
	w.server.Close()
	require.NoError(w, w.alarms.Close())
	require.NoError(w, w.store.Close())
}

func (w *watched) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *watched) move(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// latency is an alarm on the 99th percentile that two of three minutes must cross.
func latency(edit ...func(*awscw.PutMetricAlarmInput)) *awscw.PutMetricAlarmInput {
	in := &awscw.PutMetricAlarmInput{AlarmName: aws.String("latency"), Namespace: aws.String("AWS/SageMaker"), MetricName: aws.String("ModelLatency"),
		Dimensions: []types.Dimension{{Name: aws.String("EndpointName"), Value: aws.String("flight")}, {Name: aws.String("VariantName"), Value: aws.String("champion")}},
		Period:     aws.Int32(60), EvaluationPeriods: aws.Int32(3), DatapointsToAlarm: aws.Int32(2), Threshold: aws.Float64(500),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, ExtendedStatistic: aws.String("p99"),
		AlarmActions: []string{topic}, OKActions: []string{topic}}
	for _, e := range edit {
		e(in)
	}
	return in
}

func (w *watched) put(in *awscw.PutMetricAlarmInput) {
	_, err := w.PutMetricAlarm(w.Context(), in)
	require.NoError(w, err)
}

// minute records latencies in the present minute and lets it end.
func (w *watched) minute(values ...float64) {
	for _, v := range values {
		w.store.Record("AWS/SageMaker", "ModelLatency", recorded(), v, w.clock())
	}
	w.move(time.Minute)
}

func (w *watched) alarm(name string) types.MetricAlarm {
	out, err := w.DescribeAlarms(w.Context(), &awscw.DescribeAlarmsInput{AlarmNames: []string{name}})
	require.NoError(w, err)
	require.Len(w, out.MetricAlarms, 1)
	return out.MetricAlarms[0]
}

func (w *watched) await(name string, want types.StateValue) {
	require.Eventually(w, func() bool { s, ok := w.alarms.AlarmState(name); return ok && s == want }, patience, 2*time.Millisecond, "%s is not %s", name, want)
}

func TestAlarmChangesItsStateAndSaysSo(t *testing.T) {
	w := watch(t)
	w.put(latency())
	require.Equal(t, "Unchecked: Initial alarm creation", *w.alarm("latency").StateReason)
	require.Equal(t, "arn:aws:cloudwatch:eu-west-1:000000000000:alarm:latency", *w.alarm("latency").AlarmArn)
	w.minute(100)
	w.await("latency", types.StateValueOk)
	first := <-w.topics.got
	require.Equal(t, `OK: "latency" in EU (Ireland)`, first.subject)

	w.minute(700, 700)
	w.minute(100)
	w.minute(900)
	w.await("latency", types.StateValueAlarm)
	x := w.alarm("latency")
	require.Regexp(t, `^Threshold Crossed: 2 out of the last 3 datapoints \[9\d\d\.\d+ \(.{17}\), 7\d\d\.\d+ \(.{17}\)\] were greater than the threshold \(500\.0\) \(minimum 2 datapoints for OK -> ALARM transition\)\.$`, *x.StateReason)
	var data struct {
		Statistic string    `json:"statistic"`
		Recent    []float64 `json:"recentDatapoints"`
	}
	require.NoError(t, json.Unmarshal([]byte(*x.StateReasonData), &data))
	require.Equal(t, "p99", data.Statistic)
	require.Len(t, data.Recent, 3)
	require.InEpsilon(t, 900, data.Recent[2], cloudwatch.Accuracy)

	got := <-w.topics.got
	require.Equal(t, `ALARM: "latency" in EU (Ireland)`, got.subject)
	require.Equal(t, topic, got.topic)
	var message map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.message), &message))
	require.Equal(t, x.StateUpdatedTimestamp.UTC().Format("2006-01-02T15:04:05.000")+"+0000", message["StateChangeTime"])
	require.Equal(t, []any{"latency", nil, "000000000000", "ALARM", "OK", *x.StateReason, "EU (Ireland)", []any{topic}, []any{}},
		[]any{message["AlarmName"], message["AlarmDescription"], message["AWSAccountId"], message["NewStateValue"], message["OldStateValue"],
			message["NewStateReason"], message["Region"], message["AlarmActions"], message["InsufficientDataActions"]})
	require.Equal(t, map[string]any{"MetricName": "ModelLatency", "Namespace": "AWS/SageMaker", "StatisticType": "ExtendedStatistic", "ExtendedStatistic": "p99", "Unit": nil,
		"Dimensions": []any{map[string]any{"name": "EndpointName", "value": "flight"}, map[string]any{"name": "VariantName", "value": "champion"}},
		"Period":     60.0, "EvaluationPeriods": 3.0, "DatapointsToAlarm": 2.0, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 500.0,
		"TreatMissingData": "missing", "EvaluateLowSampleCountPercentile": ""}, message["Trigger"])

	w.move(time.Hour)
	w.await("latency", types.StateValueInsufficientData)
	require.Equal(t, "Insufficient Data: 3 datapoints were unknown.", *w.alarm("latency").StateReason)
	require.Empty(t, w.topics.got, "no action is named for that state")
}

func TestAlarmsOfSeconds(t *testing.T) {
	w := watch(t)
	w.put(latency(func(in *awscw.PutMetricAlarmInput) {
		in.Period, in.EvaluationPeriods, in.DatapointsToAlarm = aws.Int32(10), aws.Int32(1), nil
		in.ExtendedStatistic, in.Statistic, in.TreatMissingData = nil, types.StatisticMaximum, aws.String("notBreaching")
	}))
	w.await("latency", types.StateValueOk)
	w.store.Record("AWS/SageMaker", "ModelLatency", recorded(), 501, w.clock().Add(3*time.Second))
	w.move(10 * time.Second)
	w.await("latency", types.StateValueAlarm)
	w.move(40 * time.Second)
	w.await("latency", types.StateValueOk)
}

// What an alarm was in and owes to topics is not lost with the process.
func TestAlarmsSurviveARestart(t *testing.T) {
	w := watch(t)
	w.topics.refuse = errors.New("the topic cannot be reached")
	w.put(latency())
	w.minute(900)
	w.minute(900)
	w.await("latency", types.StateValueAlarm)
	w.shut()
	w.topics.refuse = nil
	w.open()
	require.Equal(t, types.StateValueAlarm, w.alarm("latency").StateValue)
	require.Equal(t, `ALARM: "latency" in EU (Ireland)`, (<-w.topics.got).subject)
}

func TestSetAlarmStateLastsUntilTheNextEvaluation(t *testing.T) {
	w := watch(t)
	w.put(latency(func(in *awscw.PutMetricAlarmInput) {
		in.TreatMissingData = aws.String("notBreaching")
		in.OKActions = nil
	}))
	w.await("latency", types.StateValueOk)
	set := &awscw.SetAlarmStateInput{AlarmName: aws.String("latency"), StateValue: types.StateValueAlarm, StateReason: aws.String("a drill"), StateReasonData: aws.String(`{"who": "me"}`)}
	_, err := w.SetAlarmState(t.Context(), set)
	require.NoError(t, err)
	require.Equal(t, `ALARM: "latency" in EU (Ireland)`, (<-w.topics.got).subject)
	require.Equal(t, "a drill", *w.alarm("latency").StateReason)
	w.move(10 * time.Second)
	w.await("latency", types.StateValueOk)

	_, err = w.DisableAlarmActions(t.Context(), &awscw.DisableAlarmActionsInput{AlarmNames: []string{"latency", "no-such"}})
	require.NoError(t, err)
	require.False(t, *w.alarm("latency").ActionsEnabled)
	_, err = w.SetAlarmState(t.Context(), set)
	require.NoError(t, err)
	_, err = w.EnableAlarmActions(t.Context(), &awscw.EnableAlarmActionsInput{AlarmNames: []string{"latency"}})
	require.NoError(t, err)
	require.True(t, *w.alarm("latency").ActionsEnabled)

	set.AlarmName = aws.String("no-such")
	_, err = w.SetAlarmState(t.Context(), set)
	require.ErrorAs(t, err, new(*types.ResourceNotFound))

	history, err := w.DescribeAlarmHistory(t.Context(), &awscw.DescribeAlarmHistoryInput{AlarmName: aws.String("latency"), ScanBy: types.ScanByTimestampAscending})
	require.NoError(t, err)
	var actions int
	var summaries []string
	for _, item := range history.AlarmHistoryItems {
		if item.HistoryItemType == types.HistoryItemTypeAction {
			require.Equal(t, "Successfully executed action "+topic, *item.HistorySummary)
			actions++
			continue
		}
		summaries = append(summaries, *item.HistorySummary)
		require.True(t, json.Valid([]byte(*item.HistoryData)))
	}
	require.Equal(t, 1, actions, "the second one was disabled")
	require.Equal(t, []string{`Alarm "latency" created`, "Alarm updated from INSUFFICIENT_DATA to OK", "Alarm updated from OK to ALARM",
		"Alarm updated from ALARM to OK", `Alarm "latency" updated`, "Alarm updated from OK to ALARM", `Alarm "latency" updated`}, summaries)
}

// An action that its topic refuses is in the history, and not tried again.
func TestRefusedAction(t *testing.T) {
	w := watch(t)
	w.topics.refuse = &wire.Error{Code: "NotFound", Message: "Topic does not exist", Status: 404}
	w.put(latency())
	w.minute(1)
	require.Eventually(t, func() bool {
		out, err := w.DescribeAlarmHistory(t.Context(), &awscw.DescribeAlarmHistoryInput{HistoryItemType: types.HistoryItemTypeAction})
		return err == nil && len(out.AlarmHistoryItems) == 1 &&
			*out.AlarmHistoryItems[0].HistorySummary == "Failed to execute action "+topic+`. Received error: "NotFound: Topic does not exist"`
	}, patience, 5*time.Millisecond)
}

func TestDescribeAlarms(t *testing.T) {
	w := watch(t)
	for _, name := range []string{"c", "a", "b", "bb"} {
		w.put(latency(func(in *awscw.PutMetricAlarmInput) {
			in.AlarmName = &name
			if name != "a" {
				in.AlarmActions, in.OKActions = nil, nil
			}
		}))
	}
	names := func(in *awscw.DescribeAlarmsInput) (list []string) {
		pages := awscw.NewDescribeAlarmsPaginator(w, in)
		for pages.HasMorePages() {
			p, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, x := range p.MetricAlarms {
				list = append(list, *x.AlarmName)
			}
		}
		return list
	}
	require.Equal(t, []string{"a", "b", "bb", "c"}, names(&awscw.DescribeAlarmsInput{MaxRecords: aws.Int32(2)}))
	require.Equal(t, []string{"b", "bb"}, names(&awscw.DescribeAlarmsInput{AlarmNamePrefix: aws.String("b")}))
	require.Equal(t, []string{"a"}, names(&awscw.DescribeAlarmsInput{ActionPrefix: aws.String("arn:aws:sns")}))
	require.Empty(t, names(&awscw.DescribeAlarmsInput{StateValue: types.StateValueAlarm}))
	require.Empty(t, names(&awscw.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}}))

	of, err := w.DescribeAlarmsForMetric(t.Context(), &awscw.DescribeAlarmsForMetricInput{Namespace: aws.String("AWS/SageMaker"), MetricName: aws.String("ModelLatency"), Dimensions: latency().Dimensions, Period: aws.Int32(60)})
	require.NoError(t, err)
	require.Len(t, of.MetricAlarms, 4)
	of, err = w.DescribeAlarmsForMetric(t.Context(), &awscw.DescribeAlarmsForMetricInput{Namespace: aws.String("AWS/SageMaker"), MetricName: aws.String("ModelLatency")})
	require.NoError(t, err)
	require.Empty(t, of.MetricAlarms, "dimensions match exactly")

	_, err = w.DeleteAlarms(t.Context(), &awscw.DeleteAlarmsInput{AlarmNames: []string{"a", "no-such"}})
	require.ErrorAs(t, err, new(*types.ResourceNotFound))
	require.Contains(t, names(&awscw.DescribeAlarmsInput{}), "a", "all or none")
	_, err = w.DeleteAlarms(t.Context(), &awscw.DeleteAlarmsInput{AlarmNames: []string{"a", "bb"}})
	require.NoError(t, err)
	require.Equal(t, []string{"b", "c"}, names(&awscw.DescribeAlarmsInput{}))
	_, ok := w.alarms.AlarmState("a")
	require.False(t, ok)
}

func TestTagsOfAlarms(t *testing.T) {
	w := watch(t)
	w.put(latency(func(in *awscw.PutMetricAlarmInput) {
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("risk")}}
	}))
	arn := w.alarm("latency").AlarmArn
	_, err := w.TagResource(t.Context(), &awscw.TagResourceInput{ResourceARN: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}})
	require.NoError(t, err)
	_, err = w.UntagResource(t.Context(), &awscw.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"team"}})
	require.NoError(t, err)
	w.put(latency()) // a change keeps them
	out, err := w.ListTagsForResource(t.Context(), &awscw.ListTagsForResourceInput{ResourceARN: arn})
	require.NoError(t, err)
	require.Equal(t, []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}, out.Tags)
	_, err = w.ListTagsForResource(t.Context(), &awscw.ListTagsForResourceInput{ResourceARN: aws.String(*arn + "x")})
	require.ErrorAs(t, err, new(*types.ResourceNotFoundException))
}

func TestRefusedAlarms(t *testing.T) {
	w := watch(t)
	for want, edit := range map[string]func(*awscw.PutMetricAlarmInput){
		"Metrics is not supported": func(in *awscw.PutMetricAlarmInput) { in.Metrics = []types.MetricDataQuery{{Id: aws.String("m")}} },
		"ThresholdMetricId is not": func(in *awscw.PutMetricAlarmInput) { in.ThresholdMetricId = aws.String("ad1") },
		"anomaly detection is not offered": func(in *awscw.PutMetricAlarmInput) {
			in.ComparisonOperator = types.ComparisonOperatorLessThanLowerThreshold
		},
		"Period must be 10, 20, 30 or a multiple of 60, not 15": func(in *awscw.PutMetricAlarmInput) { in.Period = aws.Int32(15) },
		"across more than 10800 seconds":                        func(in *awscw.PutMetricAlarmInput) { in.Period, in.EvaluationPeriods = aws.Int32(10), aws.Int32(1081) },
		"across more than 86400 seconds":                        func(in *awscw.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(1441) },
		"DatapointsToAlarm 4":                                   func(in *awscw.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(4) },
		"mutually exclusive":                                    func(in *awscw.PutMetricAlarmInput) { in.Statistic = types.StatisticSum },
		`ExtendedStatistic "tm99"`:                              func(in *awscw.PutMetricAlarmInput) { in.ExtendedStatistic = aws.String("tm99") },
		`TreatMissingData "guess"`:                              func(in *awscw.PutMetricAlarmInput) { in.TreatMissingData = aws.String("guess") },
		"name an SNS topic":                                     func(in *awscw.PutMetricAlarmInput) { in.OKActions = []string{"arn:aws:lambda:eu-west-1:1:function:f"} },
		"'alarmName'":                                           func(in *awscw.PutMetricAlarmInput) { in.AlarmName = aws.String("") },
		"Namespace and MetricName are required":                 func(in *awscw.PutMetricAlarmInput) { in.MetricName = nil },
	} {
		_, err := w.PutMetricAlarm(t.Context(), latency(edit))
		require.ErrorContains(t, err, want)
		var api smithy.APIError
		require.ErrorAs(t, err, &api)
		require.Contains(t, []string{"ValidationError", "InvalidParameterCombination"}, api.ErrorCode())
	}
	_, err := w.DescribeAlarms(t.Context(), &awscw.DescribeAlarmsInput{ParentsOfAlarmName: aws.String("x")})
	require.ErrorContains(t, err, "composite alarms are not offered")
}
