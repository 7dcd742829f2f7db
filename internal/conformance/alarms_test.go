package conformance

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"
)

var alarmCases = []kase{
	{name: "alarm lives", covers: "PutMetricAlarm DescribeAlarms DescribeAlarmsForMetric DeleteAlarms", run: alarmLives},
	{name: "alarm goes off", covers: "PutMetricAlarm DescribeAlarms DescribeAlarmHistory", run: alarmGoesOff},
	{name: "alarm is set", covers: "SetAlarmState EnableAlarmActions DisableAlarmActions DescribeAlarms DescribeAlarmHistory", run: alarmSet},
	{name: "alarm has tags", covers: "TagResource UntagResource ListTagsForResource", run: alarmTags},
	{name: "alarm is checked", covers: "PutMetricAlarm SetAlarmState", run: alarmChecked},
}

// alarm is one on a metric of its own, above 5.
func (c *cloud) alarm() *cloudwatch.PutMetricAlarmInput {
	return &cloudwatch.PutMetricAlarmInput{AlarmName: c.name(), Namespace: c.name(), MetricName: aws.String("errors"), Statistic: types.StatisticMaximum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(5), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold}
}

func (c *cloud) putAlarm(in *cloudwatch.PutMetricAlarmInput) {
	c.Helper()
	_, err := c.metrics.PutMetricAlarm(c.Context(), in)
	require.NoError(c, err)
	c.atEnd(func(ctx context.Context) error {
		_, err := c.metrics.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{*in.AlarmName}})
		return err
	})
}

func (c *cloud) describeAlarm(name *string) *types.MetricAlarm {
	c.Helper()
	out, err := c.metrics.DescribeAlarms(c.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{*name}})
	require.NoError(c, err)
	require.Len(c, out.MetricAlarms, 1)
	return &out.MetricAlarms[0]
}

func alarmLives(c *cloud) {
	ctx, in := c.Context(), c.alarm()
	in.AlarmDescription, in.TreatMissingData = aws.String("too many"), aws.String("notBreaching")
	c.putAlarm(in)
	a := c.describeAlarm(in.AlarmName)
	require.Equal(c, fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", at.sdk.Region, at.account, *in.AlarmName), *a.AlarmArn)
	require.Equal(c, []any{"too many", "notBreaching", true, float64(5), int32(60), types.StatisticMaximum, types.ComparisonOperatorGreaterThanThreshold},
		[]any{*a.AlarmDescription, *a.TreatMissingData, *a.ActionsEnabled, *a.Threshold, *a.Period, a.Statistic, a.ComparisonOperator})
	in.Threshold = aws.Float64(7)
	c.putAlarm(in)
	require.Equal(c, float64(7), *c.describeAlarm(in.AlarmName).Threshold, "the same name is the same alarm")
	of, err := c.metrics.DescribeAlarmsForMetric(ctx, &cloudwatch.DescribeAlarmsForMetricInput{Namespace: in.Namespace, MetricName: in.MetricName})
	require.NoError(c, err)
	require.Equal(c, *a.AlarmArn, *of.MetricAlarms[0].AlarmArn)
	second := c.alarm()
	second.AlarmName = aws.String(*in.AlarmName + "-b")
	c.putAlarm(second)
	var names []string
	pages := cloudwatch.NewDescribeAlarmsPaginator(c.metrics, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: in.AlarmName, MaxRecords: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(c, err)
		for _, a := range page.MetricAlarms {
			names = append(names, *a.AlarmName)
		}
	}
	require.Equal(c, []string{*in.AlarmName, *second.AlarmName}, names)
	_, err = c.metrics.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: names})
	require.NoError(c, err)
	out, err := c.metrics.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: names})
	require.NoError(c, err)
	require.Empty(c, out.MetricAlarms)
}

func alarmGoesOff(c *cloud) {
	in := c.alarm()
	in.EvaluationPeriods, in.DatapointsToAlarm = aws.Int32(3), aws.Int32(1)
	c.measure(in.Namespace, types.MetricDatum{MetricName: in.MetricName, Value: aws.Float64(6), Timestamp: aws.Time(time.Now().Add(-time.Minute))})
	c.putAlarm(in)
	var a *types.MetricAlarm
	c.eventually("the alarm goes off", func() bool {
		a = c.describeAlarm(in.AlarmName)
		return a.StateValue == types.StateValueAlarm
	})
	require.Contains(c, *a.StateReason, "Threshold Crossed: ")
	require.Contains(c, *a.StateReason, "was greater than the threshold (5.0)")
	require.JSONEq(c, `"1.0"`, jsonMember(c, *a.StateReasonData, "version"))
	require.WithinDuration(c, time.Now(), *a.StateUpdatedTimestamp, 15*time.Minute)
	history, err := c.metrics.DescribeAlarmHistory(c.Context(), &cloudwatch.DescribeAlarmHistoryInput{AlarmName: in.AlarmName, HistoryItemType: types.HistoryItemTypeStateUpdate})
	require.NoError(c, err)
	require.Contains(c, *history.AlarmHistoryItems[0].HistorySummary, "to ALARM")
}

func alarmSet(c *cloud) {
	ctx, in := c.Context(), c.alarm()
	c.putAlarm(in)
	_, err := c.metrics.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: in.AlarmName, StateValue: types.StateValueAlarm, StateReason: aws.String("a drill")})
	require.NoError(c, err)
	history, err := c.metrics.DescribeAlarmHistory(ctx, &cloudwatch.DescribeAlarmHistoryInput{AlarmName: in.AlarmName, HistoryItemType: types.HistoryItemTypeStateUpdate})
	require.NoError(c, err)
	require.NotEmpty(c, history.AlarmHistoryItems)
	for _, enabled := range []bool{false, true} {
		if enabled {
			_, err = c.metrics.EnableAlarmActions(ctx, &cloudwatch.EnableAlarmActionsInput{AlarmNames: []string{*in.AlarmName}})
		} else {
			_, err = c.metrics.DisableAlarmActions(ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{*in.AlarmName}})
		}
		require.NoError(c, err)
		require.Equal(c, enabled, *c.describeAlarm(in.AlarmName).ActionsEnabled)
	}
	_, err = c.metrics.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: c.name(), StateValue: types.StateValueOk, StateReason: aws.String("none")})
	c.refused(err, "ResourceNotFound", "")
	require.Equal(c, 404, status(err))
}

func alarmTags(c *cloud) {
	ctx, in := c.Context(), c.alarm()
	in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}
	c.putAlarm(in)
	arn := c.describeAlarm(in.AlarmName).AlarmArn
	_, err := c.metrics.TagResource(ctx, &cloudwatch.TagResourceInput{ResourceARN: arn, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}})
	require.NoError(c, err)
	_, err = c.metrics.UntagResource(ctx, &cloudwatch.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"a"}})
	require.NoError(c, err)
	out, err := c.metrics.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: arn})
	require.NoError(c, err)
	require.Len(c, out.Tags, 1)
	require.Equal(c, "b", *out.Tags[0].Key)
	_, err = c.metrics.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String(*arn + "-nowhere")})
	require.Equal(c, 404, status(err), "%v", err)
}

func alarmChecked(c *cloud) {
	for name, change := range map[string]func(*cloudwatch.PutMetricAlarmInput){
		"period":     func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(7) },
		"evaluation": func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(0) },
		"operator":   func(in *cloudwatch.PutMetricAlarmInput) { in.ComparisonOperator = "Near" },
		"datapoints": func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(2) },
		"missing":    func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("guess") },
	} {
		in := c.alarm()
		change(in)
		_, err := c.metrics.PutMetricAlarm(c.Context(), in)
		require.Error(c, err, name)
		require.Equal(c, 400, status(err), "%s: %v", name, err)
	}
	in := c.alarm()
	c.putAlarm(in)
	_, err := c.metrics.SetAlarmState(c.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: in.AlarmName, StateValue: types.StateValueOk, StateReason: aws.String("x"), StateReasonData: aws.String("{not json")})
	c.refused(err, "InvalidFormat", "")
}
