package gateway

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	enumspb "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"steward/gateway/alertmanager"
	"steward/internal/lifecycle"
)

const (
	alertsRoute = "/v1/alerts/alertmanager"
	// alertPatience is how long a sender of alerts is kept waiting: some give up
	// after 5 seconds.
	alertPatience = 4 * time.Second
	// deliveries is how many models are told of their alerts at once.
	deliveries = 16
	// knownFor is how long a model that was there is taken to be there still.
	knownFor = 10 * time.Second
)

var modelName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// alerts takes an Alertmanager message: all of its alerts or, with an error
// that says which are missing, those that can be taken. Senders repeat what
// failed as a whole, which does no harm: a model knows what it was told.
func (s *Server) alerts(c echo.Context) error {
	who, err := permit(c.Request().Context(), "send alerts", alerters)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return err
	}
	message, wrong := alertmanager.Parse(raw)
	var failed []error
	if wrong != nil {
		failed = append(failed, refuse(lifecycle.Invalid, "%s", wrong))
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), alertPatience)
	defer cancel()
	failed = append(failed, s.deliver(ctx, message.Alerts, who.Subject)...)
	if message.Truncated > 0 {
		s.cfg.Logger.WarnContext(ctx, "Alertmanager left alerts out; raise max_alerts", "left out", message.Truncated)
	}
	if err := gravest(failed); err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, Taken{len(message.Alerts)})
}

// deliver signals every alert to its model, and returns what failed, at most
// one error a model, in the order of their names.
func (s *Server) deliver(ctx context.Context, alerts []alertmanager.Alert, by string) []error {
	of := map[string][]alertmanager.Alert{}
	for _, a := range alerts {
		of[a.Model()] = append(of[a.Model()], a)
	}
	models := slices.Sorted(maps.Keys(of))
	failed := make([]error, len(models))
	var group errgroup.Group
	group.SetLimit(deliveries)
	for i, model := range models {
		group.Go(func() error {
			failed[i] = s.deliverTo(ctx, model, of[model], by)
			return nil // one model's failure must not keep others from hearing
		})
	}
	_ = group.Wait() // failed has them
	return slices.DeleteFunc(failed, func(err error) bool { return err == nil })
}

// deliverTo signals its alerts to a model, in the order of the message.
func (s *Server) deliverTo(ctx context.Context, model string, alerts []alertmanager.Alert, by string) error {
	if err := s.mustKnow(ctx, model); err != nil {
		return err
	}
	for _, a := range alerts {
		told := a.Lifecycle()
		told.By = by
		if err := signal(ctx, s.cfg.Temporal, modelRun(model), lifecycle.AlertSignal, told); err != nil {
			s.known.forget(model)
			return err
		}
	}
	return nil
}

// gravest reduces what failed to one answer, or nil. What another attempt may
// mend goes first: senders repeat after 5xx only. Else every reason is given.
func gravest(failed []error) error {
	if len(failed) == 0 {
		return nil
	}
	ours := slices.DeleteFunc(slices.Clone(failed), func(err error) bool { return refusalOf(err).status < http.StatusInternalServerError })
	if len(ours) > 0 {
		return errors.Join(ours...)
	}
	var reasons []string
	for _, err := range failed {
		reasons = append(reasons, refusalOf(err).Message)
	}
	return refuse(refusalOf(failed[0]).Type, "%s", strings.Join(reasons, "\n"))
}

// mustKnow returns NotFound for a model that never was, and Conflict for one whose
// life has ended.
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
		return refuse(lifecycle.Conflict, "%s", to.over)
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
