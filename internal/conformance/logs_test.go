package conformance

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/require"
)

var logCases = []kase{
	{name: "log group lives", covers: "CreateLogGroup DescribeLogGroups PutRetentionPolicy DeleteRetentionPolicy DeleteLogGroup", run: groupOfLogs},
	{name: "log stream lives", covers: "CreateLogStream DescribeLogStreams DeleteLogStream", run: streams},
	{name: "log events", covers: "PutLogEvents GetLogEvents FilterLogEvents", run: logEvents},
	{name: "log events are checked", covers: "PutLogEvents GetLogEvents FilterLogEvents PutRetentionPolicy", run: logsChecked},
	{name: "training job logs", covers: "DescribeLogStreams GetLogEvents", run: trainingLogs, bills: jobBill},
}

// jsonMember gives a member of a JSON object as JSON.
func jsonMember(c *cloud, text, name string) string {
	c.Helper()
	var members map[string]json.RawMessage
	require.NoError(c, json.Unmarshal([]byte(text), &members))
	return string(members[name])
}

// logGroup makes one, which goes at the end of the case.
func (c *cloud) logGroup() *string {
	c.Helper()
	name := aws.String("/" + at.prefix + "/" + *c.name())
	_, err := c.logs.CreateLogGroup(c.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name})
	require.NoError(c, err)
	c.atEnd(func(ctx context.Context) error {
		_, err := c.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: name})
		return err
	})
	return name
}

func (c *cloud) stream(group *string, name string) *string {
	c.Helper()
	_, err := c.logs.CreateLogStream(c.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: &name})
	require.NoError(c, err)
	return &name
}

func groupOfLogs(c *cloud) {
	ctx, name := c.Context(), c.logGroup()
	_, err := c.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name})
	c.refused(err, "ResourceAlreadyExistsException", "The specified log group already exists")
	find := func() types.LogGroup {
		out, err := c.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: name})
		require.NoError(c, err)
		require.Len(c, out.LogGroups, 1)
		return out.LogGroups[0]
	}
	g := find()
	require.Equal(c, "arn:aws:logs:"+at.sdk.Region+":"+at.account+":log-group:"+*name+":*", *g.Arn)
	require.Nil(c, g.RetentionInDays)
	require.WithinDuration(c, time.Now(), time.UnixMilli(*g.CreationTime), 15*time.Minute)
	_, err = c.logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: name, RetentionInDays: aws.Int32(7)})
	require.NoError(c, err)
	require.Equal(c, int32(7), *find().RetentionInDays)
	_, err = c.logs.DeleteRetentionPolicy(ctx, &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: name})
	require.NoError(c, err)
	require.Nil(c, find().RetentionInDays)
	_, err = c.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: name})
	require.NoError(c, err)
	_, err = c.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: name})
	c.refused(err, "ResourceNotFoundException", "The specified log group does not exist")
}

func streams(c *cloud) {
	ctx, group := c.Context(), c.logGroup()
	for _, name := range []string{"b/1", "a/1", "a/2"} {
		c.stream(group, name)
	}
	_, err := c.logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: aws.String("a/1")})
	c.refused(err, "ResourceAlreadyExistsException", "The specified log stream already exists")
	var names []string
	pages := cloudwatchlogs.NewDescribeLogStreamsPaginator(c.logs, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: group, Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(c, err)
		for _, s := range page.LogStreams {
			names = append(names, *s.LogStreamName)
		}
	}
	require.Equal(c, []string{"a/1", "a/2", "b/1"}, names, "by name")
	_, err = c.logs.DeleteLogStream(ctx, &cloudwatchlogs.DeleteLogStreamInput{LogGroupName: group, LogStreamName: aws.String("a/1")})
	require.NoError(c, err)
	left, err := c.logs.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: group, LogStreamNamePrefix: aws.String("a/")})
	require.NoError(c, err)
	require.Len(c, left.LogStreams, 1)
	require.Equal(c, "arn:aws:logs:"+at.sdk.Region+":"+at.account+":log-group:"+*group+":log-stream:a/2", *left.LogStreams[0].Arn)
}

func logEvents(c *cloud) {
	ctx, group := c.Context(), c.logGroup()
	stream, from := c.stream(group, "s"), time.Now().Add(-time.Minute).UnixMilli()
	var events []types.InputLogEvent
	for i, text := range []string{"ERROR one", "two", "ERROR three"} {
		events = append(events, types.InputLogEvent{Message: aws.String(text), Timestamp: aws.Int64(from + int64(i))})
	}
	_, err := c.logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events})
	require.NoError(c, err)
	var got *cloudwatchlogs.GetLogEventsOutput
	read := func(token *string, head bool) (texts []string) {
		got, err = c.logs.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: group, LogStreamName: stream, NextToken: token, StartFromHead: &head, Limit: aws.Int32(2)})
		require.NoError(c, err)
		for _, e := range got.Events {
			texts = append(texts, *e.Message)
		}
		return texts
	}
	c.eventually("log events arrive", func() bool { return len(read(nil, true)) == 2 })
	require.Equal(c, []string{"ERROR one", "two"}, read(nil, true))
	require.Equal(c, from, *got.Events[0].Timestamp)
	require.GreaterOrEqual(c, *got.Events[0].IngestionTime, from)
	require.Equal(c, []string{"ERROR three"}, read(got.NextForwardToken, true))
	end := got.NextForwardToken
	require.Empty(c, read(end, true))
	require.Equal(c, *end, *got.NextForwardToken, "the same token at the end")
	require.Equal(c, []string{"two", "ERROR three"}, read(nil, false), "the last ones without StartFromHead")
	c.eventually("log events are found", func() bool {
		out, err := c.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, FilterPattern: aws.String("ERROR"), StartTime: &from})
		require.NoError(c, err)
		return len(out.Events) == 2 && *out.Events[1].Message == "ERROR three" && *out.Events[1].LogStreamName == "s"
	})
	d, err := c.logs.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: group})
	require.NoError(c, err)
	require.Equal(c, from, *d.LogStreams[0].FirstEventTimestamp)
}

func logsChecked(c *cloud) {
	ctx, group := c.Context(), c.logGroup()
	stream, now := c.stream(group, "s"), time.Now()
	put := func(events ...types.InputLogEvent) (*cloudwatchlogs.PutLogEventsOutput, error) {
		return c.logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events})
	}
	event := func(at time.Time) types.InputLogEvent {
		return types.InputLogEvent{Message: aws.String("m"), Timestamp: aws.Int64(at.UnixMilli())}
	}
	_, err := put(event(now), event(now.Add(-time.Second)))
	c.refused(err, "InvalidParameterException", "Log events in a single PutLogEvents request must be in chronological order.")
	_, err = put(types.InputLogEvent{Message: aws.String(""), Timestamp: aws.Int64(now.UnixMilli())})
	c.refused(err, "InvalidParameterException", "at 'logEvents.1.member.message' failed to satisfy constraint: Member must have length greater than or equal to 1")
	_, err = c.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("a b")})
	c.refused(err, "InvalidParameterException", "at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+")
	out, err := put(event(now), event(now.Add(3*time.Hour)))
	require.NoError(c, err)
	require.Equal(c, int32(1), *out.RejectedLogEventsInfo.TooNewLogEventStartIndex)
	missing := aws.String(*group + "-nowhere")
	_, err = c.logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: missing, LogStreamName: stream, LogEvents: []types.InputLogEvent{event(now)}})
	c.refused(err, "ResourceNotFoundException", "The specified log group does not exist")
	_, err = c.logs.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: group, LogStreamName: aws.String("nowhere")})
	c.refused(err, "ResourceNotFoundException", "The specified log stream does not exist")
	_, err = c.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: missing})
	c.refused(err, "ResourceNotFoundException", "The specified log group does not exist")
	_, err = c.logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: group, RetentionInDays: aws.Int32(8)})
	c.refused(err, "InvalidParameterException", "")
}

func trainingLogs(c *cloud) {
	in := c.training(c.bucket(), "")
	c.train(in)
	c.ended(in.TrainingJobName)
	group := aws.String("/aws/sagemaker/TrainingJobs")
	var texts []string
	c.eventually("the job's lines are there", func() bool {
		found, err := c.logs.DescribeLogStreams(c.Context(), &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: group, LogStreamNamePrefix: aws.String(*in.TrainingJobName + "/")})
		require.NoError(c, err)
		if len(found.LogStreams) == 0 {
			return false
		}
		require.Regexp(c, "^"+*in.TrainingJobName+"/algo-1-[0-9]+$", *found.LogStreams[0].LogStreamName)
		got, err := c.logs.GetLogEvents(c.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: group, LogStreamName: found.LogStreams[0].LogStreamName, StartFromHead: aws.Bool(true)})
		require.NoError(c, err)
		texts = nil
		for _, e := range got.Events {
			texts = append(texts, *e.Message)
		}
		return len(texts) == 2
	})
	require.Equal(c, []string{"score=0.25", "score=0.75 loss=1e-3"}, texts)
}
