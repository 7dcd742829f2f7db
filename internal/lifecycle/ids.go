package lifecycle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// TaskQueue is where all workflows and activities of Steward run.
const TaskQueue = "steward"

// Names of the workflows.
const (
	ModelWorkflow   = "Model"
	ReleaseWorkflow = "Release"
	RolloutWorkflow = "Rollout"
	WatchWorkflow   = "Watch"
)

// Names of the messages. One query serves every workflow.
const (
	StateQuery = "state"

	ApplyUpdate    = "apply"
	ReleaseUpdate  = "release"
	RollbackUpdate = "rollback"
	PauseUpdate    = "pause"
	ResumeUpdate   = "resume"
	RetireUpdate   = "retire"
	DecideUpdate   = "decide"
	CancelUpdate   = "cancel"
	PromoteUpdate  = "promote"
	AbortUpdate    = "abort"

	AlertSignal    = "alert"
	WindowSignal   = "window"
	EndedSignal    = "ended"
	KPISignal      = "kpi"
	DecideSignal   = "decide"
	CancelSignal   = "cancel"
	ChampionSignal = "champion"
	PauseSignal    = "pause"
	ResumeSignal   = "resume"
)

// ModelID is the workflow id of a model.
func ModelID(model string) string { return "model/" + model }

// ReleaseID is the workflow id of a release.
func ReleaseID(model string, n int) string { return fmt.Sprintf("model/%s/release/%d", model, n) }

// RolloutID is the workflow id of a release's rollout.
func RolloutID(model string, n int) string { return ReleaseID(model, n) + "/rollout" }

// RollbackID is the workflow id of the seq-th return of a model to release n.
func RollbackID(model string, n, seq int) string {
	return fmt.Sprintf("%s/rollback/%d", ReleaseID(model, n), seq)
}

// WatchID is the workflow id of a model's watch.
func WatchID(model string) string { return "model/" + model + "/watch" }

// ResourceName is the name of a cloud resource: steward-<model>-r<n>[-part…].
// It stays within SageMaker's 63 characters, since model names have at most 30
// and candidates at most 12.
func ResourceName(model string, n int, parts ...string) string {
	name := fmt.Sprintf("steward-%s-r%d", model, n)
	for _, p := range parts {
		name += "-" + p
	}
	return name
}

// CodeURI is where the source of a model's script is kept; digest is that of its
// archive, as "sha256:<hex>".
func CodeURI(bucket, model, digest string) string {
	return fmt.Sprintf("s3://%s/models/%s/code/%s.tar.gz", bucket, model, strings.TrimPrefix(digest, "sha256:"))
}

// EndpointName is the endpoint, and the model package group, of a model.
func EndpointName(model string) string { return "steward-" + model }

// Variant is the production variant that serves release n.
func Variant(n int) string { return fmt.Sprintf("r%d", n) }

// Digest is the SHA-256 of v's JSON form, as "sha256:<hex>". Go writes struct
// fields in order and map keys sorted, so equal values have equal digests.
func Digest(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
