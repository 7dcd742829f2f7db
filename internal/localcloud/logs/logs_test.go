package logs_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/logs"
	"steward/internal/localcloud/wire"
)

// noon is where the virtual clock starts.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// keeper is a Store behind HTTP, with a clock of its own.
type keeper struct {
	*testing.T
	*cwl.Client
	dir   string
	store *logs.Store
	clock atomic.Int64 // milliseconds after noon
	stop  func()
}

func open(t *testing.T) *keeper {
	k := &keeper{T: t, dir: t.TempDir()}
	k.open()
	t.Cleanup(func() { k.stop() })
	return k
}

func (k *keeper) now() time.Time { return noon.Add(time.Duration(k.clock.Load()) * time.Millisecond) }

func (k *keeper) open() {
	var err error
	k.store, err = logs.Open(logs.Config{Dir: k.dir, Region: "us-east-1", Account: "000000000000", Skip: "[keeper] ", Logger: slog.New(slog.DiscardHandler), Now: k.now})
	require.NoError(k, err)
	server := httptest.NewServer(wire.NewRouter(wire.Verifier{AccessKey: "key", SecretKey: "secret"}, wire.JSON("logs", "Logs_20140328", k.store.Operations())))
	k.Client = cwl.NewFromConfig(aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")})
	k.stop = func() {
		server.Close()
		require.NoError(k, k.store.Close())
	}
}

func (k *keeper) stream(group, stream string) {
	k.Helper()
	_, err := k.CreateLogGroup(k.Context(), &cwl.CreateLogGroupInput{LogGroupName: &group})
	var exists *types.ResourceAlreadyExistsException
	if err != nil {
		require.ErrorAs(k, err, &exists)
	}
	_, err = k.CreateLogStream(k.Context(), &cwl.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &stream})
	require.NoError(k, err)
}

// events are at noon, a second apart from the given one on.
func events(first int, messages ...string) (list []types.InputLogEvent) {
	for i, m := range messages {
		list = append(list, types.InputLogEvent{Message: aws.String(m), Timestamp: aws.Int64(noon.UnixMilli() + int64(first+i)*1000)})
	}
	return list
}

func (k *keeper) put(group, stream string, list []types.InputLogEvent) *cwl.PutLogEventsOutput {
	k.Helper()
	out, err := k.PutLogEvents(k.Context(), &cwl.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream, LogEvents: list})
	require.NoError(k, err)
	return out
}

func (k *keeper) get(in cwl.GetLogEventsInput) *cwl.GetLogEventsOutput {
	k.Helper()
	out, err := k.GetLogEvents(k.Context(), &in)
	require.NoError(k, err)
	return out
}

func (k *keeper) all(group, stream string) string {
	k.Helper()
	return text(k.get(cwl.GetLogEventsInput{LogGroupName: &group, LogStreamName: &stream, StartFromHead: aws.Bool(true)}))
}

func text(out *cwl.GetLogEventsOutput) string {
	var list []string
	for _, e := range out.Events {
		list = append(list, *e.Message)
	}
	return strings.Join(list, " ")
}

func refused(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, code, api.ErrorCode(), api.ErrorMessage())
	require.Contains(t, api.ErrorMessage(), message)
}

func TestGetLogEventsByTokens(t *testing.T) {
	k := open(t)
	k.stream("g", "s")
	in := cwl.GetLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), StartFromHead: aws.Bool(true), Limit: aws.Int32(2)}
	empty := k.get(in)
	require.Empty(t, empty.Events)

	k.put("g", "s", events(0, "a", "b", "c"))
	k.put("g", "s", events(3, "d", "e"))
	in.NextToken = empty.NextForwardToken
	one := k.get(in)
	require.Equal(t, "a b", text(one), "a token from before there was anything leads to it")
	require.Equal(t, noon.UnixMilli(), *one.Events[0].Timestamp)
	require.Equal(t, noon.UnixMilli(), *one.Events[0].IngestionTime)
	in.NextToken = one.NextForwardToken
	two := k.get(in)
	require.Equal(t, "c d", text(two))
	in.NextToken = two.NextForwardToken
	three := k.get(in)
	require.Equal(t, "e", text(three))
	in.NextToken = three.NextForwardToken
	end := k.get(in)
	require.Empty(t, end.Events)
	require.Equal(t, *in.NextToken, *end.NextForwardToken, "the same token at the end")
	k.put("g", "s", events(5, "f"))
	require.Equal(t, "f", text(k.get(in)), "what came meanwhile")

	in.NextToken = end.NextBackwardToken
	require.Equal(t, "d e", text(k.get(in)), "backwards from the end, where f is new")
	in.NextToken = two.NextBackwardToken
	back := k.get(in)
	require.Equal(t, "a b", text(back))
	in.NextToken = back.NextBackwardToken
	begin := k.get(in)
	require.Empty(t, begin.Events)
	require.Equal(t, *in.NextToken, *begin.NextBackwardToken)
	in.NextToken = begin.NextForwardToken
	require.Equal(t, "a b", text(k.get(in)))

	in.NextToken, in.StartFromHead = nil, nil
	require.Equal(t, "e f", text(k.get(in)), "the latest by default")
	in.Limit, in.StartTime, in.EndTime = nil, aws.Int64(noon.UnixMilli()+1000), aws.Int64(noon.UnixMilli()+4000)
	require.Equal(t, "b c d", text(k.get(in)), "the end is not in it")
	in.NextToken = aws.String("f/x/s")
	_, err := k.GetLogEvents(t.Context(), &in)
	refused(t, err, "InvalidParameterException", "The specified nextToken is invalid.")
}

func TestFilterLogEvents(t *testing.T) {
	k := open(t)
	k.stream("g", "job/one")
	k.stream("g", "job/two")
	k.stream("g", "other")
	k.put("g", "job/one", events(0, "ERROR disk full", "ok"))
	k.put("g", "job/two", events(1, "ERROR net down", "WARN slow disk"))
	k.put("g", "other", events(0, "ERROR elsewhere"))
	filter := func(in cwl.FilterLogEventsInput) string {
		t.Helper()
		in.LogGroupName = aws.String("g")
		var list []string
		seen := map[string]bool{}
		pages := cwl.NewFilterLogEventsPaginator(k.Client, &in)
		for pages.HasMorePages() {
			p, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, e := range p.Events {
				require.False(t, seen[*e.EventId], "ids are unique")
				seen[*e.EventId] = true
				list = append(list, *e.LogStreamName+":"+*e.Message)
			}
		}
		return strings.Join(list, ", ")
	}
	prefix := aws.String("job/")
	require.Equal(t, "job/one:ERROR disk full, job/one:ok, job/two:ERROR net down, job/two:WARN slow disk", filter(cwl.FilterLogEventsInput{LogStreamNamePrefix: prefix}))
	require.Equal(t, "job/one:ERROR disk full, job/one:ok, job/two:ERROR net down, job/two:WARN slow disk", filter(cwl.FilterLogEventsInput{LogStreamNamePrefix: prefix, Limit: aws.Int32(1)}), "by pages of one")
	require.Equal(t, "job/two:ERROR net down, job/two:WARN slow disk", filter(cwl.FilterLogEventsInput{LogStreamNames: []string{"job/two"}}))
	require.Equal(t, "job/one:ok, job/two:ERROR net down", filter(cwl.FilterLogEventsInput{StartTime: aws.Int64(noon.UnixMilli() + 1000), EndTime: aws.Int64(noon.UnixMilli() + 2000)}))
	require.Equal(t, "job/one:ERROR disk full, job/two:ERROR net down, other:ERROR elsewhere", sorted(filter(cwl.FilterLogEventsInput{FilterPattern: aws.String("ERROR")})))
	_, err := k.FilterLogEvents(t.Context(), &cwl.FilterLogEventsInput{LogGroupName: aws.String("g"), LogStreamNames: []string{"other"}, LogStreamNamePrefix: prefix})
	refused(t, err, "InvalidParameterException", "both given")
	_, err = k.FilterLogEvents(t.Context(), &cwl.FilterLogEventsInput{LogGroupName: aws.String("g"), FilterPattern: aws.String(`{ $.a = 1 }`)})
	refused(t, err, "InvalidParameterException", "use terms")
}

// sorted puts events of the same moment into the order of their streams.
func sorted(list string) string {
	parts := strings.Split(list, ", ")
	return strings.Join([]string{parts[0], parts[2], parts[1]}, ", ")
}

func TestGroupsAndStreams(t *testing.T) {
	k := open(t)
	for _, g := range []string{"/aws/b", "/aws/a", "/other"} {
		k.stream(g, "s")
	}
	_, err := k.CreateLogGroup(t.Context(), &cwl.CreateLogGroupInput{LogGroupName: aws.String("/aws/a")})
	refused(t, err, "ResourceAlreadyExistsException", "The specified log group already exists")
	_, err = k.CreateLogStream(t.Context(), &cwl.CreateLogStreamInput{LogGroupName: aws.String("/aws/a"), LogStreamName: aws.String("s")})
	refused(t, err, "ResourceAlreadyExistsException", "The specified log stream already exists")
	_, err = k.CreateLogGroup(t.Context(), &cwl.CreateLogGroupInput{LogGroupName: aws.String("a b")})
	refused(t, err, "InvalidParameterException", "Value 'a b' at 'logGroupName'")
	_, err = k.CreateLogStream(t.Context(), &cwl.CreateLogStreamInput{LogGroupName: aws.String("none"), LogStreamName: aws.String("s")})
	refused(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
	_, err = k.GetLogEvents(t.Context(), &cwl.GetLogEventsInput{LogGroupName: aws.String("/aws/a"), LogStreamName: aws.String("none")})
	refused(t, err, "ResourceNotFoundException", "The specified log stream does not exist.")

	var names []string
	groups := cwl.NewDescribeLogGroupsPaginator(k.Client, &cwl.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/"), Limit: aws.Int32(1)})
	for groups.HasMorePages() {
		p, err := groups.NextPage(t.Context())
		require.NoError(t, err)
		for _, g := range p.LogGroups {
			names = append(names, *g.LogGroupName)
			require.Equal(t, "arn:aws:logs:us-east-1:000000000000:log-group:"+*g.LogGroupName+":*", *g.Arn)
		}
	}
	require.Equal(t, []string{"/aws/a", "/aws/b"}, names)

	k.stream("/aws/a", "t")
	k.stream("/aws/a", "u")
	k.put("/aws/a", "t", events(1, "late"))
	k.put("/aws/a", "s", events(0, "early"))
	list := func(in cwl.DescribeLogStreamsInput) string {
		in.LogGroupName = aws.String("/aws/a")
		var all []string
		pages := cwl.NewDescribeLogStreamsPaginator(k.Client, &in)
		for pages.HasMorePages() {
			p, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, s := range p.LogStreams {
				all = append(all, *s.LogStreamName)
			}
		}
		return strings.Join(all, "")
	}
	require.Equal(t, "stu", list(cwl.DescribeLogStreamsInput{Limit: aws.Int32(1)}))
	require.Equal(t, "tsu", list(cwl.DescribeLogStreamsInput{Limit: aws.Int32(1), OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true)}))
	require.Equal(t, "t", list(cwl.DescribeLogStreamsInput{LogStreamNamePrefix: aws.String("t")}))

	_, err = k.DeleteLogStream(t.Context(), &cwl.DeleteLogStreamInput{LogGroupName: aws.String("/aws/a"), LogStreamName: aws.String("t")})
	require.NoError(t, err)
	require.Equal(t, "su", list(cwl.DescribeLogStreamsInput{}))
	_, err = k.DeleteLogGroup(t.Context(), &cwl.DeleteLogGroupInput{LogGroupName: aws.String("/aws/a")})
	require.NoError(t, err)
	k.stream("/aws/a", "s")
	require.Empty(t, k.all("/aws/a", "s"), "a new group has nothing of the old one")
}

func TestPutLogEventsIsChecked(t *testing.T) {
	k := open(t)
	k.stream("g", "s")
	for want, list := range map[string][]types.InputLogEvent{
		"must be in chronological order": {events(1, "b")[0], events(0, "a")[0]},
		"Log event too large: 1048577":   events(0, strings.Repeat("x", 1<<20-25)),
		"Upload too large":               events(0, strings.Repeat("x", 600_000), strings.Repeat("x", 600_000)),
		"span more than 24 hours":        {events(-86401, "a")[0], events(0, "b")[0]},
		"Value '' at 'logEvents.1.member.message' failed to satisfy constraint: Member must have length greater than or equal to 1": events(0, ""),
	} {
		_, err := k.PutLogEvents(t.Context(), &cwl.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: list})
		refused(t, err, "InvalidParameterException", want)
	}
	const day = 86400
	out := k.put("g", "s", events(-14*day-1, "old", "just"))
	require.Equal(t, int32(1), *out.RejectedLogEventsInfo.TooOldLogEventEndIndex)
	out = k.put("g", "s", events(7200, "just ahead", "too new"))
	require.Equal(t, int32(1), *out.RejectedLogEventsInfo.TooNewLogEventStartIndex)
	require.Equal(t, "just just ahead", k.all("g", "s"))
}

func TestRetention(t *testing.T) {
	k := open(t)
	k.stream("g", "s")
	k.put("g", "s", events(0, "a", "b"))
	_, err := k.PutRetentionPolicy(t.Context(), &cwl.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(2)})
	refused(t, err, "InvalidParameterException", "'retentionInDays'")
	_, err = k.PutRetentionPolicy(t.Context(), &cwl.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(1)})
	require.NoError(t, err)
	k.clock.Store(24*3600*1000 + 500)
	require.Equal(t, "b", k.all("g", "s"), "what is too old is gone at once")
	out := k.put("g", "s", events(0, "a"))
	require.Equal(t, int32(1), *out.RejectedLogEventsInfo.ExpiredLogEventEndIndex)
	groups, err := k.DescribeLogGroups(t.Context(), &cwl.DescribeLogGroupsInput{})
	require.NoError(t, err)
	require.Equal(t, int32(1), *groups.LogGroups[0].RetentionInDays)
	require.Equal(t, int64(54), *groups.LogGroups[0].StoredBytes)

	require.NoError(t, k.store.Sweep())
	_, err = k.DeleteRetentionPolicy(t.Context(), &cwl.DeleteRetentionPolicyInput{LogGroupName: aws.String("g")})
	require.NoError(t, err)
	require.Equal(t, "b", k.all("g", "s"), "and from the disk too")
	groups, err = k.DescribeLogGroups(t.Context(), &cwl.DescribeLogGroupsInput{})
	require.NoError(t, err)
	require.Nil(t, groups.LogGroups[0].RetentionInDays)
	require.Equal(t, int64(27), *groups.LogGroups[0].StoredBytes)
}

func (k *keeper) eventually(want, group, stream string) {
	k.Helper()
	require.Eventually(k, func() bool { return k.all(group, stream) == want }, 10*time.Second, 10*time.Millisecond, want)
}

func TestFollow(t *testing.T) {
	k := open(t)
	file := filepath.Join(t.TempDir(), "log")
	require.NoError(t, k.store.Follow("g", "s", file))
	require.Empty(t, k.all("g", "s"), "the stream is there before the file")
	f, err := os.Create(file)
	require.NoError(t, err)
	defer f.Close()
	fmt.Fprint(f, "one\r\n\ntwo\nhal")
	k.eventually("one two", "g", "s")
	k.clock.Store(-5000) // a clock that goes back changes no order
	fmt.Fprint(f, "f\n[keeper] not the program's\n")
	k.eventually("one two half", "g", "s")

	k.stop()
	fmt.Fprint(f, "meanwhile\n")
	k.open()
	k.eventually("one two half meanwhile", "g", "s")
	fmt.Fprint(f, "bad \xff byte\nno end")
	require.NoError(t, k.store.Settle(file, "unknown"))
	require.Equal(t, "one two half meanwhile bad \uFFFD byte no end", k.all("g", "s"))
	require.Empty(t, k.store.Followed())
}

func TestFollowLongFiles(t *testing.T) {
	k := open(t)
	file := filepath.Join(t.TempDir(), "log")
	line := strings.Repeat("x", 99)
	var all strings.Builder
	for range 30_000 {
		all.WriteString(line + "\n")
	}
	all.WriteString(strings.Repeat("y", 300<<10))
	require.NoError(t, os.WriteFile(file, []byte(all.String()), 0o600))
	require.NoError(t, k.store.Follow("g", "s", file))
	require.NoError(t, k.store.Settle(file))
	in := cwl.GetLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), StartFromHead: aws.Bool(true)}
	n, ys := 0, 0
	for {
		out := k.get(in)
		if in.NextToken != nil && *out.NextForwardToken == *in.NextToken {
			break
		}
		in.NextToken = out.NextForwardToken
		for _, e := range out.Events {
			if strings.HasPrefix(*e.Message, "y") {
				ys += len(*e.Message)
				continue
			}
			require.Equal(t, line, *e.Message)
			n++
		}
	}
	require.Equal(t, 30_000, n)
	require.Equal(t, 300<<10, ys, "a line that is too long comes in parts")
}

func TestOneStoreADirectory(t *testing.T) {
	k := open(t)
	_, err := logs.Open(logs.Config{Dir: k.dir})
	require.ErrorContains(t, err, "another process has them open")
}
