package policy

import (
	"slices"
	"time"

	"steward/internal/lifecycle"
)

// Tally is how far an approval has come.
type Tally struct {
	Approved bool                 // everybody who must agree has
	Rejected *lifecycle.Decision  // the rejection that ended it, if any
	Awaiting []lifecycle.Awaited  // whose answers are missing
	Used     []lifecycle.Decision // the approvals that were counted
}

// Approvals counts verified decisions about the evidence with this digest. A
// person counts once, for one role, with the latest answer; a rejection by
// anybody who holds a required role ends it. The author of the release does
// not count where the file says notAuthor.
func Approvals(rule lifecycle.Approval, author, digest string, decisions []lifecycle.Decision) Tally {
	latest := latestBySubject(rule, author, digest, decisions)
	for i := range latest {
		if !latest[i].Approve {
			return Tally{Rejected: &latest[i], Awaiting: missing(rule.Require, nil)}
		}
	}
	filled := assign(slots(rule.Require), latest)
	t := Tally{Awaiting: missing(rule.Require, filled), Used: latest}
	t.Approved = len(t.Awaiting) == 0
	return t
}

// MayDecide says why a person's answer cannot count, or "" if it can.
func MayDecide(rule lifecycle.Approval, author string, d lifecycle.Decision) string {
	if rule.NotAuthor && d.Subject == author {
		return d.Subject + " started this release, and the model file says notAuthor"
	}
	for _, need := range rule.Require {
		if slices.Contains(d.Roles, need.Role) {
			return ""
		}
	}
	return d.Subject + " holds none of the roles that the model file asks for"
}

func latestBySubject(rule lifecycle.Approval, author, digest string, all []lifecycle.Decision) []lifecycle.Decision {
	var out []lifecycle.Decision
	for _, d := range all {
		if !d.Counted || d.Digest != digest || MayDecide(rule, author, d) != "" {
			continue
		}
		out = slices.DeleteFunc(out, func(o lifecycle.Decision) bool { return o.Subject == d.Subject })
		out = append(out, d)
	}
	return out
}

// slots is one entry for every person wanted.
func slots(need []lifecycle.Requirement) []lifecycle.Role {
	var out []lifecycle.Role
	for _, r := range need {
		for range max(1, r.Count) {
			out = append(out, r.Role)
		}
	}
	return out
}

// assign gives people to slots so that as many slots as possible are filled,
// which matters when somebody holds several roles (augmenting paths, Kuhn 1955).
// It returns how many slots of each role are filled.
func assign(slots []lifecycle.Role, people []lifecycle.Decision) map[lifecycle.Role]int {
	holder := make([]int, len(slots))
	for i := range holder {
		holder[i] = -1
	}
	var place func(person int, tried []bool) bool
	place = func(person int, tried []bool) bool {
		for s, role := range slots {
			if tried[s] || !slices.Contains(people[person].Roles, role) {
				continue
			}
			tried[s] = true
			if holder[s] < 0 || place(holder[s], tried) {
				holder[s] = person
				return true
			}
		}
		return false
	}
	for p := range people {
		place(p, make([]bool, len(slots)))
	}
	filled := map[lifecycle.Role]int{}
	for s, p := range holder {
		if p >= 0 {
			filled[slots[s]]++
		}
	}
	return filled
}

func missing(need []lifecycle.Requirement, filled map[lifecycle.Role]int) []lifecycle.Awaited {
	var out []lifecycle.Awaited
	for _, role := range slots(need) {
		if filled[role] > 0 {
			filled[role]--
			continue
		}
		if n := len(out); n > 0 && out[n-1].Role == role {
			out[n-1].Count++
			continue
		}
		out = append(out, lifecycle.Awaited{Role: role, Count: 1})
	}
	return out
}

// Chaser is what to do next about people who stay silent.
type Chaser string

// Chasers.
const (
	Remind   Chaser = "remind"
	Escalate Chaser = "escalate"
	Expire   Chaser = "expire"
)

// NextChaser says what comes next and when, for an approval asked at asked,
// with reminded the number of reminders sent and escalated whether that was done.
func NextChaser(rule lifecycle.Approval, asked time.Time, reminded int, escalated bool) (Chaser, time.Time) {
	what, at := Expire, asked.Add(rule.Expire.Std())
	if rule.Escalate != nil && !escalated {
		if t := asked.Add(rule.Escalate.After.Std()); t.Before(at) {
			what, at = Escalate, t
		}
	}
	if rule.Remind > 0 {
		if t := asked.Add(time.Duration(reminded+1) * rule.Remind.Std()); t.Before(at) {
			what, at = Remind, t
		}
	}
	return what, at
}
