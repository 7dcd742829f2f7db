package lifecycle

import (
	"encoding/json"
	"fmt"
	"time"
)

// Entry is one line of a model's ledger. The writer of an entry sets all but
// Seq, Previous and Digest, which the append fills in.
type Entry struct {
	Seq      int64          `json:"seq"`      // from 1
	Previous string         `json:"previous"` // digest of the entry before; "" for the first
	ID       string         `json:"id"`       // a repeated id is not appended again
	Model    string         `json:"model"`
	Release  int            `json:"release,omitempty"`
	At       time.Time      `json:"at"`
	Kind     string         `json:"kind"` // one of the Entry constants
	Actor    string         `json:"actor"`
	Text     string         `json:"text"`
	Data     map[string]any `json:"data,omitempty"`
	Digest   string         `json:"digest"` // of all fields above
}

// Kinds of ledger entries.
const (
	EntryApplied    = "model.applied"
	EntryPaused     = "model.paused"
	EntryResumed    = "model.resumed"
	EntryRetired    = "model.retired"
	EntryTriggered  = "model.triggered"
	EntryAlert      = "model.alert"
	EntryKPI        = "model.kpi"
	EntryOpened     = "release.opened"
	EntrySnapshot   = "release.snapshot"
	EntryChecked    = "release.checked"
	EntryTraining   = "release.training"
	EntrySelected   = "release.selected"
	EntryJudged     = "release.judged"
	EntryRegistered = "release.registered"
	EntrySealed     = "release.evidence"
	EntryDecided    = "release.decision"
	EntryApproved   = "release.approved"
	EntryCancelled  = "release.cancelled"
	EntryStuck      = "stuck" // something could not be undone: a person must look
	EntryRejected   = "release.rejected"
	EntryUndone     = "release.undone"
	EntryEnded      = "release.ended"
	EntryDeploying  = "rollout.deploying"
	EntryWeights    = "rollout.weights"
	EntryCleaned    = "rollout.cleaned"
	EntryAnalysed   = "rollout.analysed"
	EntryPromoted   = "rollout.promoted"
	EntryReturned   = "rollout.rolled-back"
	EntryWindow     = "watch.window" // a window with findings
)

// Head is the state of a model's ledger.
type Head struct {
	Seq         int64  `json:"seq"`
	Digest      string `json:"digest"`
	LastRelease int    `json:"lastRelease"` // highest release number recorded
}

// SigningBytes is what a decision's signature covers: everything the person
// said and saw, and nothing the workflow adds.
func (d Decision) SigningBytes() ([]byte, error) {
	d.Signature, d.Counted, d.Note = nil, false, ""
	d.At = d.At.UTC()
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("decision of %s: %w", d.Subject, err)
	}
	return append([]byte("steward decision v1\n"), b...), nil
}

// Verified is the outcome of checking a decision's signature and identity.
type Verified struct {
	OK  bool   `json:"ok"`
	Why string `json:"why,omitempty"`
}

// Manifest is the evidence pack of a release: all that its decision rests on.
type Manifest struct {
	Format     string         `json:"format"` // ManifestFormat
	Model      Metadata       `json:"model"`
	Release    int            `json:"release"`
	Trigger    Trigger        `json:"trigger"`
	SpecDigest string         `json:"specDigest"`
	Spec       Spec           `json:"spec"`
	Snapshot   Snapshot       `json:"snapshot"`
	Checks     []CheckResult  `json:"checks"`
	Parts      Parts          `json:"parts"`
	Candidates []CandidateRun `json:"candidates"`
	Winner     string         `json:"winner"`
	Artifact   Trained        `json:"artifact"`
	Test       Evaluation     `json:"test"`
	Champion   *Evaluation    `json:"champion,omitempty"`
	Comparison []Comparison   `json:"comparison,omitempty"`
	Verdicts   []Verdict      `json:"verdicts"`
	Package    string         `json:"package"`
	Cost       float64        `json:"cost"`
	Code       string         `json:"code"` // version of steward that built it
	Workflow   string         `json:"workflow"`
	Run        string         `json:"run"`
	Sealed     time.Time      `json:"sealed"`
}

// ManifestFormat is the format of this version's manifests.
const ManifestFormat = "steward/evidence/v1"
