package gateway

import (
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

func TestKPI(t *testing.T) {
	s := newSite(t)
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s.temporal.On("SignalWorkflow", mock.Anything, "model/m", "", lifecycle.KPISignal, lifecycle.KPIReading{ID: "k1", Value: 0.31, By: "pat", At: at}).Return(nil).Once()
	s.state("model/m", lifecycle.ModelState{Spec: sampleSpec()})
	rec := s.ask("pat", "POST", "/v1/models/m/kpi", `{"id": "k1", "value": 0.31, "at": "2026-03-01T00:00:00Z"}`)
	require.Equal(t, 202, rec.Code, rec.Body.String())
	require.JSONEq(t, `{"accepted": 1}`, rec.Body.String())
	s.temporal.AssertExpectations(t)
	require.Equal(t, 422, s.ask("pat", "POST", "/v1/models/m/kpi", `{"id": "k1", "value": 0.31, "at": "yesterday"}`).Code)
}

func TestKPIThatNobodyDeclared(t *testing.T) {
	s := newSite(t)
	s.state("model/m", lifecycle.ModelState{})
	rec := s.ask("pat", "POST", "/v1/models/m/kpi", `{"id": "k1", "value": 0.31, "at": "2026-03-01T00:00:00Z"}`)
	require.Equal(t, 409, rec.Code, rec.Body.String())
	require.Equal(t, "model m has no business figure: declare spec.objective.kpi in its model file", refusalIn(t, rec).Message)
	s.temporal.AssertNotCalled(t, "SignalWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything)
}
