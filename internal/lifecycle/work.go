package lifecycle

import "time"

// Inputs of the activities. Every one names the model and the release it works
// for: cloud resources are named and tagged by them.

// Of says which release of which model something is done for.
type Of struct {
	Model   string `json:"model"`
	Release int    `json:"release"`
}

// SnapshotInput asks for a snapshot of the sources.
type SnapshotInput struct {
	Of
	Data Data `json:"data"`
}

// CheckInput asks for the data checks on a snapshot. At is when it is made,
// which ages are reckoned from; Champion is what serves, if anything does.
type CheckInput struct {
	Of
	Data     Data      `json:"data"`
	Snapshot Snapshot  `json:"snapshot"`
	At       time.Time `json:"at,omitzero"`
	Champion *Champion `json:"champion,omitempty"`
}

// PrepareInput asks to profile and split a snapshot. Slices are the columns,
// besides id and label, that the evaluation needs next to the truth.
type PrepareInput struct {
	Of
	Data     Data     `json:"data"`
	Snapshot Snapshot `json:"snapshot"`
	Slices   []string `json:"slices"`
}

// ProfileInput asks for the baseline profile of the training part by a
// processing job.
type ProfileInput struct {
	Of
	Job        string    `json:"job"`
	Profiling  Profiling `json:"profiling"`
	Parts      Parts     `json:"parts"`
	MaxRuntime Duration  `json:"maxRuntime"`
}

// Profiled is what a profiling job made.
type Profiled struct {
	Baseline string  `json:"baseline"` // URI of the profile
	Cost     float64 `json:"cost"`
}

// TrainInput asks to train one candidate.
type TrainInput struct {
	Of
	Job        string    `json:"job"`
	Candidate  Candidate `json:"candidate"`
	Task       Task      `json:"task"`
	Data       Data      `json:"data"`
	Parts      Parts     `json:"parts"`
	MaxRuntime Duration  `json:"maxRuntime"`
}

// ScoreInput asks a model, in its own serving container, for its answers on a part.
type ScoreInput struct {
	Of
	Job      string  `json:"job"` // of the batch transform
	Model    Trained `json:"artifact"`
	Instance string  `json:"instance"`
	Input    string  `json:"input"` // S3 prefix
	// MaxRuntime stops a transform that takes longer; one hour when zero.
	MaxRuntime Duration `json:"maxRuntime"`
}

// Scored is what a batch transform made.
type Scored struct {
	URI  string  `json:"uri"` // S3 prefix of the answers
	Cost float64 `json:"cost"`
}

// EvaluateInput asks for metrics of answers on a part, and for Slices of them.
type EvaluateInput struct {
	Of
	Name   string        `json:"name"` // of the part: validation or test
	Part   Part          `json:"part"`
	Scored Scored        `json:"scored"`
	Task   Task          `json:"task"`
	Slices []SliceWanted `json:"slices,omitempty"`
}

// SliceWanted is a metric to compute for each value of a column that has at
// least MinRows rows.
type SliceWanted struct {
	Column  string `json:"column"`
	Metric  string `json:"metric"`
	MinRows int    `json:"minRows"`
}

// CompareInput asks for paired comparisons on the same rows.
type CompareInput struct {
	Of
	Part       Part     `json:"part"`
	Task       Task     `json:"task"`
	Metrics    []string `json:"metrics"`
	Champion   string   `json:"champion"`   // S3 prefix of its answers
	Challenger string   `json:"challenger"` // S3 prefix of its answers
}

// RegisterInput asks for a model package, pending approval.
type RegisterInput struct {
	Of
	Model    Trained    `json:"artifact"`
	Test     Evaluation `json:"test"`
	Snapshot Snapshot   `json:"snapshot"`
}

// ApprovalInput asks to set a package's approval: Approved or Rejected.
type ApprovalInput struct {
	Of
	Package string `json:"package"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
}

// DeployInput asks that the endpoint serves exactly Variants. The activity
// verifies evidence and approvals of every variant before it touches anything.
type DeployInput struct {
	Of
	// First says that nothing is known to serve: an endpoint that serves
	// something else is not touched.
	First    bool     `json:"first,omitempty"`
	Endpoint Endpoint `json:"endpoint"`
	Approval Approval `json:"approval"`
	Variants []Serve  `json:"variants"`
}

// Serve is one variant and its share of the traffic, in percent.
type Serve struct {
	Champion Champion `json:"champion"`
	Weight   int      `json:"weight"`
}

// Serving is what an endpoint was seen to do after a change.
type Serving struct {
	Config  string         `json:"config"`
	Weights map[string]int `json:"weights"` // percent by variant
}

// SmokeInput asks to send known rows to one variant and compare its answers
// with those of the batch transform.
type SmokeInput struct {
	Of
	Variant string `json:"variant"`
	Rows    int    `json:"rows"`
	Part    Part   `json:"part"`
	Scores  string `json:"scores"` // S3 prefix of the batch answers
}

// AnalyseInput asks how a variant served between two instants.
type AnalyseInput struct {
	Of
	Variant string    `json:"variant"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Levels  []Level   `json:"levels"`
	Samples int       `json:"samples"` // requests without which it is inconclusive
}

// MeasureInput asks for the measurement of one window of a champion's traffic.
type MeasureInput struct {
	Of
	Champion Champion `json:"champion"`
	Data     Data     `json:"data"`
	Watch    Watch    `json:"watch"`
	Window   Window   `json:"window"`
}

// RemoveInput asks to remove what serves nothing any more. With Release 0 it
// is everything of the model: endpoint, configurations, models.
type RemoveInput struct {
	Of
	Reason string `json:"reason"`
}

// Removed lists the resources that were removed, as "kind/name".
type Removed struct {
	Resources []string `json:"resources"`
}

// DiscardInput asks to delete the objects that a release made for itself:
// parts, training output, scores.
type DiscardInput struct{ Of }

// AbandonInput asks to stop the jobs of a release that may still run, by name,
// and to remove the models that its transforms were given.
type AbandonInput struct {
	Of
	Training   []string `json:"training"`
	Transforms []string `json:"transforms"`
	Processing []string `json:"processing,omitempty"`
}

// Notice tells people something. Kind is one of the Notice constants.
type Notice struct {
	Of
	Kind string    `json:"kind"`
	To   []string  `json:"to"` // roles with contacts, or names
	Text string    `json:"text"`
	At   time.Time `json:"at"`
	URL  string    `json:"url,omitempty"` // extra address, from the model file
}

// Kinds of notices.
const (
	NoticeApproval  = "approval-wanted"
	NoticeReminder  = "approval-reminder"
	NoticeEscalated = "approval-escalated"
	NoticeDecision  = "decision-wanted" // at a rollout's pause
	NoticeReleased  = "released"
	NoticeFailed    = "release-failed"
	NoticeDegraded  = "model-degraded"
	NoticeUnclear   = "model-not-measured" // a window without a verdict, after one with
	NoticeRetired   = "retired"
)
