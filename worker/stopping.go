package worker

import (
	"context"
	"errors"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
)

// errStopping ends what waits when the worker stops. It is no cancellation: jobs
// go on, and the next worker attaches to them.
var errStopping = errors.New("the worker stops; the next one takes over")

// stopping lets activities that wait, which are those that heartbeat, end when
// the worker stops. Others take seconds and are let finish.
type stopping struct {
	interceptor.WorkerInterceptorBase
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (*stopping) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &stoppable{interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type stoppable struct {
	interceptor.ActivityInboundInterceptorBase
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (s *stoppable) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	if activity.GetInfo(ctx).HeartbeatTimeout == 0 {
		return s.Next.ExecuteActivity(ctx, in)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-activity.GetWorkerStopChannel(ctx):
			cancel(errStopping)
		case <-ctx.Done():
		}
	}()
	return s.Next.ExecuteActivity(ctx, in)
}
