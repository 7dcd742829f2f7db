// Package live shows a model's life as it happens: a picture of it taken
// through the gateway, that picture as a tree for a terminal, and the changes
// between two pictures as lines for a log.
package live

import (
	"context"
	"errors"
	"fmt"

	"steward/internal/apiclient"
	"steward/internal/lifecycle"
)

// View is one picture of a model.
type View struct {
	Model   lifecycle.ModelState  `json:"model"`
	Release *apiclient.Release    `json:"release,omitempty"` // under way, or the last one
	Watch   *lifecycle.WatchState `json:"watch,omitempty"`   // nil while nothing serves
}

// Look takes a picture. What does not exist yet, or no more, is left out.
func Look(ctx context.Context, c *apiclient.Client, model string) (View, error) {
	var v View
	var err error
	if v.Model, err = c.Model(ctx, model); err != nil {
		return v, err
	}
	if n := v.Number(); n > 0 {
		r, err := c.Release(ctx, model, n)
		if err := known(err); err != nil {
			return v, fmt.Errorf("release %d: %w", n, err)
		}
		if err == nil {
			v.Release = &r
		}
	}
	if v.Model.Champion != nil && v.Model.Retired == nil {
		w, err := c.Watch(ctx, model)
		if err := known(err); err != nil {
			return v, fmt.Errorf("watch: %w", err)
		}
		if err == nil {
			v.Watch = &w
		}
	}
	return v, nil
}

// Number is the release to show: the one under way, or the last; 0 for none. A
// rollback is none: the version that it brings back has had its release.
func (v View) Number() int {
	if v.Model.InFlight != nil && !v.Model.InFlight.Rollback {
		return v.Model.InFlight.Release
	}
	return v.Model.Last
}

// known is err unless it only says that there is nothing.
func known(err error) error {
	if apiclient.Type(err) == lifecycle.NotFound {
		return nil
	}
	return err
}

// Summary returns the line of a release in the model's history, or nil.
func (v View) Summary(n int) *lifecycle.ReleaseSummary {
	for i := range v.Model.Releases {
		if v.Model.Releases[i].Number == n {
			return &v.Model.Releases[i]
		}
	}
	return nil
}

// ErrNotReleased says that a release that was waited for ended otherwise.
var ErrNotReleased = errors.New("the release did not go into production")

// Ended tells whether release n, or with 0 the newest, is over, with an error
// unless it was released.
func (v View) Ended(n int) (bool, error) {
	if n == 0 {
		n = v.Number()
	}
	s := v.Summary(n)
	if s == nil || !s.Stage.Ended() {
		return false, nil
	}
	if s.Stage == lifecycle.StageReleased {
		return true, nil
	}
	reason := string(s.Stage)
	if s.Problem != nil {
		reason += ": " + s.Problem.Message
	}
	return true, fmt.Errorf("%w: release %d is %s", ErrNotReleased, n, reason)
}
