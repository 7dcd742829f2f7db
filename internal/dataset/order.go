package dataset

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
)

// maxWorkers bounds how many pieces of a file are held at a time, and so the
// memory that reading takes.
const maxWorkers = 16

func workers() int { return min(runtime.GOMAXPROCS(0), maxWorkers) }

// inOrder works on jobs on all cores and takes the results in the order of the
// jobs. next ends with io.EOF; any other error ends the work after the results
// before it were taken. Each worker has a work function of its own. When it
// returns, all it started has ended.
func inOrder[J, R any](ctx context.Context, next func(context.Context) (J, error), newWork func() func(J) (R, error), take func(R) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()

	l := line[J, R]{queue: make(chan task[J, R]), order: make(chan task[J, R], workers())}
	running.Go(func() { l.produce(ctx, next) })
	for range workers() {
		running.Go(func() {
			work := newWork()
			for t := range l.queue {
				t.done.result, t.done.err = work(t.job)
				close(t.done.ready)
			}
		})
	}
	for t := range l.order {
		select {
		case <-t.done.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
		if t.done.err != nil {
			return t.done.err
		}
		if err := take(t.done.result); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// line is the way of the jobs: each stands in order until it was taken, and in
// the queue until a worker has time.
type line[J, R any] struct {
	queue, order chan task[J, R]
}

type task[J, R any] struct {
	job  J
	done *outcome[R]
}

type outcome[R any] struct {
	ready  chan struct{} // closed when there is a result
	result R
	err    error
}

func (l line[J, R]) produce(ctx context.Context, next func(context.Context) (J, error)) {
	defer close(l.order)
	defer close(l.queue)
	for ctx.Err() == nil {
		job, err := next(ctx)
		if errors.Is(err, io.EOF) {
			return
		}
		t := task[J, R]{job, &outcome[R]{ready: make(chan struct{}), err: err}}
		if err != nil {
			close(t.done.ready)
		}
		select {
		case l.order <- t:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
		select {
		case l.queue <- t:
		case <-ctx.Done():
			return
		}
	}
}
