package sagemaker_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

// told are the events of a group's streams that begin with prefix: stream names
// and messages, in order.
func (c *cloud) told(group, prefix string) (streams, messages []string) {
	pages := cwl.NewFilterLogEventsPaginator(c.cwl, &cwl.FilterLogEventsInput{LogGroupName: &group, LogStreamNamePrefix: &prefix})
	for pages.HasMorePages() {
		p, err := pages.NextPage(c.Context())
		if err != nil {
			require.ErrorContains(c, err, "The specified log group does not exist.")
			return nil, nil
		}
		for _, e := range p.Events {
			if !slices.Contains(streams, *e.LogStreamName) {
				streams = append(streams, *e.LogStreamName)
			}
			messages = append(messages, *e.Message)
		}
	}
	return streams, messages
}

// awaitTold waits until a message is there and returns its stream.
func (c *cloud) awaitTold(group, prefix, message string) (stream string) {
	c.Helper()
	c.eventually(func() bool {
		streams, messages := c.told(group, prefix)
		if slices.ContainsFunc(messages, func(m string) bool { return strings.Contains(m, message) }) {
			stream = streams[0]
		}
		return stream != ""
	}, message+" is not in "+group)
	return stream
}

// TestLogsAreFollowed reads a job's log while it runs, kills the cloud and finds
// what the job wrote meanwhile, once.
func TestLogsAreFollowed(t *testing.T) {
	c := start(t, nil)
	c.shut()
	dead := c.boot()
	gate := filepath.Join(t.TempDir(), "gate")
	c.train(trainingInput("told", map[string]string{"mode": "gate", "gate": gate}))
	stream := c.awaitTold("/aws/sagemaker/TrainingJobs", "told/", "auc=0.125")
	require.Regexp(t, `^told/algo-1-\d{10}$`, stream)
	require.Equal(t, types.TrainingJobStatusInProgress, c.job("told").TrainingJobStatus)
	pid := c.loggedPID("told")
	require.NoError(t, dead.Process.Kill())
	_ = dead.Wait()
	require.NoError(t, os.WriteFile(gate, nil, 0o644))
	c.requireGone(pid)

	c.open()
	c.awaitJob("told", types.TrainingJobStatusCompleted)
	_, messages := c.told("/aws/sagemaker/TrainingJobs", "told/")
	require.Len(t, messages, 4, "what the supervisor says is not there")
	require.Equal(t, []string{"auc=0.125", "auc=0.5", "auc=0.91 loss=nan"}, messages[1:], "all of it is there when the job has ended")
	out, err := c.cwl.DescribeLogStreams(t.Context(), &cwl.DescribeLogStreamsInput{LogGroupName: aws.String("/aws/sagemaker/TrainingJobs"), LogStreamNamePrefix: aws.String("told/")})
	require.NoError(t, err)
	require.Len(t, out.LogStreams, 1)
}

func TestModelServersLog(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	c.config("red", production("red", 1))
	c.endpoint("e", "red")
	c.awaitEndpoint("e", "InService")
	require.Regexp(t, `^red/i-[0-9a-f]{17}$`, c.awaitTold("/aws/sagemaker/Endpoints/e", "red/", "serve"))
	c.shut()
	c.open()
	c.awaitEndpoint("e", "InService")
	c.eventually(func() bool {
		streams, _ := c.told("/aws/sagemaker/Endpoints/e", "red/")
		return len(streams) == 2
	}, "new servers have streams of their own")
}
