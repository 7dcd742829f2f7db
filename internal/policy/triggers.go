package policy

import (
	"fmt"
	"slices"
	"time"

	"steward/internal/lifecycle"
)

// month is the period of maxPerMonth.
const month = 30 * 24 * time.Hour

// Since keeps the windows that began when the champion served already: after a
// rollback, those of its former time say nothing about it now.
func Since(windows []lifecycle.Window, since time.Time) []lifecycle.Window {
	return slices.DeleteFunc(slices.Clone(windows), func(w lifecycle.Window) bool { return w.From.Before(since) })
}

// InARow counts the windows of one release, newest first, that breach for a
// cause. A window that has no finding of that cause (its ground truth is still
// to come) is passed over; an inconclusive one breaks the row: it condemns
// nothing.
func InARow(windows []lifecycle.Window, release int, cause lifecycle.Cause) int {
	n := 0
	for _, w := range slices.Backward(windows) {
		if w.Release != release {
			continue
		}
		switch outcome(w, cause) {
		case lifecycle.Failed:
			n++
		case "":
		default:
			return n
		}
	}
	return n
}

// outcome is the worst finding of a cause in a window, "" if there is none.
func outcome(w lifecycle.Window, cause lifecycle.Cause) lifecycle.Outcome {
	var worst lifecycle.Outcome
	for _, f := range w.Findings {
		if f.Cause != cause {
			continue
		}
		if worst == "" || f.Outcome == lifecycle.Failed || (f.Outcome != lifecycle.Pass && worst == lifecycle.Pass) {
			worst = f.Outcome
		}
	}
	return worst
}

// News are the findings of a window that are worth an entry: every failure, and
// what could not be measured if it could be measured in the window before. An
// endpoint without traffic would otherwise fill the ledger with silence. What
// an earlier report of the same window said is no news.
func News(before []lifecycle.Window, w lifecycle.Window) []lifecycle.Finding {
	var said []lifecycle.Finding
	for _, o := range before {
		if o.ID == w.ID {
			said = o.Findings
		}
	}
	var out []lifecycle.Finding
	for _, f := range w.Findings {
		if slices.Contains(said, f) {
			continue
		}
		if f.Outcome == lifecycle.Failed || (f.Outcome != lifecycle.Pass && last(before, w.Release, f.Cause) != f.Outcome) {
			out = append(out, f)
		}
	}
	return out
}

// last is the newest outcome of a cause among windows of a release.
func last(windows []lifecycle.Window, release int, cause lifecycle.Cause) lifecycle.Outcome {
	for _, w := range slices.Backward(windows) {
		if o := outcome(w, cause); w.Release == release && o != "" {
			return o
		}
	}
	return ""
}

// watched are the causes that windows can show.
var watched = []lifecycle.Cause{lifecycle.CauseDrift, lifecycle.CauseQuality, lifecycle.CauseAlert}

// Breaches are the triggers that the newest windows of a release amount to:
// one for every cause that breached inARow times running.
func Breaches(windows []lifecycle.Window, release, inARow int, now time.Time) []lifecycle.Trigger {
	var out []lifecycle.Trigger
	for _, cause := range watched {
		if n := InARow(windows, release, cause); n >= inARow {
			out = append(out, lifecycle.Trigger{
				Cause: cause, Author: lifecycle.Machine, At: now,
				Reason: fmt.Sprintf("%d windows in a row: %s", n, lastDetail(windows, release, cause)),
			})
		}
	}
	return out
}

func lastDetail(windows []lifecycle.Window, release int, cause lifecycle.Cause) string {
	for _, w := range slices.Backward(windows) {
		for _, f := range w.Findings {
			if w.Release == release && f.Cause == cause && f.Outcome == lifecycle.Failed {
				return f.Detail
			}
		}
	}
	return ""
}

// HealthOf is a champion's health by its newest windows.
func HealthOf(windows []lifecycle.Window, release, inARow int) lifecycle.Health {
	own := slices.DeleteFunc(slices.Clone(windows), func(w lifecycle.Window) bool { return w.Release != release })
	if len(own) == 0 {
		return lifecycle.HealthUnknown
	}
	health := lifecycle.HealthGood
	for _, cause := range watched {
		if n := InARow(own, release, cause); n >= inARow {
			return lifecycle.HealthDegraded
		} else if n > 0 {
			health = lifecycle.HealthWatch
		}
	}
	for _, cause := range watched {
		if o := last(own, release, cause); o == lifecycle.Inconclusive || o == lifecycle.Faulty {
			health = lifecycle.HealthWatch
		}
	}
	return health
}

// Silent says since when a watch should have been heard of again: it reports at
// least every window, so three windows without a word are too long.
func Silent(w lifecycle.Watch, reported time.Time) time.Time {
	return reported.Add(3*w.Every.Std() + w.Lag.Std() + time.Minute)
}

// Note adds a trigger to those that wait, merging it with one of the same cause:
// the newest reason counts.
func Note(pending []lifecycle.Trigger, t lifecycle.Trigger) []lifecycle.Trigger {
	pending = slices.DeleteFunc(pending, func(p lifecycle.Trigger) bool { return p.Cause == t.Cause })
	return append(pending, t)
}

// Due says which waiting trigger starts a release now. When none may yet, it
// returns nil and the time to look again (zero: when something changes).
func Due(s *lifecycle.ModelState, now time.Time) (*lifecycle.Trigger, time.Time) {
	if s.InFlight != nil || s.Paused != "" || s.Retired != nil || len(s.Pending) == 0 {
		return nil, time.Time{}
	}
	if now.Before(s.Cooldown) {
		return nil, s.Cooldown
	}
	if recent := Recent(s.Automatic, now); len(recent) >= max(1, s.Spec.Retrain.MaxPerMonth) {
		return nil, recent[0].Add(month) // the oldest no longer counts then
	}
	return &s.Pending[0], time.Time{}
}

// Recent keeps the starts of the last 30 days.
func Recent(starts []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(starts), func(t time.Time) bool { return now.Sub(t) >= month })
}

// Wanted tells whether the model file lets a cause start releases.
func Wanted(r lifecycle.Retrain, cause lifecycle.Cause) bool { return slices.Contains(r.On, cause) }
