package gateway

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"steward/internal/lifecycle"
)

// two alerts for two models, as Alertmanager sends them.
const webhook = `{"version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "steward", "alerts": [
  {"status": "firing", "labels": {"alertname": "HighLatency", "steward_model": "flight-delay", "severity": "page"},
   "annotations": {"summary": "p99 is 2 s"}, "startsAt": "2026-03-02T10:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "f1"},
  {"status": "resolved", "labels": {"alertname": "Errors", "model": "churn"},
   "annotations": {"description": "errors are back to normal"}, "startsAt": "2026-03-02T09:00:00Z", "endsAt": "2026-03-02T10:05:00Z", "fingerprint": "f2"}]}`

func (s *site) signals(err error) {
	s.temporal.On("SignalWorkflow", mock.Anything, mock.Anything, "", lifecycle.AlertSignal, mock.Anything).Return(err)
}

// signalled are the alerts that reached a workflow, by its id.
func (s *site) signalled() map[string]lifecycle.Alert {
	all := map[string]lifecycle.Alert{}
	for _, c := range s.temporal.Calls {
		if c.Method == "SignalWorkflow" {
			all[c.Arguments.String(1)] = c.Arguments.Get(4).(lifecycle.Alert)
		}
	}
	return all
}

func TestAlerts(t *testing.T) {
	s := newSite(t)
	s.runs("model/flight-delay")
	s.runs("model/churn")
	s.signals(nil)
	rec := s.ask("oli", "POST", "/v1/alerts/alertmanager", webhook)
	require.Equal(t, 202, rec.Code, rec.Body.String())
	require.JSONEq(t, `{"accepted": 2}`, rec.Body.String())
	got := s.signalled()
	require.Len(t, got, 2)
	firing, resolved := got["model/flight-delay"], got["model/churn"]
	require.NotEmpty(t, firing.ID)
	firing.ID, resolved.ID = "", ""
	require.Equal(t, lifecycle.Alert{Name: "HighLatency", Source: "alertmanager", By: "oli", Firing: true, Severity: "page", Summary: "p99 is 2 s", At: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}, firing)
	require.Equal(t, lifecycle.Alert{Name: "Errors", Source: "alertmanager", By: "oli", Summary: "errors are back to normal", At: time.Date(2026, 3, 2, 10, 5, 0, 0, time.UTC)}, resolved)
}

func TestKnownModelsAreDescribedOnceInAWhile(t *testing.T) {
	s := newSite(t)
	s.runs("model/flight-delay")
	s.runs("model/churn")
	s.signals(nil)
	for range 3 {
		require.Equal(t, 202, s.ask("oli", "POST", "/v1/alerts/alertmanager", webhook).Code)
	}
	s.temporal.AssertNumberOfCalls(t, "DescribeWorkflowExecution", 2)
	s.temporal.AssertNumberOfCalls(t, "SignalWorkflow", 6)
}

func TestGoodAlertsAreTakenWhateverTheOthersAre(t *testing.T) {
	for _, tt := range []struct {
		name   string
		churn  func(*site)
		status int
		kind   string
	}{
		{"unknown", func(s *site) {
			s.temporal.On("DescribeWorkflowExecution", mock.Anything, "model/churn", "").Return(nil, serviceerror.NewNotFound("x"))
		}, 404, lifecycle.NotFound},
		{"retired", func(s *site) {
			s.temporal.On("DescribeWorkflowExecution", mock.Anything, "model/churn", "").Return(&workflowservice.DescribeWorkflowExecutionResponse{
				WorkflowExecutionInfo: &workflow.WorkflowExecutionInfo{Status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED}}, nil)
		}, 409, lifecycle.Conflict},
		{"down", func(s *site) {
			s.temporal.On("DescribeWorkflowExecution", mock.Anything, "model/churn", "").Return(nil, serviceerror.NewUnavailable("x"))
		}, 503, Unavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.runs("model/flight-delay")
			s.signals(nil)
			tt.churn(s)
			rec := s.ask("oli", "POST", "/v1/alerts/alertmanager", webhook)
			require.Equal(t, tt.status, rec.Code)
			require.Equal(t, tt.kind, refusalIn(t, rec).Type)
			require.Len(t, s.signalled(), 1)
			require.Contains(t, s.signalled(), "model/flight-delay")
		})
	}
}

func TestAlertIsNotAcceptedBeforeItIsStored(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
	}{
		{serviceerror.NewUnavailable("x"), 503},
		{serviceerror.NewDeadlineExceeded("x"), 503},
		{serviceerror.NewNotFound("begun anew"), 503},
		{errors.New("boom"), 500},
	} {
		s := newSite(t)
		s.runs("model/flight-delay")
		s.runs("model/churn")
		s.signals(tt.err)
		require.Equal(t, tt.status, s.ask("oli", "POST", "/v1/alerts/alertmanager", webhook).Code)
		require.False(t, s.known.has("flight-delay", time.Now()), "it is looked for again next time")
	}
}

func TestWrongAlerts(t *testing.T) {
	s := newSite(t)
	rec := s.ask("oli", "POST", "/v1/alerts/alertmanager", `{"version": "5", "alerts": []}`)
	require.Equal(t, 422, rec.Code)
	require.Contains(t, refusalIn(t, rec).Message, `version is "5"`)
	require.Equal(t, 403, s.ask("pat", "POST", "/v1/alerts/alertmanager", webhook).Code)
	require.Equal(t, 401, s.ask("", "POST", "/v1/alerts/alertmanager", webhook).Code)
	require.Empty(t, s.temporal.Calls)
}

// The order of the message holds for each model, and what is wrong is named.
func TestMixedAlerts(t *testing.T) {
	one := func(name, model, status string) string {
		return `{"status": "` + status + `", "labels": {"alertname": "` + name + `", "model": "` + model + `"}, "startsAt": "2026-03-02T10:00:00Z", "fingerprint": "` + name + `"}`
	}
	s := newSite(t)
	s.runs("model/flight-delay")
	s.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, "").Return(nil, serviceerror.NewNotFound("x"))
	s.signals(nil)
	rec := s.ask("oli", "POST", "/v1/alerts/alertmanager", `{"version": "4", "alerts": [`+strings.Join([]string{
		one("A", "nobody", "firing"), one("B", "flight-delay", "firing"), one("C", "No_Name", "firing"),
		one("D", "flight-delay", "resolved"), one("E", "flight-delay", "odd")}, ",")+`]}`)
	require.Equal(t, 422, rec.Code)
	r := refusalIn(t, rec)
	for _, want := range []string{`alerts[4] (E): status "odd"`, "model nobody is not known", "model No_Name is not known"} {
		require.Contains(t, r.Message, want)
	}
	var names []string
	for _, c := range s.temporal.Calls {
		if c.Method == "SignalWorkflow" {
			names = append(names, c.Arguments.Get(4).(lifecycle.Alert).Name)
		}
	}
	require.Equal(t, []string{"B", "D"}, names)
}

// Three models hear of their alerts at the same time: none of the signals ends
// before all have begun.
func TestModelsAreToldAtOnce(t *testing.T) {
	s := newSite(t)
	var begun atomic.Int32
	all := make(chan struct{})
	var alerts []string
	for _, model := range []string{"a", "b", "c"} {
		s.runs("model/" + model)
		alerts = append(alerts, `{"status": "firing", "labels": {"model": "`+model+`"}, "startsAt": "2026-03-02T10:00:00Z", "fingerprint": "f"}`)
	}
	s.temporal.On("SignalWorkflow", mock.Anything, mock.Anything, "", lifecycle.AlertSignal, mock.Anything).
		Return(func(ctx context.Context, _, _, _ string, _ any) error {
			if begun.Add(1) == 3 {
				close(all)
			}
			select {
			case <-all:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	rec := s.ask("oli", "POST", "/v1/alerts/alertmanager", `{"version": "4", "alerts": [`+strings.Join(alerts, ",")+`]}`)
	require.Equal(t, 202, rec.Code, rec.Body.String())
	require.JSONEq(t, `{"accepted": 3}`, rec.Body.String())
}

func TestMemory(t *testing.T) {
	m := memory{until: map[string]time.Time{}}
	require.False(t, m.has("m", t0))
	m.add("m", t0)
	require.True(t, m.has("m", t0.Add(knownFor-1)))
	require.False(t, m.has("m", t0.Add(knownFor)))
	m.forget("m")
	require.False(t, m.has("m", t0))
}
