// Package telemetry sets up what the processes say about themselves: metrics
// for Prometheus and logs.
package telemetry

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/uber-go/tally/v4"
	reporter "github.com/uber-go/tally/v4/prometheus"
	"go.temporal.io/sdk/client"
	sdktally "go.temporal.io/sdk/contrib/tally"
)

// buckets are the upper bounds of every histogram, in seconds. Activities here
// take from a millisecond to a day; the reporter's own buckets end at 10 s.
var buckets = []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30,
	60, 300, 900, 1800, 3600, 2 * 3600, 6 * 3600, 12 * 3600, 24 * 3600}

// reportEvery is how often the scope hands its counts to the registry.
const reportEvery = time.Second

// New returns a scope whose metrics are named prefix_…, the handler that
// Prometheus scrapes, and what hands over the last counts when closed.
func New(prefix string) (scope tally.Scope, handler http.Handler, closer io.Closer, err error) {
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		if err := registry.Register(c); err != nil {
			return nil, nil, nil, fmt.Errorf("metrics: %w", err)
		}
	}
	failures := prometheus.NewCounter(prometheus.CounterOpts{Name: "telemetry_refused_metrics_total",
		Help: "Metrics that could not be registered, for want of a consistent name or labels."})
	if err := registry.Register(failures); err != nil {
		return nil, nil, nil, fmt.Errorf("metrics: %w", err)
	}
	root, closer := tally.NewRootScope(tally.ScopeOptions{
		Prefix:                 prefix,
		CachedReporter:         reporter.NewReporter(options(registry, failures)),
		Separator:              reporter.DefaultSeparator,
		SanitizeOptions:        &sdktally.PrometheusSanitizeOptions,
		OmitCardinalityMetrics: true,
	}, reportEvery)
	return sdktally.NewPrometheusNamingScope(root), promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), closer, nil
}

// options counts what cannot be registered: a metric must never stop a worker.
func options(registry *prometheus.Registry, failures prometheus.Counter) reporter.Options {
	return reporter.Options{
		Registerer:              registry,
		Gatherer:                registry,
		DefaultTimerType:        reporter.HistogramTimerType,
		DefaultHistogramBuckets: buckets,
		OnRegisterError:         func(error) { failures.Inc() },
	}
}

// Handler returns scope as the Temporal SDK takes it.
func Handler(scope tally.Scope) client.MetricsHandler { return sdktally.NewMetricsHandler(scope) }
