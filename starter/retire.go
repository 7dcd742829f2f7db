package main

import (
	"context"
	"fmt"
	"time"

	"steward/internal/apiclient"
	"steward/internal/lifecycle"
)

// retiring is how a retirement is waited for.
type retiring struct {
	every    time.Duration // between two looks
	patience time.Duration // with a gateway that does not answer
}

var patient = retiring{every: 500 * time.Millisecond, patience: 2 * time.Minute}

// awaitGone waits until all that serves a model has been removed. It fails when
// the retirement did, or when nobody could tell for too long.
func (r retiring) awaitGone(ctx context.Context, c *apiclient.Client, model string) (lifecycle.ModelState, error) {
	look := time.NewTicker(r.every)
	defer look.Stop()
	answered := time.Now()
	for {
		s, err := c.Model(ctx, model)
		switch {
		case err == nil && !s.Gone.IsZero():
			return s, nil
		case err == nil && s.Problem != nil:
			return s, fmt.Errorf("%s is not retired, something of it may still serve: %w", model, s.Problem)
		case err == nil && s.Retired == nil:
			return s, fmt.Errorf("%s is not being retired any more: somebody declared it anew", model)
		case err == nil:
			answered = time.Now()
		case exitCode(err) != exitUnreachable || time.Since(answered) > r.patience:
			return s, fmt.Errorf("%s is being retired, see how it ends with `steward status %s`: %w", model, model, err)
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return s, fmt.Errorf("%s is being retired, but not gone yet: %w", model, ctx.Err())
		}
	}
}
