package activities

import (
	"context"

	"steward/internal/lifecycle"
	"steward/internal/notify"
)

// People talks to people.
type People struct{ Notifier *notify.Notifier }

// Tell sends a notice to the log and the webhooks.
func (p *People) Tell(ctx context.Context, n lifecycle.Notice) error {
	return p.Notifier.Send(ctx, n)
}
