package cloudwatch_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/wire"
)

const scalingPolicy = "arn:aws:autoscaling:eu-west-1:000000000000:scalingPolicy:1:resource/sagemaker/endpoint/e/variant/v:policyName/p"

// owned is the alarm of another service, on the last minute alone.
func owned(in *awscw.PutMetricAlarmInput) {
	in.EvaluationPeriods, in.DatapointsToAlarm = aws.Int32(1), nil
	in.AlarmActions, in.OKActions = []string{scalingPolicy, topic}, nil
}

// Another service of the cloud has alarms, and acts on what it sees of them.
func TestOwnedAlarm(t *testing.T) {
	w := watch(t)
	_, found, err := w.alarms.Look("latency")
	require.NoError(t, err)
	require.False(t, found)
	require.NoError(t, w.alarms.PutOwned(latency(owned)))
	at := w.clock()
	w.minute(700)
	w.await("latency", types.StateValueAlarm)
	require.Contains(t, (<-w.topics.got).subject, "ALARM", "topics are told as well")
	l, found, err := w.alarms.Look("latency")
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, []any{types.StateValueAlarm, true, true, at.UTC()}, []any{l.State, l.Enabled, l.Known, l.At.UTC()})
	require.InDelta(t, 700, l.Value, 1)
	history, err := w.DescribeAlarmHistory(t.Context(), &awscw.DescribeAlarmHistoryInput{AlarmName: aws.String("latency"), HistoryItemType: types.HistoryItemTypeAction})
	require.NoError(t, err)
	var done []string
	for _, item := range history.AlarmHistoryItems {
		done = append(done, *item.HistorySummary)
	}
	require.Contains(t, done, "Successfully executed action "+scalingPolicy)

	w.move(time.Minute)
	_, err = w.DisableAlarmActions(t.Context(), &awscw.DisableAlarmActionsInput{AlarmNames: []string{"latency"}})
	require.NoError(t, err)
	l, _, err = w.alarms.Look("latency")
	require.NoError(t, err)
	require.False(t, l.Known, "the last minute has no data")
	require.False(t, l.Enabled)

	require.NoError(t, w.alarms.RemoveOwned("latency", "another"))
	_, found = w.alarms.AlarmState("latency")
	require.False(t, found)
	require.ErrorAs(t, w.alarms.PutOwned(latency(owned, func(in *awscw.PutMetricAlarmInput) { in.Period = aws.Int32(7) })), new(*wire.Error))
}
