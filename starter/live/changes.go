package live

import (
	"fmt"
	"strings"
	"sync"

	"steward/internal/lifecycle"
)

// fact is something that is so; its text differs once it is otherwise.
type fact struct{ key, text string }

// Changes are what is so in after and was not in before, one line each, in the
// order of a model's life. The change from nothing is everything.
func Changes(before, after View) []string {
	was := map[string]string{}
	for _, f := range before.facts() {
		was[f.key] = f.text
	}
	var lines []string
	for _, f := range after.facts() {
		if was[f.key] != f.text {
			lines = append(lines, f.text)
		}
	}
	return lines
}

func (v View) facts() []fact {
	var all []fact
	add := func(key, format string, args ...any) {
		all = append(all, fact{key, oneLine(fmt.Sprintf(format, args...))})
	}
	name := v.Model.Model.Name
	add("health", "%s: health is %s", name, v.health())
	if v.Model.Paused != "" {
		add("paused", "%s: paused: %s", name, v.Model.Paused)
	}
	for _, t := range v.Model.Pending {
		add("pending "+string(t.Cause), "%s: noted %s: %s", name, t.Cause, t.Reason)
	}
	if v.Release != nil {
		v.releaseFacts(add)
	}
	for _, s := range v.Model.Releases {
		if s.Stage.Ended() {
			add(fmt.Sprint("end ", s.Number), "%s", ended(s))
		}
	}
	if f := v.Model.InFlight; f != nil && f.Rollback {
		add("rollback", "%s: %s", name, v.goingBack())
	}
	if c := v.Model.Champion; c != nil {
		text := fmt.Sprintf("release %d serves", c.Release)
		if v.Model.Restored != nil {
			text += ", " + v.Model.Restored.String()
		}
		add("champion", "%s", text)
	}
	for _, w := range told(v.Model.Windows) {
		add("window "+w.ID, "window %s: %s", w.ID, window(w))
	}
	if v.Model.Retired != nil {
		add("retired", "%s: %s", name, v.retirement())
	}
	if p := v.Model.Problem; p != nil {
		add("problem", "%s: retirement failed: %s", name, p.Error())
	}
	return all
}

func ended(s lifecycle.ReleaseSummary) string {
	text := fmt.Sprintf("release %d ended: %s after %s", s.Number, s.Stage, elapsed(s.Ended.Sub(s.Started)))
	if s.Problem != nil {
		text += ": " + s.Problem.Error()
	}
	return text
}

func (v View) releaseFacts(add func(key, format string, args ...any)) {
	r := v.Release.Release
	at := fmt.Sprintf("release %d", r.Number)
	add(at, "%s begins, %s: %s", at, r.Trigger.Cause, r.Trigger.Reason)
	steps := sync.OnceFunc(func() {
		if o := v.Release.Rollout; o != nil {
			rolloutFacts(at, *o, add)
		}
	})
	for _, t := range r.Times {
		if t.Stage == lifecycle.StageRollout && !t.End.IsZero() {
			steps() // before the line that sums them up
		}
		switch {
		case t.Stage.Ended():
		case t.End.IsZero():
			add(at+string(t.Stage), "%s: %s", at, t.Stage)
		default:
			add(at+string(t.Stage), "%s", strings.TrimRight(fmt.Sprintf("%s: %s took %s  %s", at, t.Stage, elapsed(t.End.Sub(t.Start)), v.outcome(t.Stage)), " "))
		}
	}
	for _, j := range v.Release.Jobs {
		add(at+j.Job, "%s: job %s %s", at, j.Job, j.Status)
	}
	for _, d := range r.Decisions {
		add(at+d.Subject+d.At.String(), "%s: %s", at, decision(d))
	}
	if r.Stage == lifecycle.StageApproval && len(r.Awaiting) > 0 {
		add(at+"awaiting", "%s: waits for %s", at, roles(r.Awaiting))
	}
	steps()
}

func rolloutFacts(at string, o lifecycle.RolloutState, add func(key, format string, args ...any)) {
	if len(o.Weights) > 0 {
		add(at+"weights", "%s: traffic %s", at, weights(o.Weights))
	}
	for i, s := range o.Steps {
		switch {
		case s.Skipped != "":
			add(fmt.Sprint(at, "step", i), "%s: step %s skipped: %s", at, s.Name, s.Skipped)
		case !s.End.IsZero():
			add(fmt.Sprint(at, "step", i), "%s: step %s took %s  %s", at, s.Name, elapsed(s.End.Sub(s.Start)), s.Outcome)
		case !s.Start.IsZero():
			add(fmt.Sprint(at, "step", i), "%s: step %s", at, s.Name)
		}
	}
	for _, a := range o.Analyses {
		add(at+"analysis"+a.At.String(), "%s: %s", at, analysis(a))
	}
	if o.Awaiting != "" && !o.Outcome.Done {
		add(at+"asks", "%s: waits for a person: %s", at, o.Awaiting)
	}
}
