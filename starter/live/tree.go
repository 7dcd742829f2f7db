package live

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"steward/internal/lifecycle"
)

// recent is how many windows, analyses and earlier releases a tree shows.
const recent = 4

// node is a line of the tree and what hangs below it.
type node struct {
	text  string
	below []node
}

// Tree draws a view as it is at now, in lines of at most width characters.
func Tree(v View, now time.Time, width int) []string {
	lines := []string{v.title(now)}
	var top []node
	for _, n := range []*node{v.serving(now), v.release(now), v.rollout(now), v.windows(now), v.pending(), v.history(now)} {
		if n != nil {
			top = append(top, *n)
		}
	}
	lines = draw(lines, "", top)
	lines = append(lines, v.Asks(now)...)
	for i, line := range lines {
		lines[i] = cut(line, width)
	}
	return lines
}

func draw(lines []string, indent string, nodes []node) []string {
	for i, n := range nodes {
		branch, below := "├─ ", "│  "
		if i == len(nodes)-1 {
			branch, below = "└─ ", "   "
		}
		lines = append(lines, indent+branch+n.text)
		lines = draw(lines, indent+below, n.below)
	}
	return lines
}

// cut keeps a line one line, within width characters.
func cut(line string, width int) string {
	line = oneLine(line)
	runes := []rune(line)
	if width <= 0 || len(runes) <= width {
		return line
	}
	return string(runes[:width-1]) + "…"
}

func (v View) title(now time.Time) string {
	parts := []string{v.Model.Model.Name, v.Model.Model.Team, "health " + string(v.Model.Health)}
	switch {
	case v.Model.Retired != nil:
		parts = append(parts, v.retirement())
	case v.Model.Problem != nil:
		parts = append(parts, "retirement failed: "+v.Model.Problem.Error())
	case v.Model.Paused != "":
		parts = append(parts, "paused: "+v.Model.Paused)
	case v.Model.InFlight != nil && v.Model.InFlight.Rollback:
		parts = append(parts, v.goingBack())
	}
	return strings.Join(append(parts, now.Format(time.TimeOnly)), " · ")
}

// health names what is in doubt, without the figures that every window changes.
func (v View) health() string {
	var doubts []string
	for _, f := range v.Model.Doubts() {
		doubts = append(doubts, fmt.Sprintf("%s %s", f.Cause, f.Outcome))
	}
	if len(doubts) == 0 {
		return string(v.Model.Health)
	}
	return fmt.Sprintf("%s: %s", v.Model.Health, strings.Join(doubts, ", "))
}

// retirement is over once nothing of the model serves any more.
func (v View) retirement() string {
	text := v.Model.Retired.Author + ": " + v.Model.Retired.Reason
	if v.Model.Gone.IsZero() {
		return "retiring, asked for by " + text
	}
	return "retired by " + text
}

func (v View) serving(now time.Time) *node {
	c := v.Model.Champion
	switch {
	case c == nil && !v.Model.Gone.IsZero():
		return &node{text: "nothing serves any more; data, evidence and ledger stay"}
	case c == nil:
		return &node{text: "nothing serves yet"}
	}
	n := &node{text: fmt.Sprintf("release %d serves for %s · %s at release", c.Release, elapsed(now.Sub(c.Since)), figures(c.Test.Metrics, v.metrics()...))}
	if v.Model.Restored != nil {
		n.below = append(n.below, node{text: v.Model.Restored.String()})
	}
	for _, f := range v.Model.Doubts() {
		n.below = append(n.below, node{text: doubt(f)})
	}
	return n
}

// goingBack is the rollback under way, in words.
func (v View) goingBack() string {
	f := v.Model.InFlight
	text := fmt.Sprintf("going back to release %d", f.Release)
	if f.Order != nil {
		text += ", asked for by " + f.Order.By + ": " + f.Order.Reason
	}
	return text
}

func (v View) pending() *node {
	if len(v.Model.Pending) == 0 {
		return nil
	}
	n := &node{text: "noted for the next release"}
	for _, t := range v.Model.Pending {
		n.below = append(n.below, node{text: fmt.Sprintf("%s: %s", t.Cause, t.Reason)})
	}
	return n
}

func (v View) windows(now time.Time) *node {
	if len(v.Model.Windows) == 0 && v.Watch == nil {
		return nil
	}
	n := &node{text: "watch"}
	switch {
	case v.Watch != nil && v.Watch.Paused:
		n.text += " · paused"
	case v.Watch != nil && v.Watch.Next.After(now):
		n.text += " · the window closes in " + elapsed(v.Watch.Next.Sub(now))
	}
	all := told(v.Model.Windows)
	for _, w := range slices.Backward(all[max(0, len(all)-recent):]) {
		n.below = append(n.below, node{text: w.ID + " " + w.To.Format(time.TimeOnly) + "  " + window(w)})
	}
	return n
}

// told leaves of windows without traffic only the first in a row: the others say
// nothing new.
func told(windows []lifecycle.Window) []lifecycle.Window {
	var out []lifecycle.Window
	for i, w := range windows {
		if i == 0 || w.Rows > 0 || windows[i-1].Rows > 0 || w.Release != windows[i-1].Release {
			out = append(out, w)
		}
	}
	return out
}

// history shows the releases before the one that is shown whole, newest first.
func (v View) history(now time.Time) *node {
	n := &node{text: "earlier releases"}
	for _, s := range slices.Backward(v.Model.Releases) {
		if s.Number == v.Number() {
			continue
		}
		if len(n.below) == recent {
			n.below = append(n.below, node{text: fmt.Sprintf("… `steward status %s -o json` lists them all", v.Model.Model.Name)})
			break
		}
		n.below = append(n.below, node{text: summary(s, now)})
	}
	if len(n.below) == 0 {
		return nil
	}
	return n
}

// summary is a release in a line.
func summary(s lifecycle.ReleaseSummary, now time.Time) string {
	text := fmt.Sprintf("%d %s · %s by %s", s.Number, s.Stage, s.Trigger.Cause, s.Trigger.Author)
	switch {
	case s.Served.IsZero():
	case s.Until.IsZero():
		text += " · serves for " + elapsed(now.Sub(s.Served))
	default:
		text += " · served for " + elapsed(s.Until.Sub(s.Served))
	}
	if len(s.Approvers) > 0 {
		text += " · approved by " + strings.Join(s.Approvers, ", ")
	}
	if s.Problem != nil {
		text += " · " + s.Problem.Message
	}
	return text
}

// Asks are what people are waited for, with the command that answers.
func (v View) Asks(now time.Time) []string {
	if v.Release == nil {
		return nil
	}
	r := v.Release.Release
	var asks []string
	if r.Stage == lifecycle.StageApproval && len(r.Awaiting) > 0 {
		asks = append(asks, fmt.Sprintf("waiting for %s to approve release %d%s: steward approve %s %d",
			roles(r.Awaiting), r.Number, within(r.ApproveBy, now), r.Model, r.Number))
	}
	if o := v.Release.Rollout; o != nil && o.Awaiting != "" && !o.Outcome.Done {
		asks = append(asks, fmt.Sprintf("waiting for a person%s: %s: steward approve %s %d (or reject)",
			within(o.Until, now), o.Awaiting, r.Model, r.Number))
	}
	return asks
}

func within(end, now time.Time) string {
	if end.IsZero() {
		return ""
	}
	return " within " + elapsed(end.Sub(now))
}
