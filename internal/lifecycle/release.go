package lifecycle

import "time"

// ReleaseInput starts a Release workflow. Champion is nil for the first one.
type ReleaseInput struct {
	Model    Metadata  `json:"model"`
	Number   int       `json:"number"`
	Spec     Spec      `json:"spec"`
	Digest   string    `json:"digest"` // of the spec
	Trigger  Trigger   `json:"trigger"`
	Champion *Champion `json:"champion,omitempty"`
	// State is where an earlier run of this workflow left off; nil to begin.
	State *ReleaseState `json:"state,omitempty"`
}

// Stage is where a release stands.
type Stage string

// Stages of a release, in order, and its ends.
const (
	StageSnapshot Stage = "snapshot"
	StageCheck    Stage = "check"
	StagePrepare  Stage = "prepare"
	StageTrain    Stage = "train"
	StageEvaluate Stage = "evaluate"
	StageGates    Stage = "gates"
	StageRegister Stage = "register"
	StageEvidence Stage = "evidence"
	StageApproval Stage = "approval"
	StageRollout  Stage = "rollout"
	StageUndo     Stage = "undo"

	StageReleased  Stage = "released"
	StageRejected  Stage = "rejected"
	StageFailed    Stage = "failed"
	StageCancelled Stage = "cancelled"
	StageReturned  Stage = "rolled-back"
)

// Stages lists the stages of a release that goes well, in order.
var Stages = []Stage{StageSnapshot, StageCheck, StagePrepare, StageTrain, StageEvaluate,
	StageGates, StageRegister, StageEvidence, StageApproval, StageRollout, StageReleased}

// Ended tells whether a release in this stage does nothing any more.
func (s Stage) Ended() bool {
	switch s {
	case StageReleased, StageRejected, StageFailed, StageCancelled, StageReturned:
		return true
	}
	return false
}

// StageTime is when a stage began and, once over, ended.
type StageTime struct {
	Stage Stage     `json:"stage"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end,omitzero"`
}

// ReleaseState is what a Release remembers, answers and returns.
type ReleaseState struct {
	Model      string          `json:"model"`
	Number     int             `json:"number"`
	Stage      Stage           `json:"stage"`
	Started    time.Time       `json:"started"`
	Ended      time.Time       `json:"ended,omitzero"`
	Times      []StageTime     `json:"times"`
	Trigger    Trigger         `json:"trigger"`
	SpecDigest string          `json:"specDigest"`
	Snapshot   *Snapshot       `json:"snapshot,omitempty"`
	Checks     []CheckResult   `json:"checks,omitempty"`
	Parts      *Parts          `json:"parts,omitempty"`
	Candidates []CandidateRun  `json:"candidates"`
	Winner     string          `json:"winner,omitempty"`
	Test       *Evaluation     `json:"test,omitempty"`       // the winner on the test part
	Champion   *Evaluation     `json:"champion,omitempty"`   // the champion on the same rows
	Comparison []Comparison    `json:"comparison,omitempty"` // winner against champion
	Verdicts   []Verdict       `json:"verdicts,omitempty"`
	Package    string          `json:"package,omitempty"` // ARN
	Evidence   *Evidence       `json:"evidence,omitempty"`
	Decisions  []Decision      `json:"decisions,omitempty"`
	Approved   []Decision      `json:"approved,omitempty"` // those that allowed it
	Awaiting   []Awaited       `json:"awaiting,omitempty"`
	ApproveBy  time.Time       `json:"approveBy,omitzero"`
	Cost       float64         `json:"cost"`
	Problem    *Problem        `json:"problem,omitempty"`
	Undone     []string        `json:"undone,omitempty"` // what was removed again
	Rollout    *RolloutOutcome `json:"rollout,omitempty"`
	Asked      time.Time       `json:"asked,omitzero"` // when the approval was asked for
	Reminders  int             `json:"reminders,omitempty"`
	Escalated  bool            `json:"escalated,omitempty"`
	Entries    int             `json:"entries"` // ledger entries written so far
}

// Candidate returns the run of a candidate by name, or nil.
func (s *ReleaseState) Candidate(name string) *CandidateRun {
	for i := range s.Candidates {
		if s.Candidates[i].Name == name {
			return &s.Candidates[i]
		}
	}
	return nil
}

// Awaited is a role whose people are waited for, and how many of them.
type Awaited struct {
	Role  Role `json:"role"`
	Count int  `json:"count"`
}

// Snapshot is the immutable data set of a release. Digest covers the content
// of every file, so the same sources give the same digest.
type Snapshot struct {
	URI    string    `json:"uri"` // of its manifest
	Digest string    `json:"digest"`
	Files  int       `json:"files"`
	Bytes  int64     `json:"bytes"`
	Rows   int64     `json:"rows"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`

	Sources []SourceUse `json:"sources,omitempty"` // what was taken from each
	Lineage *Lineage    `json:"lineage,omitempty"` // where each file came from
}

// CheckResult is one data check and what was seen. An inconclusive one could not
// be judged, as Observed tells: it neither passed nor stops the release.
type CheckResult struct {
	Name         string   `json:"name"`
	Pass         bool     `json:"pass"`
	Inconclusive bool     `json:"inconclusive,omitempty"`
	Severity     string   `json:"severity"`
	Observed     string   `json:"observed"`
	Expected     string   `json:"expected"`
	Violations   int64    `json:"violations,omitempty"`
	Examples     []string `json:"examples,omitempty"`
}

// Stops tells whether the result ends a release.
func (c CheckResult) Stops() bool { return !c.Pass && !c.Inconclusive && c.Severity == "stop" }

// Part is one part of the split, as S3 prefixes: Train for a training
// channel (CSV with header, label first), Input for a batch transform (CSV
// without header, features in order), Truth with id, label and slice columns.
type Part struct {
	Rows   int64  `json:"rows"`
	Digest string `json:"digest"`
	Train  string `json:"train,omitempty"`
	Input  string `json:"input,omitempty"`
	Truth  string `json:"truth,omitempty"`
}

// Parts are the parts of a snapshot and the baseline profile of its features.
type Parts struct {
	Train      Part     `json:"train"`
	Validation Part     `json:"validation"`
	Test       Part     `json:"test"`
	Baseline   string   `json:"baseline"`          // URI of the profile; empty until a processing job has made it
	Columns    string   `json:"columns,omitempty"` // S3 prefix of what tells that job its columns
	Features   []string `json:"features"`
	Numeric    []string `json:"numeric"` // those of Features that hold numbers
	BaseRate   float64  `json:"baseRate"`
}

// CandidateRun is what became of a candidate.
type CandidateRun struct {
	Name       string      `json:"name"`
	Image      string      `json:"image"`
	Job        string      `json:"job"`
	Model      *Trained    `json:"model,omitempty"`
	Validation *Evaluation `json:"validation,omitempty"`
	Problem    *Problem    `json:"problem,omitempty"`
}

// Trained is the product of a training job.
type Trained struct {
	Job     string             `json:"job"`
	Image   string             `json:"image"`
	URI     string             `json:"uri"` // of model.tar.gz
	Digest  string             `json:"digest"`
	Metrics map[string]float64 `json:"metrics,omitempty"` // as the container printed them
	Seconds float64            `json:"seconds"`           // billed
	Cost    float64            `json:"cost"`
	Code    *Code              `json:"code,omitempty"` // of a candidate with a script
}

// Code is the source that trained a model and serves it, under an address that
// names its content.
type Code struct {
	URI       string `json:"uri"` // of its archive
	Digest    string `json:"digest"`
	Program   string `json:"program"`   // that trained
	Inference string `json:"inference"` // that serves
}

// ServingEnv is what the model's serving container needs to find its code:
// variables of SageMaker's script mode. It answers in CSV, which is what captured
// traffic is read as, unless a request asks otherwise. Other models need none.
func (t Trained) ServingEnv() map[string]string {
	if t.Code == nil {
		return nil
	}
	return map[string]string{
		"SAGEMAKER_PROGRAM": t.Code.Inference, "SAGEMAKER_SUBMIT_DIRECTORY": t.Code.URI, "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
		"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
	}
}

// Evaluation is how a model did on one part.
type Evaluation struct {
	Part    string             `json:"part"`
	Rows    int64              `json:"rows"`
	Metrics map[string]float64 `json:"metrics"`
	Slices  []Slice            `json:"slices,omitempty"`
	Scores  string             `json:"scores"` // S3 prefix of the answers, in the order of the part
	// Curves is what the metrics look like, on the test part of a binary model: a
	// document of package report.
	Curves *Evidence `json:"curves,omitempty"`
	Cost   float64   `json:"cost"`
}

// Slice is a metric on the rows of one value of a column.
type Slice struct {
	Column string  `json:"column"`
	Value  string  `json:"value"`
	Metric string  `json:"metric"`
	Rows   int64   `json:"rows"`
	Result float64 `json:"result"`
	// Undefined says why Result means nothing, e.g. one class only.
	Undefined string `json:"undefined,omitempty"`
}

// Comparison is challenger minus champion on the same rows, with the interval
// of Confidence around Delta.
type Comparison struct {
	Metric     string  `json:"metric"`
	Champion   float64 `json:"champion"`
	Challenger float64 `json:"challenger"`
	Delta      float64 `json:"delta"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
	Method     string  `json:"method"`
	Rows       int64   `json:"rows"`
}

// Outcome of a judgement. A measurement that failed or is missing is
// Inconclusive, never a pass.
type Outcome string

// Outcomes.
const (
	Pass         Outcome = "pass"
	Failed       Outcome = "fail"
	Inconclusive Outcome = "inconclusive"
	Faulty       Outcome = "error" // measuring failed
)

// Verdict is a gate's outcome with the figures that it rests on.
type Verdict struct {
	Gate    string  `json:"gate"` // in words
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail"`
}

// Evidence locates the pack that a decision rests on.
type Evidence struct {
	URI    string `json:"uri"`
	Digest string `json:"digest"`
}

// Decision is a person's signed answer. Digest is the evidence that was seen.
type Decision struct {
	Model     string    `json:"model"`
	Release   int       `json:"release"`
	Digest    string    `json:"digest"`
	Subject   string    `json:"subject"`
	Roles     []Role    `json:"roles"`
	Approve   bool      `json:"approve"`
	Comment   string    `json:"comment,omitempty"`
	At        time.Time `json:"at"`
	Key       string    `json:"key,omitempty"`       // id of the signing key
	Signature []byte    `json:"signature,omitempty"` // Ed25519 over SigningBytes
	Counted   bool      `json:"counted"`             // set by the workflow
	Note      string    `json:"note,omitempty"`      // why it did not count
}

// Cancel asks a release to stop.
type Cancel struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// Ended reports to Model how a release or a rollback ended. ID makes a repeat harmless.
type Ended struct {
	ID       string    `json:"id"`
	Release  int       `json:"release"`
	Stage    Stage     `json:"stage"`
	Champion *Champion `json:"champion,omitempty"` // set when it serves now
	Problem  *Problem  `json:"problem,omitempty"`
	At       time.Time `json:"at"`
}

// Champion is a version that serves, with all that is needed to watch it,
// compare with it and bring it back.
type Champion struct {
	Release  int        `json:"release"`
	Package  string     `json:"package"` // ARN
	Model    Trained    `json:"model"`
	Evidence Evidence   `json:"evidence"`
	Parts    Parts      `json:"parts"`
	Test     Evaluation `json:"test"`
	Approved []Decision `json:"approved"` // the decisions that allowed it
	Author   string     `json:"author"`   // of the release
	Since    time.Time  `json:"since"`
}
