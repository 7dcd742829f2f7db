package gateway

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	enumspb "go.temporal.io/api/enums/v1"

	"steward/gateway/alertmanager"
	"steward/internal/lifecycle"
)

const (
	// alertPatience is how long a sender of alerts is kept waiting: some give up
	// after 5 seconds.
	alertPatience = 4 * time.Second
	// knownFor is how long a model that was there is taken to be there still.
	knownFor = 10 * time.Second
)

var modelName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// alerts takes an Alertmanager message: all of its alerts or, with an error
// that makes the sender try again, those that a repeat does not repeat.
func (s *Server) alerts(c echo.Context) error {
	if _, err := permit(c.Request().Context(), "send alerts", changers); err != nil {
		return err
	}
	raw, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return err
	}
	message, err := alertmanager.Parse(raw)
	if err != nil {
		return refuse(lifecycle.Invalid, "%s", err)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), alertPatience)
	defer cancel()
	if err := s.deliver(ctx, message); err != nil {
		return err
	}
	if message.Truncated > 0 {
		s.cfg.Logger.WarnContext(ctx, "Alertmanager left alerts out; raise max_alerts", "left out", message.Truncated)
	}
	return c.JSON(http.StatusAccepted, Taken{len(message.Alerts)})
}

// deliver signals every alert to its model, once all models are known.
func (s *Server) deliver(ctx context.Context, m alertmanager.Message) error {
	for _, model := range modelsOf(m) {
		if err := s.mustKnow(ctx, model); err != nil {
			return err
		}
	}
	for _, a := range m.Alerts {
		err := signal(ctx, s.cfg.Temporal, modelRun(a.Model()), lifecycle.AlertSignal, a.Lifecycle())
		if err != nil {
			s.known.forget(a.Model())
			return err
		}
	}
	return nil
}

func modelsOf(m alertmanager.Message) []string {
	var names []string
	for _, a := range m.Alerts {
		names = append(names, a.Model())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// mustKnow returns NotFound unless a model's workflow runs.
func (s *Server) mustKnow(ctx context.Context, model string) error {
	to := modelRun(model)
	if !modelName.MatchString(model) {
		return refuse(lifecycle.NotFound, "%s", modelRun(firstRunes(model, 40)).missing)
	}
	if s.known.has(model, time.Now()) {
		return nil
	}
	d, err := describe(ctx, s.cfg.Temporal, to)
	if err != nil {
		return err
	}
	if d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return refuse(lifecycle.NotFound, "%s", to.missing)
	}
	s.known.add(model, time.Now())
	return nil
}

// memory holds the models that were there lately. Only models that exist get
// in, so it does not grow with what senders make up.
type memory struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (m *memory) has(model string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return now.Before(m.until[model])
}

func (m *memory) add(model string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.until[model] = now.Add(knownFor)
}

func (m *memory) forget(model string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.until, model)
}
