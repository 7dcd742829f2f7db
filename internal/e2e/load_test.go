package e2e

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// load is traffic of one kind that goes on from life to life of a cloud, and
// that remembers what it was told.
type load interface {
	// step does one thing and notes whether it was acknowledged.
	step(ctx context.Context, c clients) error
	// check holds a new life of the cloud against what was acknowledged; what
	// was not may have happened or not, and is what it is from now on.
	check(ctx context.Context, c clients) error
}

// drive steps through loads side by side until the clients' life is said to end.
// What fails before is an error.
func drive(ctx context.Context, c clients, loads []load) (done func() error) {
	return sideBySide(loads, func(l load) error {
		for !over(c.dying) {
			if err := l.step(ctx, c); err != nil && !over(c.dying) {
				return err
			}
		}
		return nil
	})
}

func checkAll(ctx context.Context, c clients, loads []load) error {
	return sideBySide(loads, func(l load) error { return l.check(ctx, c) })()
}

// sideBySide runs what is to be done with each load; done waits for the end and
// returns the first error.
func sideBySide(loads []load, do func(load) error) (done func() error) {
	var g errgroup.Group
	for _, l := range loads {
		g.Go(func() error {
			if err := do(l); err != nil {
				return fmt.Errorf("%T: %w", l, err)
			}
			return nil
		})
	}
	return g.Wait
}

func over(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

var errDying = errors.New("the cloud is about to die")

// until asks again and again, as long as this life lasts.
func (c clients) until(ctx context.Context, holds func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := holds(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-c.dying:
			return errDying
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
