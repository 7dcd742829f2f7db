package lifecycle

import (
	"fmt"
	"slices"
	"time"
)

// Health of a model, as its last windows say.
type Health string

// Healths.
const (
	HealthUnknown  Health = "unknown"  // nothing serves, or nothing was measured
	HealthGood     Health = "good"     // the last windows passed
	HealthWatch    Health = "watch"    // inconclusive, or one breach so far
	HealthDegraded Health = "degraded" // breached often enough to act
)

// ModelState is what a Model starts from, remembers and answers.
type ModelState struct {
	Model     Metadata         `json:"model"`
	Spec      Spec             `json:"spec"`
	Digest    string           `json:"digest"` // of the spec
	Author    string           `json:"author"` // who applied it
	Applied   time.Time        `json:"applied,omitzero"`
	Paused    string           `json:"paused,omitempty"`  // the reason
	Retired   *Trigger         `json:"retired,omitempty"` // who asked, and why
	Problem   *Problem         `json:"problem,omitempty"` // why a retirement did not end; it may be ordered again
	Gone      time.Time        `json:"gone,omitzero"`     // since when nothing of it serves; the end of a retirement
	Health    Health           `json:"health"`
	Last      int              `json:"last"`               // number of the newest release
	InFlight  *InFlight        `json:"inFlight,omitempty"` // the release or rollback under way
	Champion  *Champion        `json:"champion,omitempty"`
	Previous  *Champion        `json:"previous,omitempty"` // what a rollback brings back
	Restored  *Restored        `json:"restored,omitempty"` // how the champion came back, if a rollback brought it
	Rollbacks int              `json:"rollbacks"`
	Pending   []Trigger        `json:"pending,omitempty"` // noted, judged when nothing is under way
	Releases  []ReleaseSummary `json:"releases"`          // newest last
	Windows   []Window         `json:"windows"`           // newest last
	KPIs      []KPIReading     `json:"kpis,omitempty"`
	Alerts    []Alert          `json:"alerts,omitempty"`
	Cooldown  time.Time        `json:"cooldown,omitzero"` // no automatic release before
	Automatic []time.Time      `json:"automatic"`         // starts of automatic releases within a month
	NextCron  time.Time        `json:"nextCron,omitzero"`
	Seen      Seen             `json:"seen"` // what was taken in already
	Watching  bool             `json:"watching"`
	Unwatched bool             `json:"unwatched,omitempty"` // a person paused the watch
	Reported  time.Time        `json:"reported,omitzero"`   // when the watch was last heard of
	Window    int              `json:"window"`              // highest number of a window so far
	Opened    bool             `json:"opened"`              // the ledger was read, Last is right
	Entries   int              `json:"entries"`             // ledger entries written so far
	Run       string           `json:"run"`                 // first run of this declaration; part of entry ids
}

// author is who answers for what a delivery caused: the person whose token
// brought it, or else a machine.
func author(by string) string {
	if by == "" {
		return Machine
	}
	return by
}

// Author is who answers for what the alert causes.
func (a Alert) Author() string { return author(a.By) }

// Author is who answers for what the reading causes.
func (k KPIReading) Author() string { return author(k.By) }

// Seen are the ids of deliveries already taken in, a list for each kind, so
// that a talkative one cannot push another's out.
type Seen struct {
	Reports []string `json:"reports,omitempty"`
	Alerts  []string `json:"alerts,omitempty"`
	KPIs    []string `json:"kpis,omitempty"`
}

// InFlight is the one thing that may change a model at a time.
type InFlight struct {
	Release  int       `json:"release"`
	Rollback bool      `json:"rollback"`
	Order    *Order    `json:"order,omitempty"` // who asked for a rollback, and why
	Workflow string    `json:"workflow"`
	Started  time.Time `json:"started"`
}

// Restored is how a rollback brought a version back.
type Restored struct {
	From   int    `json:"from"` // the release that served until then
	By     string `json:"by"`   // empty if an older run noted nobody
	Reason string `json:"reason"`
}

// String says it in words, to follow the name of the release that serves.
func (r Restored) String() string {
	text := fmt.Sprintf("brought back from release %d", r.From)
	if r.By != "" {
		text += " by " + r.By + ": " + r.Reason
	}
	return text
}

// Doubts are what keeps a champion from being called healthy: of each cause, what
// the newest window says that measured it, unless that is a pass.
func (s ModelState) Doubts() []Finding {
	if s.Champion == nil {
		return nil
	}
	said := map[Cause]bool{}
	var doubts []Finding
	for _, w := range slices.Backward(s.Windows) {
		if w.Release != s.Champion.Release || w.From.Before(s.Champion.Since) {
			continue
		}
		for _, f := range w.Findings {
			if f.Outcome != Pass && !said[f.Cause] {
				doubts = append(doubts, f)
			}
		}
		for _, f := range w.Findings {
			said[f.Cause] = true
		}
	}
	return doubts
}

// ReleaseSummary is a line of a model's history.
type ReleaseSummary struct {
	Number  int       `json:"number"`
	Trigger Trigger   `json:"trigger"`
	Stage   Stage     `json:"stage"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Problem *Problem  `json:"problem,omitempty"`
	// What served, and whose approval allowed it; set for releases that got so far.
	Served    time.Time          `json:"served,omitzero"` // since
	Until     time.Time          `json:"until,omitzero"`
	Approvers []string           `json:"approvers,omitempty"`
	Metrics   map[string]float64 `json:"metrics,omitempty"` // on the test part
}

// Apply declares a model or changes its declaration.
type Apply struct {
	Model  Metadata `json:"model"`
	Spec   Spec     `json:"spec"`
	Digest string   `json:"digest"`
	By     string   `json:"by"`
}

// Applied answers an Apply. Changed is false when it was declared just so before.
type Applied struct {
	Created bool   `json:"created"`
	Changed bool   `json:"changed"`
	Digest  string `json:"digest"`
}

// Order is a person's request: release, rollback, pause, resume, retire.
type Order struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
	Watch  bool   `json:"watch,omitempty"` // pause and resume the watch too
}

// Ordered answers a release or rollback order.
type Ordered struct {
	Release  int    `json:"release"`
	Workflow string `json:"workflow"`
}

// Alert is one firing or resolved alert. ID is its delivery key: a repeat has
// no effect.
type Alert struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Source   string    `json:"source"`
	Firing   bool      `json:"firing"`
	Severity string    `json:"severity,omitempty"`
	Summary  string    `json:"summary,omitempty"`
	By       string    `json:"by,omitempty"` // whose token delivered it
	At       time.Time `json:"at"`
}

// KPIReading is one reported value of the business figure.
type KPIReading struct {
	ID    string    `json:"id"`
	Value float64   `json:"value"`
	By    string    `json:"by,omitempty"` // whose token delivered it
	At    time.Time `json:"at"`
}

// Progress is what a running activity heartbeats about its cloud job.
type Progress struct {
	Job     string             `json:"job"`
	Status  string             `json:"status"`
	Done    float64            `json:"done,omitempty"` // share, 0 when unknown
	Metrics map[string]float64 `json:"metrics,omitempty"`
	Started time.Time          `json:"started,omitzero"`
}
