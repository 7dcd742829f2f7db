package sagemaker_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/events"
	"steward/internal/localcloud/sagemaker"
)

// news is an event as its target gets it.
type news struct {
	DetailType string `json:"detail-type"`
	Source     string
	Resources  []string
	Detail     map[string]any
}

func (n news) str(member string) string {
	text, _ := n.Detail[member].(string)
	return text
}

// telling starts a cloud whose events the channel gets.
func telling(t *testing.T) (*cloud, chan news) {
	got := make(chan news, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n news
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		got <- n
	}))
	t.Cleanup(server.Close)
	return start(t, func(cfg *sagemaker.Config) { cfg.Rules = []events.Rule{{Source: "aws.sagemaker", Target: server.URL}} }), got
}

// awaitNews waits for events of these states, given as kind and state, in any order:
// neither here nor on AWS do they keep it.
func awaitNews(t *testing.T, got chan news, state func(news) string, want ...string) map[string]news {
	found := map[string]news{}
	for _, w := range want {
		for _, ok := found[w]; !ok; _, ok = found[w] {
			select {
			case n := <-got:
				require.Equal(t, "aws.sagemaker", n.Source)
				found[state(n)] = n
			case <-time.After(30 * time.Second):
				require.Fail(t, "no event", "%s; there were %v", w, found)
			}
		}
	}
	return found
}

func TestEventsOfJobsAndPackages(t *testing.T) {
	c, got := telling(t)
	arn := c.train(trainingInput("told", nil))
	c.awaitJob("told", types.TrainingJobStatusCompleted)
	state := func(n news) string {
		return n.DetailType + ": " + n.str("TrainingJobStatus") + " " + n.str("SecondaryStatus")
	}
	found := awaitNews(t, got, state, "SageMaker Training Job State Change: InProgress Starting", "SageMaker Training Job State Change: InProgress Training",
		"SageMaker Training Job State Change: Completed Completed")
	last := found["SageMaker Training Job State Change: Completed Completed"]
	require.Equal(t, []string{arn}, last.Resources)
	job := c.job("told")
	require.Equal(t, "told", last.str("TrainingJobName"))
	require.InDelta(t, job.TrainingEndTime.UnixMilli(), last.Detail["TrainingEndTime"], 0)
	require.Equal(t, map[string]any{"steward:model": "m"}, last.Detail["Tags"])
	require.Equal(t, *job.ModelArtifacts.S3ModelArtifacts, last.Detail["ModelArtifacts"].(map[string]any)["S3ModelArtifacts"])
	require.NotContains(t, last.Detail, "FailureReason")

	c.put("in/a.csv", "1,2\n")
	ran := c.process(processingInput("cleaned", "exit"))
	processed := func(n news) string { return n.DetailType + ": " + n.str("ProcessingJobStatus") }
	found = awaitNews(t, got, processed, "SageMaker Processing Job State Change: InProgress", "SageMaker Processing Job State Change: Completed")
	require.Equal(t, []string{ran}, found["SageMaker Processing Job State Change: Completed"].Resources)

	c.model("red", "red")
	_, err := c.sm.CreateModelPackageGroup(t.Context(), &sm.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("flight")})
	require.NoError(t, err)
	made, err := c.sm.CreateModelPackage(t.Context(), packageInput("flight", "t1", "s3://data/models/red.tar.gz"))
	require.NoError(t, err)
	for _, description := range []string{"by two people", "once more, which is no change"} {
		_, err = c.sm.UpdateModelPackage(t.Context(), &sm.UpdateModelPackageInput{ModelPackageArn: made.ModelPackageArn, ModelApprovalStatus: types.ModelApprovalStatusApproved, ApprovalDescription: &description})
		require.NoError(t, err)
	}
	approval := func(n news) string { return n.DetailType + ": " + n.str("ModelApprovalStatus") }
	found = awaitNews(t, got, approval, "SageMaker Model Package State Change: PendingManualApproval", "SageMaker Model Package State Change: Approved")
	approved := found["SageMaker Model Package State Change: Approved"]
	require.Equal(t, []string{"flight", "Completed", "by two people"}, []string{approved.str("ModelPackageGroupName"), approved.str("ModelPackageStatus"), approved.str("ApprovalDescription")})
	_, err = time.Parse(time.RFC3339, approved.str("CreationTime"))
	require.NoError(t, err)
}

func TestEventsOfEndpoints(t *testing.T) {
	c, got := telling(t)
	c.model("red", "red")
	c.model("blue", "blue")
	c.config("one", production("red", 1))
	c.config("two", production("blue", 1))
	c.endpoint("e", "one")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	state := func(n news) string {
		_, pending := n.Detail["PendingDeploymentSummary"]
		return n.DetailType + ": " + n.str("EndpointStatus") + " " + n.str("EndpointConfigName") + map[bool]string{true: " pending"}[pending]
	}
	found := awaitNews(t, got, state, "SageMaker Endpoint State Change: CREATING one", "SageMaker Endpoint State Change: IN_SERVICE one")
	require.Len(t, found, 2, "a creation is no deployment")
	c.update("e", "two")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	found = awaitNews(t, got, state, "SageMaker Endpoint State Change: UPDATING one pending", "SageMaker Endpoint Deployment State Change: UPDATING one pending",
		"SageMaker Endpoint State Change: IN_SERVICE two", "SageMaker Endpoint Deployment State Change: IN_SERVICE two")
	require.Equal(t, []string{"arn:aws:sagemaker:us-east-1:000000000000:endpoint/e"}, found["SageMaker Endpoint Deployment State Change: IN_SERVICE two"].Resources)
	c.delete("e")
	awaitNews(t, got, state, "SageMaker Endpoint State Change: DELETING two")
}
