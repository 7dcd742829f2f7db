package lifecycle

import "time"

// RolloutInput starts a Rollout workflow. Challenger is what takes over;
// Champion serves now and is nil before the first release.
type RolloutInput struct {
	Model      Metadata  `json:"model"`
	Spec       Spec      `json:"spec"`
	Challenger Champion  `json:"challenger"`
	Champion   *Champion `json:"champion,omitempty"`
	Rollback   string    `json:"rollback,omitempty"` // the reason, when this brings an old version back
	ReportTo   string    `json:"reportTo,omitempty"` // workflow that gets an Ended signal
	// State is where an earlier run of this workflow left off; nil to begin.
	State *RolloutState `json:"state,omitempty"`
}

// RolloutState is what a Rollout remembers and answers.
type RolloutState struct {
	Model    string         `json:"model"`
	Release  int            `json:"release"`
	Step     int            `json:"step"` // index into Steps
	Steps    []StepState    `json:"steps"`
	Weights  map[string]int `json:"weights"` // percentage by variant, as last confirmed
	Serving  string         `json:"serving"` // endpoint configuration, as last confirmed
	Analyses []Analysed     `json:"analyses,omitempty"`
	Awaiting string         `json:"awaiting,omitempty"` // what a person is asked for
	Until    time.Time      `json:"until,omitzero"`     // when silence becomes a rollback
	Alerts   []Alert        `json:"alerts,omitempty"`
	Outcome  RolloutOutcome `json:"outcome"`
	Bake     BakeTally      `json:"bake"`     // of the bake under way
	Analysed time.Time      `json:"analysed"` // end of the last analysed period
	Entries  int            `json:"entries"`  // ledger entries written so far
}

// StepState is one step in words and how it went.
type StepState struct {
	Name    string    `json:"name"` // "weight 10", "bake 1h"
	Outcome Outcome   `json:"outcome,omitempty"`
	Skipped string    `json:"skipped,omitempty"` // why
	Start   time.Time `json:"start,omitzero"`
	End     time.Time `json:"end,omitzero"`
}

// RolloutOutcome is how a rollout ended.
type RolloutOutcome struct {
	Done     bool      `json:"done"`
	Promoted bool      `json:"promoted"`
	Problem  *Problem  `json:"problem,omitempty"`
	At       time.Time `json:"at,omitzero"`
}

// BakeTally counts the analyses of one bake.
type BakeTally struct {
	Passes   int     `json:"passes"`
	Failures int     `json:"failures"`
	Unclear  int     `json:"unclear"` // in a row, up to now
	Last     Outcome `json:"last,omitempty"`
}

// Analysed is one analysis of the challenger while it bakes.
type Analysed struct {
	At       time.Time `json:"at"`
	Outcome  Outcome   `json:"outcome"`
	Requests int64     `json:"requests"`
	Measured []Reading `json:"measured,omitempty"`
	Detail   string    `json:"detail,omitempty"`
}

// Reading is one measurement against its bound; Value is a share or seconds.
type Reading struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Max     Bound   `json:"max"`
	Outcome Outcome `json:"outcome"`
}

// RolloutDecision is a person's answer at a pause, or an order to end it.
type RolloutDecision struct {
	By      string `json:"by"`
	Promote bool   `json:"promote"`
	Comment string `json:"comment,omitempty"`
}
