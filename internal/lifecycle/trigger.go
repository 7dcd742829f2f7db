package lifecycle

import "time"

// Cause is why a release was started.
type Cause string

// Causes.
const (
	CauseManual   Cause = "manual"
	CauseSchedule Cause = "schedule"
	CauseDrift    Cause = "drift"
	CauseQuality  Cause = "quality"
	CauseKPI      Cause = "kpi"
	CauseAlert    Cause = "alert"
	CauseSpec     Cause = "spec"
)

// Trigger is one cause with its reason in words. Author is the person, or
// "steward" for a machine.
type Trigger struct {
	Cause  Cause     `json:"cause"`
	Reason string    `json:"reason"`
	Author string    `json:"author"`
	At     time.Time `json:"at"`
}

// Machine is the author of what no person asked for.
const Machine = "steward"
