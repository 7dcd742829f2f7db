package activities

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"steward/internal/container"
	"steward/internal/evidence"
	"steward/internal/lifecycle"
	"steward/internal/report"
	"steward/internal/stats"
)

func TestScoreFailuresLeaveNoModel(t *testing.T) {
	b := newBench(t)
	_, parts := b.parts(300)
	model := run(t, b.env, b.training.Train, b.candidate(container.Linear, parts))
	for name, tt := range map[string]struct {
		change     func(*lifecycle.ScoreInput)
		kind, says string
	}{
		"failing server": {func(in *lifecycle.ScoreInput) { in.Model.Image = "test/fails" }, lifecycle.JobFailed, "steward-failing-server failed"},
		"unknown image":  {func(in *lifecycle.ScoreInput) { in.Model.Image = "test/none" }, lifecycle.Invalid, "test/none"},
		"no input":       {func(in *lifecycle.ScoreInput) { in.Input = "s3://steward/none/" }, lifecycle.JobFailed, "s3://steward/none/"},
		"no price":       {func(in *lifecycle.ScoreInput) { in.Instance = "ml.x9.huge" }, lifecycle.Invalid, "ml.x9.huge"},
	} {
		t.Run(name, func(t *testing.T) {
			in := b.score("x", model, parts.Test)
			in.Job = "steward-" + strings.ReplaceAll(name, " ", "-")
			tt.change(&in)
			for range 2 {
				_, err := try(b.env, b.evaluation.Score, in)
				require.Equal(t, tt.kind, lifecycle.ErrorType(err), "%v", err)
				require.ErrorContains(t, err, tt.says)
				require.Empty(t, b.models())
			}
		})
	}
}

func TestScoreLeavesItsJobAtAShutdownAndStopsItWhenCancelled(t *testing.T) {
	b := newBench(t)
	_, parts := b.parts(300)
	model := run(t, b.env, b.training.Train, b.candidate(container.Linear, parts))
	model.Image = "test/hangs"
	in := b.score("hangs", model, parts.Test)
	running := func() bool {
		out, err := b.clients.SageMaker.DescribeTransformJob(context.Background(), &sagemaker.DescribeTransformJobInput{TransformJobName: &in.Job})
		return err == nil && out.TransformStartTime != nil
	}

	require.Error(t, interrupted(b, b.evaluation.Score, in, context.Canceled, running))
	require.Equal(t, types.TransformJobStatusInProgress, b.transformJobs()[0].TransformJobStatus)
	require.Len(t, b.models(), 1, "the job still needs it")

	err := interrupted(b, b.evaluation.Score, in, temporal.NewCanceledError(), running)
	require.True(t, temporal.IsCanceledError(err), "%v", err)
	require.Len(t, b.transformJobs(), 1)
	require.Equal(t, types.TransformJobStatusStopped, b.transformJobs()[0].TransformJobStatus)
	require.Empty(t, b.models())
}

// part stores truth and answers of a part as earlier activities do.
func (b *bench) part(truth, answers string) (lifecycle.Part, lifecycle.Scored) {
	at := "s3://steward/models/flights/" + b.Name() + "/"
	store(b.T, b.objects, map[string]string{at + "truth/data.csv": truth, at + "scores/data.csv.out": answers})
	return lifecycle.Part{Truth: at + "truth/", Rows: int64(strings.Count(truth, "\n") - 1)}, lifecycle.Scored{URI: at + "scores/", Cost: 2}
}

func TestEvaluate(t *testing.T) {
	b := newBench(t)
	wanted := []lifecycle.SliceWanted{{Column: "origin", Metric: "auc", MinRows: 2}}
	truth := "id,label,origin\na,0,ATL\nb,1,ATL\nc,0,JFK\nd,0,JFK\ne,1,\nf,1,ORD\ng,0,\n"
	part, scored := b.part(truth, "0.1\n0.9\n0.2\n0.3\n0.8\n0.25\n0.7\n")
	got := run(t, b.env, b.evaluation.Evaluate, lifecycle.EvaluateInput{
		Of: first, Name: "test", Part: part, Scored: scored, Task: lifecycle.Binary, Slices: wanted,
	})
	require.Equal(t, int64(7), got.Rows)
	require.InDelta(t, 10.0/12, got.Metrics["auc"], 1e-12, "of 12 pairs, f loses to d and g")
	require.InDelta(t, 5.0/7, got.Metrics["accuracy"], 1e-12)
	require.InDelta(t, 2, got.Cost, 0)
	raw, err := evidence.NewPacks(b.objects, testBucket).Bytes(t.Context(), *got.Curves)
	require.NoError(t, err, "its digest is right")
	var curves report.Judged
	require.NoError(t, json.Unmarshal(raw, &curves))
	require.InDelta(t, got.Metrics["auc"], curves.ROC.AUC, 1e-12)
	require.Equal(t, []lifecycle.Slice{
		{Column: "origin", Value: missingValue, Metric: "auc", Rows: 2, Result: 1},
		{Column: "origin", Value: "ATL", Metric: "auc", Rows: 2, Result: 1},
		{Column: "origin", Value: "JFK", Metric: "auc", Rows: 2, Undefined: (&stats.OneClassError{Negative: 2}).Error()},
	}, got.Slices)
}

func TestEvaluateRegression(t *testing.T) {
	b := newBench(t)
	part, scored := b.part("id,label\na,1\nb,2\nc,4\n", "1\n2\n1\n")
	got := run(t, b.env, b.evaluation.Evaluate, lifecycle.EvaluateInput{Of: first, Name: "test", Part: part, Scored: scored, Task: lifecycle.Regression})
	require.InDelta(t, math.Sqrt(3), got.Metrics["rmse"], 1e-12)
}

func TestEvaluateOfOneClassMeasuresWhatIsDefined(t *testing.T) {
	b := newBench(t)
	part, scored := b.part("id,label\na,0\nb,0\n", "0.1\n0.9\n")
	got := run(t, b.env, b.evaluation.Evaluate, lifecycle.EvaluateInput{Of: first, Name: "test", Part: part, Scored: scored, Task: lifecycle.Binary})
	require.NotContains(t, got.Metrics, "auc")
	require.Nil(t, got.Curves)
	require.InDelta(t, 0.5, got.Metrics["accuracy"], 1e-12)

	_, err := try(b.env, b.evaluation.Compare, lifecycle.CompareInput{Of: first, Part: part, Task: lifecycle.Binary, Metrics: []string{"auc"}, Champion: scored.URI, Challenger: scored.URI})
	require.Equal(t, lifecycle.DataRejected, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, "one class")
}

func TestAnswersThatDoNotFit(t *testing.T) {
	b := newBench(t)
	truth := "id,label\na,0\nb,1\nc,1\n"
	for name, tt := range map[string]struct{ answers, says string }{
		"too few":        {"0.1\n0.2\n", "have 2 rows, their input 3"},
		"too many":       {"0.1\n0.2\n0.3\n0.4\n", "have 4 rows, their input 3"},
		"a word":         {"0.1\nhigh\n0.3\n", `line 2: "high" is not a number`},
		"nan":            {"0.1\n0.2\nNaN\n", `line 3: "NaN" is not a number`},
		"no probability": {"0.1\n0.2\n1.5\n", "a probability lies between 0 and 1"},
	} {
		t.Run(name, func(t *testing.T) {
			part, scored := b.part(truth, tt.answers)
			_, err := try(b.env, b.evaluation.Evaluate, lifecycle.EvaluateInput{Of: first, Name: "test", Part: part, Scored: scored, Task: lifecycle.Binary})
			require.Equal(t, lifecycle.JobFailed, lifecycle.ErrorType(err), "%v", err)
			require.ErrorContains(t, err, tt.says)
		})
	}
	_, err := try(b.env, b.evaluation.Evaluate, lifecycle.EvaluateInput{Of: first, Slices: []lifecycle.SliceWanted{{Column: "a", Metric: "acu"}}})
	require.Equal(t, lifecycle.Invalid, lifecycle.ErrorType(err))
}
