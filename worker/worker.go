package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"

	"steward/internal/cloud"
	"steward/internal/config"
	"steward/internal/evidence"
	"steward/internal/lifecycle"
	"steward/workflows"
)

// drain is how long activities may take to end once the worker stops. Those
// that wait for a cloud job leave it running, for the next worker to attach to.
const drain = 10 * time.Second

// Options are what a worker needs.
type Options struct {
	Config    config.Config
	Temporal  client.Client
	Namespace string // "default" when empty
	Cloud     *cloud.Clients
	Keys      *evidence.Keyring // whose signatures of decisions count
	Log       *slog.Logger
	Version   string // of this program, for the evidence
}

// Worker is a running worker.
type Worker struct {
	inner  worker.Worker
	failed chan error
}

// Start makes the bucket and the search attributes if they are missing, and
// begins to work.
func Start(ctx context.Context, o Options) (*Worker, error) {
	if o.Namespace == "" {
		o.Namespace = client.DefaultNamespace
	}
	if err := ensureAttributes(ctx, o.Temporal, o.Namespace); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	if err := cloud.NewObjects(o.Cloud.S3).EnsureBucket(ctx, o.Config.Bucket); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	w := &Worker{failed: make(chan error, 1)}
	w.inner = worker.New(o.Temporal, lifecycle.TaskQueue, worker.Options{
		WorkflowTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
		ActivityTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
		WorkerStopTimeout:          drain,
		// Progress is shown to people: the default would hold it back for most of
		// the heartbeat time-out.
		MaxHeartbeatThrottleInterval: 2 * time.Second,
		Interceptors:                 []interceptor.WorkerInterceptor{&stopping{}},
		OnFatalError:                 w.fail,
	})
	workflows.Register(w.inner)
	for _, a := range o.activities() {
		w.inner.RegisterActivity(a)
	}
	if err := w.inner.Start(); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	return w, nil
}

// Serve works until ctx ends, then takes on no more and returns when what runs
// has ended or was given up after the drain time. An error says why the worker
// could not go on.
func (w *Worker) Serve(ctx context.Context) error {
	defer w.inner.Stop()
	select {
	case <-ctx.Done():
		return nil
	case err := <-w.failed:
		return err
	}
}

func (w *Worker) fail(err error) {
	select {
	case w.failed <- fmt.Errorf("worker: %w", err):
	default: // one is enough to end it
	}
}
