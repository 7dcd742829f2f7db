package activities

import (
	"context"
	"encoding/json"
	"errors"
	"path"
	"strings"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// submitDirectory is the hyperparameter by which script mode finds the source.
const submitDirectory = "sagemaker_submit_directory"

// pin gives the source of a candidate's script the address of its content,
// copying it there unless it has one, so that what was trained with is what
// serves, for as long as that may be. A job that was started has its source: that
// another stands at the script's address by now changes nothing. A source that was
// replaced under the address of its content is lifecycle.Invalid; without a script
// there is nothing to pin.
func (t *Training) pin(ctx context.Context, in lifecycle.TrainInput) (*lifecycle.Code, error) {
	script := in.Candidate.Script
	if script == nil {
		return nil, nil
	}
	if !script.Remote() {
		return nil, lifecycle.Fail(lifecycle.Invalid, "candidate %s: script source %q is a folder: apply the model file with steward apply, which uploads it",
			in.Candidate.Name, script.Source)
	}
	if code, err := t.pinned(ctx, in); code != nil || err != nil {
		return code, err
	}
	seen, err := t.Objects.Stat(ctx, script.Source)
	if err != nil {
		return nil, cloud.Wrap(err, "candidate %s: script source", in.Candidate.Name)
	}
	digest, err := digestOf(ctx, t.Objects, script.Source)
	if err != nil {
		return nil, err
	}
	code := &lifecycle.Code{URI: lifecycle.CodeURI(t.Bucket, in.Model, digest), Digest: digest,
		Program: script.EntryPoint, Inference: script.Inference}
	switch {
	case code.URI == script.Source:
		return code, nil
	case path.Dir(script.Source) == path.Dir(code.URI):
		return nil, lifecycle.Fail(lifecycle.Invalid, "candidate %s: script source %s was changed: it has digest %s; apply the model file again",
			in.Candidate.Name, script.Source, digest)
	}
	return code, t.Objects.Copy(ctx, seen, code.URI)
}

// pinned is the source that the candidate's job was started with, nil without a job.
func (t *Training) pinned(ctx context.Context, in lifecycle.TrainInput) (*lifecycle.Code, error) {
	given, err := t.Jobs.Hyperparameters(ctx, in.Job)
	if errors.Is(err, cloud.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	uri := strings.Trim(given[submitDirectory], `"`)
	digest := "sha256:" + strings.TrimSuffix(path.Base(uri), ".tar.gz")
	if uri != lifecycle.CodeURI(t.Bucket, in.Model, digest) {
		return nil, nil // not one of ours: starting it will say so
	}
	return &lifecycle.Code{URI: uri, Digest: digest, Program: in.Candidate.Script.EntryPoint, Inference: in.Candidate.Script.Inference}, nil
}

// jsonOf writes a hyperparameter as the SageMaker Python SDK does: JSON.
func jsonOf(value any) (string, error) {
	text, err := textOf(value)
	if quoted, ok := value.(string); ok && err == nil {
		raw, err := json.Marshal(quoted)
		return string(raw), err
	}
	return text, err
}
