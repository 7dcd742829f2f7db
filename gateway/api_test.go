package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"

	"steward/internal/lifecycle"
)

// Temporal says NotFound of a run that has ended, too: what an order is told
// depends on what became of the run.
func TestOrdersToWhatTakesNone(t *testing.T) {
	const done, running = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	for _, tt := range []struct {
		name   string
		found  *workflowservice.DescribeWorkflowExecutionResponse
		failed error
		status int
		kind   string
		says   string
	}{
		{"never was", nil, serviceerror.NewNotFound("x"), 404, lifecycle.NotFound, "model flight-delay is not known"},
		{"completed", described(done), nil, 409, lifecycle.Conflict, "model flight-delay is no longer alive"},
		{"terminated", described(enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED), nil, 409, lifecycle.Conflict, "`steward status flight-delay` shows why"},
		{"begun anew", described(running), nil, 503, Unavailable, "try again"},
		{"cannot be told", nil, serviceerror.NewUnavailable("x"), 503, Unavailable, "did not answer in time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.updates(lifecycle.Ordered{}, serviceerror.NewNotFound("workflow execution already completed"), nil)
			s.temporal.On("DescribeWorkflowExecution", mock.Anything, "model/flight-delay", "").Return(tt.found, tt.failed)
			rec := s.ask("deniz", "POST", "/v1/models/flight-delay/releases", `{"reason": "more data"}`)
			require.Equal(t, tt.status, rec.Code, rec.Body.String())
			require.Equal(t, tt.kind, refusalIn(t, rec).Type)
			require.Contains(t, refusalIn(t, rec).Message, tt.says)
		})
	}
}

// A run may take an order and end before it answers.
func TestOrdersToWhatEndsMeanwhile(t *testing.T) {
	s := newSite(t)
	s.updates(nil, nil, temporal.NewNonRetryableApplicationError("Workflow Update failed because the Workflow completed before the Update completed.", acceptedTooLate, nil))
	rec := s.ask("deniz", "POST", "/v1/models/flight-delay/releases", `{"reason": "more data"}`)
	require.Equal(t, 409, rec.Code, rec.Body.String())
	require.Contains(t, refusalIn(t, rec).Message, "model flight-delay is no longer alive")
}

func TestDecisionErrors(t *testing.T) {
	good := `{"approve": true, "digest": "` + digestOf("e") + `", "comment": "fine"}`
	for _, tt := range []struct {
		name, body string
		sent, done error // by Temporal, by the workflow
		status     int
		kind, says string
	}{
		{"ok", good, nil, nil, 200, "", ""},
		{"no JSON", `{`, nil, nil, 400, lifecycle.Invalid, ""},
		{"no body", ``, nil, nil, 400, lifecycle.Invalid, "request body is required"},
		{"no digest", `{"approve": true}`, nil, nil, 422, lifecycle.Invalid, "digest"},
		{"short digest", `{"approve": true, "digest": "sha256:ab"}`, nil, nil, 422, lifecycle.Invalid, "sha256:ab"},
		{"unknown field", `{"approve": true, "digest": "` + digestOf("e") + `", "force": true}`, nil, nil, 422, lifecycle.Invalid, "force"},
		{"wrong type", `{"approve": "yes", "digest": "` + digestOf("e") + `"}`, nil, nil, 422, lifecycle.Invalid, "approve"},
		{"too late", good, nil, lifecycle.Fail(lifecycle.Conflict, "release 2 is over"), 409, lifecycle.Conflict, "release 2 is over"},
		{"denied", good, nil, lifecycle.Fail(lifecycle.Denied, "ana started it"), 403, lifecycle.Denied, "ana started it"},
		{"invalid", good, nil, lifecycle.Fail(lifecycle.Invalid, "about model x"), 422, lifecycle.Invalid, "about model x"},
		{"a job's failure", good, nil, lifecycle.Fail(lifecycle.JobFailed, "training failed"), 500, lifecycle.JobFailed, "training failed"},
		{"unknown", good, serviceerror.NewNotFound("workflow not found"), nil, 404, lifecycle.NotFound, "release 2 of model flight-delay is not known"},
		{"down", good, serviceerror.NewUnavailable("connection refused to 10.0.0.1"), nil, 503, Unavailable, "did not answer in time"},
		{"no worker", good, client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded), nil, 503, Unavailable, "look, then try again"},
		{"busy", good, serviceerror.NewResourceExhausted(1, "rps"), nil, 503, Unavailable, ""},
		{"late answer", good, nil, context.DeadlineExceeded, 503, Unavailable, ""},
		{"a type of others", good, nil, lifecycle.Fail("Secret", "password=1"), 500, Internal, "the gateway's log says more"},
		{"boom", good, errors.New("password=1"), nil, 500, Internal, "the gateway's log says more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.updates(lifecycle.ReleaseState{Number: 2}, tt.sent, tt.done)
			s.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, "").Return(nil, serviceerror.NewNotFound("x")).Maybe()
			rec := s.ask("ana", "POST", "/v1/models/flight-delay/releases/2/decision", tt.body)
			require.Equal(t, tt.status, rec.Code, rec.Body.String())
			require.Equal(t, "application/json", rec.Header().Get("Content-Type"))
			require.NotContains(t, rec.Body.String(), "password")
			require.NotContains(t, rec.Body.String(), "10.0.0.1")
			if tt.kind == "" {
				return
			}
			require.Equal(t, tt.kind, refusalIn(t, rec).Type)
			require.Contains(t, rec.Body.String(), tt.says)
			if tt.status == 500 && tt.kind == Internal {
				require.Contains(t, s.log.String(), "password=1", "what is hidden is logged")
			}
			require.Equal(t, tt.status >= 500, strings.Contains(s.log.String(), `"level":"ERROR"`), s.log.String())
		})
	}
}

func TestDecisionIsSigned(t *testing.T) {
	s := newSite(t)
	s.updates(lifecycle.ReleaseState{Number: 2, Stage: lifecycle.StageRollout}, nil, nil)
	body := `{"approve": false, "digest": "` + digestOf("e") + `", "comment": "no"}`
	rec := s.ask("ana", "POST", "/v1/models/flight-delay/releases/2/decision", body, "Idempotency-Key", "k1")
	require.Equal(t, 200, rec.Code)
	require.Contains(t, rec.Body.String(), `"stage":"rollout"`)
	sent := s.temporal.Calls[0].Arguments.Get(1).(client.UpdateWorkflowOptions)
	require.Equal(t, once("ana", lifecycle.DecideUpdate, "k1", "reject", digestOf("e")), sent.UpdateID)
	require.Equal(t, client.WorkflowUpdateStageCompleted, sent.WaitForStage)
	d := sent.Args[0].(lifecycle.Decision)
	require.WithinDuration(t, time.Now(), d.At, time.Minute)
	d.At = time.Time{}
	require.Equal(t, lifecycle.Decision{Model: "flight-delay", Release: 2, Digest: digestOf("e"), Subject: "ana",
		Roles: []lifecycle.Role{lifecycle.DataScientist}, Comment: "no", Key: "test", Signature: []byte("ana")}, d)
}

func TestOrders(t *testing.T) {
	for _, tt := range []struct {
		path, body, id, update string
		status                 int
		order                  any
	}{
		{"releases", `{"reason": "new data"}`, "model/m", lifecycle.ReleaseUpdate, 202, lifecycle.Order{By: "oli", Reason: "new data"}},
		{"rollback", `{"reason": "worse"}`, "model/m", lifecycle.RollbackUpdate, 202, lifecycle.Order{By: "oli", Reason: "worse"}},
		{"pause", `{"reason": "holidays", "watch": true}`, "model/m", lifecycle.PauseUpdate, 200, lifecycle.Order{By: "oli", Reason: "holidays", Watch: true}},
		{"resume", `{"reason": "over"}`, "model/m", lifecycle.ResumeUpdate, 200, lifecycle.Order{By: "oli", Reason: "over"}},
		{"retire", `{"reason": "replaced"}`, "model/m", lifecycle.RetireUpdate, 200, lifecycle.Order{By: "oli", Reason: "replaced"}},
		{"releases/3/cancel", `{"reason": "wrong data"}`, "model/m/release/3", lifecycle.CancelUpdate, 200, lifecycle.Cancel{By: "oli", Reason: "wrong data"}},
		{"releases/3/rollout", `{"promote": true, "comment": "good"}`, "model/m/release/3/rollout", lifecycle.PromoteUpdate, 200, lifecycle.RolloutDecision{By: "oli", Promote: true, Comment: "good"}},
		{"releases/3/rollout", `{"promote": false}`, "model/m/release/3/rollout", lifecycle.AbortUpdate, 200, lifecycle.RolloutDecision{By: "oli"}},
	} {
		t.Run(tt.path+" "+tt.update, func(t *testing.T) {
			s := newSite(t)
			s.state("model/m", lifecycle.ModelState{})
			s.updates(struct{}{}, nil, nil)
			rec := s.ask("oli", "POST", "/v1/models/m/"+tt.path, tt.body)
			require.Equal(t, tt.status, rec.Code, rec.Body.String())
			s.temporal.AssertCalled(t, "UpdateWorkflow", mock.Anything, client.UpdateWorkflowOptions{
				WorkflowID: tt.id, UpdateName: tt.update, Args: []any{tt.order}, WaitForStage: client.WorkflowUpdateStageCompleted,
			})
		})
	}
}

func TestRolloutOfARollback(t *testing.T) {
	s := newSite(t)
	id := lifecycle.RollbackID("m", 1, 2)
	s.state("model/m", lifecycle.ModelState{InFlight: &lifecycle.InFlight{Release: 1, Rollback: true, Workflow: id}})
	s.updates(lifecycle.RolloutState{}, nil, nil)
	rec := s.ask("oli", "POST", "/v1/models/m/releases/1/rollout", `{"promote": false, "comment": "stop"}`)
	require.Equal(t, 200, rec.Code, rec.Body.String())
	require.Equal(t, id, s.temporal.Calls[1].Arguments.Get(1).(client.UpdateWorkflowOptions).WorkflowID)
}

const modelFile = `apiVersion: steward/v1
kind: Model
metadata:
  name: flight-delay
  team: rebooking
  owners: {operator: ops@example.com}
spec:
  objective: {statement: Warn travellers, risk: limited}
  data:
    sources: [{name: flights, uri: "s3://demo/flights/", format: parquet}]
    label: late
    time: departed_at
    id: flight_id
    features: [month, distance]
    split: {by: time, validation: 0.1, test: 0.2}
    groundTruth: {uri: "s3://demo/truth/", key: flight_id, matureAfter: 24h, minCoverage: 0.9}
  training:
    budget: 50
    candidates: [{name: linear, image: steward/linear, instance: ml.m5.large}]
    select: {metric: auc, goal: maximize}
  gates: [{metric: auc, min: 0.65}]
  approval: {require: [{role: operator}], expire: 14d}
  rollout:
    endpoint: {instance: ml.m5.large}
    steps: [{smoke: {}}, {promote: {}}]
    analysis: {every: 1m, minSamples: 200, metrics: [{name: errors, max: 0.01}]}
  watch: {every: 1h}
`

func TestApply(t *testing.T) {
	s := newSite(t)
	handle := &mocks.WorkflowUpdateHandle{}
	handle.On("Get", mock.Anything, mock.Anything).Return(func(_ context.Context, to any) error {
		return answers{lifecycle.Applied{Created: true, Changed: true, Digest: "d"}}.Get(to)
	})
	var started client.StartWorkflowOptions
	s.temporal.On("NewWithStartWorkflowOperation", mock.Anything, lifecycle.ModelWorkflow, mock.Anything).
		Run(func(args mock.Arguments) { started = args.Get(0).(client.StartWorkflowOptions) }).Return(nil)
	s.temporal.On("UpdateWithStartWorkflow", mock.Anything, mock.Anything).Return(handle, nil)
	rec := s.ask("deniz", "POST", "/v1/models", modelFile, "Content-Type", "application/yaml")
	require.Equal(t, 200, rec.Code, rec.Body.String())
	require.JSONEq(t, `{"created": true, "changed": true, "digest": "d"}`, rec.Body.String())
	require.Equal(t, "model/flight-delay", started.ID)
	require.Equal(t, lifecycle.TaskQueue, started.TaskQueue)
	sent := s.temporal.Calls[1].Arguments.Get(1).(client.UpdateWithStartWorkflowOptions).UpdateOptions
	a := sent.Args[0].(lifecycle.Apply)
	require.Equal(t, "deniz", a.By)
	require.Equal(t, "late", a.Spec.Data.Label)
	digest, err := lifecycle.Digest(a.Spec)
	require.NoError(t, err)
	require.Equal(t, digest, a.Digest)
}

func TestApplyNamesEveryMistake(t *testing.T) {
	s := newSite(t)
	wrong := strings.Replace(strings.Replace(modelFile, "risk: limited", "risk: huge", 1), "  watch:", "  wach:", 1)
	rec := s.ask("deniz", "POST", "/v1/models?file=flight.yaml", wrong, "Content-Type", "application/yaml")
	require.Equal(t, 422, rec.Code)
	r := refusalIn(t, rec)
	require.Equal(t, lifecycle.Invalid, r.Type)
	require.GreaterOrEqual(t, len(r.Problems), 2, rec.Body.String())
	require.Equal(t, "flight.yaml", r.Problems[0].File)
	require.Contains(t, rec.Body.String(), "huge")
	require.Contains(t, rec.Body.String(), "wach")
}

func TestReading(t *testing.T) {
	s := newSite(t)
	s.sample(sampleModel(), sampleRelease(), lifecycle.Progress{Job: "j", Status: "InProgress", Done: 0.5})
	s.state(lifecycle.WatchID("flight-delay"), lifecycle.WatchState{Seq: 4})
	s.list()
	for _, tt := range []struct{ path, want string }{
		{"/v1/models", `{"models":[{"name":"card-fraud","team":"","stage":"","health":"unknown","release":0,"awaiting":""},{"name":"churn","team":"retention","stage":"serving","health":"good","release":14,"awaiting":""},`},
		{"/v1/models/flight-delay", `"health":"degraded"`},
		{"/v1/models/flight-delay/watch", `"seq":4`},
		{"/v1/models/flight-delay/ledger", `{"entries":[{"seq":1,`},
		{"/v1/models/flight-delay/releases/2", `"jobs":[{"job":"j","status":"InProgress","done":0.5}]}`},
		{"/healthz", `{"status":"ok"}`},
		{"/metrics", "up 1"},
	} {
		rec := s.ask("aud", "GET", tt.path, "")
		require.Equal(t, 200, rec.Code, rec.Body.String())
		require.Contains(t, rec.Body.String(), tt.want)
	}
	rec := s.ask("aud", "GET", "/v1/models/flight-delay/releases/2/evidence", "")
	require.Equal(t, `{"format": "steward/evidence/v1"}`, rec.Body.String(), "byte for byte")
	require.Equal(t, "application/json", rec.Header().Get("Content-Type"))
}

func TestEvidenceOfAnOldRelease(t *testing.T) {
	s := newSite(t)
	s.absent()
	s.archive.packs["s3://b/m.json"] = "{}"
	s.archive.entries = []lifecycle.Entry{
		{Kind: lifecycle.EntrySealed, Release: 1, Data: map[string]any{"uri": "s3://b/m.json", "digest": digestOf("1")}},
		{Kind: lifecycle.EntrySealed, Release: 2, Data: map[string]any{"digest": digestOf("2")}},
	}
	require.Equal(t, "{}", s.ask("aud", "GET", "/v1/models/m/releases/1/evidence", "").Body.String())
	require.Equal(t, 404, s.ask("aud", "GET", "/v1/models/m/releases/2/evidence", "").Code)
	require.Equal(t, 404, s.ask("aud", "GET", "/v1/models/m/releases/3/evidence", "").Code)
}

func TestNotYetSealed(t *testing.T) {
	s := newSite(t)
	s.state(lifecycle.ReleaseID("m", 1), lifecycle.ReleaseState{Stage: lifecycle.StageTrain})
	rec := s.ask("aud", "GET", "/v1/models/m/releases/1/evidence", "")
	require.Equal(t, 404, rec.Code)
	require.Contains(t, rec.Body.String(), "it is at stage train")
}

func TestUnknownThings(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/models/m":            "model m is not known; `steward status` lists the models",
		"/v1/models/m/releases/7": "release 7 of model m is not known",
		"/v1/models/m/watch":      "nothing of model m is watched",
		"/v1/models/m/ledger":     "model m is not known",
		"/v1/elsewhere":           "not found",
	} {
		s := newSite(t)
		s.absent()
		rec := s.ask("aud", "GET", path, "")
		require.Equal(t, 404, rec.Code)
		r := refusalIn(t, rec)
		require.Equal(t, lifecycle.NotFound, r.Type)
		require.Contains(t, r.Message, want)
	}
}

func TestWrongPaths(t *testing.T) {
	s := newSite(t)
	for path, status := range map[string]int{"/v1/models/No_Such": 422, "/v1/models/m/releases/0": 422, "/v1/models/m/releases/x": 422,
		"/v1/models/" + strings.Repeat("m", 31): 422} {
		rec := s.ask("aud", "GET", path, "")
		require.Equal(t, status, rec.Code, path)
		require.NotEmpty(t, refusalIn(t, rec).Problems)
	}
	require.Equal(t, 405, s.ask("aud", "DELETE", "/v1/models/m", "").Code)
}

func TestLargeBody(t *testing.T) {
	s := newSite(t)
	rec := s.ask("oli", "POST", "/v1/models/m/pause", `{"reason": "`+strings.Repeat("x", maxBody)+`"}`)
	require.Equal(t, http.StatusRequestEntityTooLarge, rec.Code)
	require.Equal(t, lifecycle.Invalid, refusalIn(t, rec).Type)
	rec = s.ask("oli", "POST", "/v1/alerts/alertmanager", strings.Repeat(" ", maxBody+1))
	require.Equal(t, http.StatusRequestEntityTooLarge, rec.Code)
}

func TestSecretsAreNotEchoed(t *testing.T) {
	s := newSite(t)
	rec := s.ask("oli", "POST", "/v1/models/m/pause", `{"reason": "x"}`, "Idempotency-Key", strings.Repeat("s3cret", 20))
	require.Equal(t, 422, rec.Code)
	require.NotContains(t, rec.Body.String(), "s3cret")
	require.NotContains(t, s.log.String(), "s3cret")
}

func TestOpenAPI(t *testing.T) {
	s := newSite(t)
	rec := s.ask("aud", "GET", "/openapi.json", "")
	require.Equal(t, 200, rec.Code)
	var doc struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Schemas map[string]json.RawMessage }
	}
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &doc))
	require.Len(t, doc.Paths, 15)
	require.Contains(t, doc.Paths["/v1/models/{name}/releases/{n}/decision"], "post")
	require.Contains(t, string(doc.Components.Schemas["Refusal"]), `"problems"`)
	require.Contains(t, rec.Body.String(), "a share such as 0.01, or a duration such as 200ms")
	require.Equal(t, 404, s.ask("aud", "GET", "/docs", "").Code)
}
