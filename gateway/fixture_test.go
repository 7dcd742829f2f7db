package gateway

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"

	"steward/internal/auth"
	"steward/internal/lifecycle"
	"steward/internal/spec"
)

// people are those of the tests; the token of each is their name.
var people = []auth.User{
	{Subject: "ana", Roles: []lifecycle.Role{lifecycle.DataScientist}, TokenHash: auth.Hash("ana")},
	{Subject: "deniz", Roles: []lifecycle.Role{lifecycle.DataEngineer}, TokenHash: auth.Hash("deniz")},
	{Subject: "pat", Roles: []lifecycle.Role{lifecycle.ProductManager}, TokenHash: auth.Hash("pat")},
	{Subject: "oli", Roles: []lifecycle.Role{lifecycle.Operator}, TokenHash: auth.Hash("oli")},
	{Subject: "aud", Roles: []lifecycle.Role{lifecycle.Auditor}, TokenHash: auth.Hash("aud")},
	{Subject: "rita", TokenHash: auth.Hash("rita")},
	{Subject: "bell", Roles: []lifecycle.Role{auth.Reporter}, TokenHash: auth.Hash("bell")},
}

// signer signs in a way that tests can see.
type signer struct{}

func (signer) Sign(d lifecycle.Decision) (lifecycle.Decision, error) {
	d.Key, d.Signature = "test", []byte(d.Subject)
	return d, nil
}

// archive is a ledger and its packs.
type archive struct {
	entries []lifecycle.Entry
	packs   map[string]string // by URI
	err     error
	reads   int
	until   time.Time // deadline of the last read
}

func (a *archive) Read(ctx context.Context, _ string) ([]lifecycle.Entry, error) {
	a.reads++
	a.until, _ = ctx.Deadline()
	return a.entries, a.err
}

func (a *archive) Bytes(_ context.Context, e lifecycle.Evidence) ([]byte, error) {
	return []byte(a.packs[e.URI]), a.err
}

// site is a gateway on a mocked Temporal.
type site struct {
	*Server
	temporal *mocks.Client
	archive  *archive
	log      *strings.Builder
}

func newSite(t *testing.T) *site {
	t.Helper()
	raw, err := json.Marshal(people)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "users.json")
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	users, err := auth.Load(file)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &site{temporal: &mocks.Client{}, archive: &archive{packs: map[string]string{}}, log: &strings.Builder{}}
	s.Server, err = New(Config{
		Listener: listener, Temporal: s.temporal, Users: users, Signer: signer{}, Ledger: s.archive, Packs: s.archive,
		Load: spec.Load, Logger: slog.New(slog.NewJSONHandler(s.log, nil)), TemporalUI: "http://127.0.0.1:8233",
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") }),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// ask sends a request in the name of somebody and returns the answer.
func (s *site) ask(who, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if who != "" {
		req.Header.Set("Authorization", "Bearer "+who)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, req)
	return rec
}

// refusalIn reads the body of an error.
func refusalIn(t *testing.T, rec *httptest.ResponseRecorder) Refusal {
	t.Helper()
	var r Refusal
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &r), rec.Body.String())
	return r
}

// answers is a value that a workflow answered.
type answers struct{ value any }

func (a answers) HasValue() bool { return true }

func (a answers) Get(to any) error {
	raw, err := json.Marshal(a.value)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, to)
}

// state lets a workflow answer its query.
func (s *site) state(id string, value any) {
	s.temporal.On("QueryWorkflow", mock.Anything, id, "", lifecycle.StateQuery).Return(answers{value}, nil)
}

// absent makes every other query fail: there is no such workflow.
func (s *site) absent() {
	s.temporal.On("QueryWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).
		Return(nil, serviceerror.NewNotFound("workflow not found"))
}

// updates lets every update end with an error or an answer.
func (s *site) updates(answer any, sent, done error) {
	handle := &mocks.WorkflowUpdateHandle{}
	handle.On("Get", mock.Anything, mock.Anything).Return(func(_ context.Context, to any) error {
		if done != nil {
			return done
		}
		return answers{answer}.Get(to)
	})
	s.temporal.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(handle, sent)
}

// runs makes a model's workflow run, with these jobs reporting.
func (s *site) runs(id string, jobs ...lifecycle.Progress) {
	d := described(enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING)
	d.PendingActivities = append(d.PendingActivities, &workflow.PendingActivityInfo{})
	for _, j := range jobs {
		details, err := converter.GetDefaultDataConverter().ToPayloads(j)
		if err != nil {
			panic(err)
		}
		d.PendingActivities = append(d.PendingActivities, &workflow.PendingActivityInfo{HeartbeatDetails: details})
	}
	s.temporal.On("DescribeWorkflowExecution", mock.Anything, id, "").Return(d, nil)
}

// described is what Temporal says of a run with this status.
func described(status enumspb.WorkflowExecutionStatus) *workflowservice.DescribeWorkflowExecutionResponse {
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflow.WorkflowExecutionInfo{Status: status}}
}

// execution is a run as Temporal's visibility lists it.
func execution(kind, id string, set map[temporal.SearchAttributeKey]any) *workflow.WorkflowExecutionInfo {
	fields := map[string]*commonpb.Payload{}
	for key, value := range set {
		payload, err := converter.GetDefaultDataConverter().ToPayload(value)
		if err != nil {
			panic(err)
		}
		fields[key.GetName()] = payload
	}
	return &workflow.WorkflowExecutionInfo{
		Type: &commonpb.WorkflowType{Name: kind}, Execution: &commonpb.WorkflowExecution{WorkflowId: id},
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: fields},
	}
}
