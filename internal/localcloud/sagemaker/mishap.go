package sagemaker

import (
	"context"
	"errors"
	"time"

	"steward/internal/localcloud/faults"
)

// Faults says by rule what befalls jobs and model servers.
type Faults interface {
	// Strike tells whether something with one of the names is struck, and after
	// which delay.
	Strike(kind faults.Kind, names ...string) (delay time.Duration, struck bool)
	// Changed is closed when the rules change.
	Changed() <-chan struct{}
}

// startSlowly waits for as long as a rule delays the start of what has the
// names.
func (s *Service) startSlowly(ctx context.Context, names ...string) error {
	_, err := s.struck(ctx, faults.SlowStart, names...)
	return err
}

// struck tells whether a rule strikes what has the names, once its delay is over.
func (s *Service) struck(ctx context.Context, kind faults.Kind, names ...string) (bool, error) {
	if s.cfg.Faults == nil {
		return false, nil
	}
	delay, struck := s.cfg.Faults.Strike(kind, names...)
	if !struck {
		return false, nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// errSilent is the failure of a change that is taken back without a word: AWS may
// do so and say InService, on the old configuration.
var errSilent = errors.New("")

// interruption is closed when a rule takes the instances of a running spot job
// away; rules that are set while it runs count too. It is nil without rules.
func (s *Service) interruption(ctx context.Context, job string) <-chan struct{} {
	if s.cfg.Faults == nil {
		return nil
	}
	taken := make(chan struct{})
	s.spawn(func() {
		for {
			changed := s.cfg.Faults.Changed()
			var due <-chan time.Time
			if delay, struck := s.cfg.Faults.Strike(faults.Interrupt, job); struck {
				due = time.After(delay)
			}
			select {
			case <-due:
				close(taken)
				return
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	})
	return taken
}
