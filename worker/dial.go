package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/uber-go/tally/v4"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"steward/internal/telemetry"
)

// patience is how long Dial waits for a Temporal that does not answer yet.
const (
	patience = time.Minute
	retry    = 500 * time.Millisecond
)

// Dial connects to Temporal: to address in plain text, or where Temporal's own
// environment variables and configuration file say when address is empty. It
// tries for a minute, since both may have been started at the same time.
func Dial(ctx context.Context, address string, scope tally.Scope, logger *slog.Logger) (client.Client, error) {
	options := client.Options{HostPort: address}
	if address == "" {
		var err error
		if options, err = envconfig.LoadDefaultClientOptions(); err != nil {
			return nil, fmt.Errorf("temporal configuration: %w", err)
		}
	}
	options.Logger = log.NewStructuredLogger(logger)
	options.MetricsHandler = telemetry.Handler(scope)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(retry)
	defer ticker.Stop()
	for {
		c, err := client.DialContext(ctx, options)
		if err == nil {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("temporal at %s does not answer (TEMPORAL_ADDRESS says where it is): %w", where(options), err)
		case <-ticker.C:
			logger.WarnContext(ctx, "waiting for Temporal", "address", where(options), "error", err)
		}
	}
}

func where(o client.Options) string {
	if o.HostPort == "" {
		return client.DefaultHostPort
	}
	return o.HostPort
}
