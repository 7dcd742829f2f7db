package sagemaker

import (
	"context"
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
	if s.cfg.Faults == nil {
		return nil
	}
	delay, struck := s.cfg.Faults.Strike(faults.SlowStart, names...)
	if !struck {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

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
