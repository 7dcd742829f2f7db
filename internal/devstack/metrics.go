package devstack

import (
	"io"
	"net/http"

	"github.com/uber-go/tally/v4"

	"steward/internal/telemetry"
)

// Metrics are a process's own: what counts, and what Prometheus reads.
type Metrics struct {
	Scope   tally.Scope
	Handler http.Handler
	io.Closer
}

// NewMetrics makes the metrics of this process; their names begin with steward.
func NewMetrics() (Metrics, error) {
	scope, handler, closer, err := telemetry.New("steward")
	return Metrics{scope, handler, closer}, err
}
