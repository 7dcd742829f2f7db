package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"steward/internal/lifecycle"
)

// ModelLine is a model in the list of models, as its search attributes say.
type ModelLine struct {
	Name     string `json:"name"`
	Team     string `json:"team"`
	Stage    string `json:"stage" doc:"of what is under way"`
	Health   string `json:"health"`
	Release  int    `json:"release" doc:"number of the release that serves; 0 when none does"`
	Awaiting string `json:"awaiting" doc:"who is waited for"`
}

// listed finds the models, and what is under way for them.
var listed = fmt.Sprintf("ExecutionStatus = 'Running' AND WorkflowType IN ('%s', '%s', '%s')",
	lifecycle.ModelWorkflow, lifecycle.ReleaseWorkflow, lifecycle.RolloutWorkflow)

// models lists every model by name.
func (s *Server) models(ctx context.Context) ([]ModelLine, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var found []*workflow.WorkflowExecutionInfo
	request := &workflowservice.ListWorkflowExecutionsRequest{Namespace: s.cfg.Namespace, Query: listed, PageSize: 500}
	for {
		page, err := s.cfg.Temporal.ListWorkflow(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("list the models: %w", err)
		}
		found = append(found, page.GetExecutions()...)
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return linesOf(found), nil
		}
	}
}

// linesOf makes a line of every Model run, and notes on it what its Release and
// Rollout runs say: how far they are and whom they wait for.
func linesOf(found []*workflow.WorkflowExecutionInfo) []ModelLine {
	lines, at := []ModelLine{}, map[string]*ModelLine{}
	for _, e := range found {
		if e.GetType().GetName() == lifecycle.ModelWorkflow {
			lines = append(lines, lineOf(e))
		}
	}
	slices.SortFunc(lines, func(a, b ModelLine) int { return strings.Compare(a.Name, b.Name) })
	for i := range lines {
		at[lines[i].Name] = &lines[i]
	}
	for _, e := range found {
		line := at[attribute[string](e, lifecycle.AttrModel)]
		if line == nil || e.GetType().GetName() == lifecycle.ModelWorkflow {
			continue
		}
		if e.GetType().GetName() == lifecycle.ReleaseWorkflow {
			line.Stage = cmp.Or(attribute[string](e, lifecycle.AttrStage), line.Stage)
		}
		line.Awaiting = cmp.Or(line.Awaiting, attribute[string](e, lifecycle.AttrAwaiting))
	}
	return lines
}

// lineOf reads one Model run. The attributes of a run that has just begun are
// not there yet, but its id always is. A model belongs to its team.
func lineOf(e *workflow.WorkflowExecutionInfo) ModelLine {
	return ModelLine{
		Name:    strings.TrimPrefix(e.GetExecution().GetWorkflowId(), lifecycle.ModelID("")),
		Stage:   attribute[string](e, lifecycle.AttrStage),
		Health:  cmp.Or(attribute[string](e, lifecycle.AttrHealth), string(lifecycle.HealthUnknown)),
		Release: int(attribute[int64](e, lifecycle.AttrRelease)),
		Team:    attribute[string](e, lifecycle.AttrOwner),
	}
}

// attribute reads a search attribute, or the zero value when it is not set.
func attribute[T any](e *workflow.WorkflowExecutionInfo, key temporal.SearchAttributeKey) (value T) {
	payload, ok := e.GetSearchAttributes().GetIndexedFields()[key.GetName()]
	if !ok {
		return value
	}
	if err := converter.GetDefaultDataConverter().FromPayload(payload, &value); err != nil {
		return *new(T)
	}
	return value
}

// ReleaseView is a release with what goes on in it now.
type ReleaseView struct {
	Release lifecycle.ReleaseState  `json:"release"`
	Jobs    []lifecycle.Progress    `json:"jobs" nullable:"false"`
	Rollout *lifecycle.RolloutState `json:"rollout,omitempty"`
}

// release reads a release, its running jobs and, from when there is one, its rollout.
func (s *Server) release(ctx context.Context, model string, n int) (ReleaseView, error) {
	of := releaseRun(model, n)
	r, err := state[lifecycle.ReleaseState](ctx, s.cfg.Temporal, of)
	if err != nil {
		return ReleaseView{}, err
	}
	view := ReleaseView{Release: r, Jobs: []lifecycle.Progress{}}
	if !r.Stage.Ended() {
		if view.Jobs, err = jobs(ctx, s.cfg.Temporal, of); err != nil {
			return ReleaseView{}, err
		}
	}
	if !slices.ContainsFunc(r.Times, func(t lifecycle.StageTime) bool { return t.Stage == lifecycle.StageRollout }) {
		return view, nil
	}
	view.Rollout, err = s.rollout(ctx, rolloutRun(model, n))
	return view, err
}

// rollout reads a rollout; nil when it has not begun, or is over for long.
func (s *Server) rollout(ctx context.Context, of run) (*lifecycle.RolloutState, error) {
	r, err := state[lifecycle.RolloutState](ctx, s.cfg.Temporal, of)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &r, nil
}

func isMissing(err error) bool {
	var r *Refusal
	return errors.As(err, &r) && r.Type == lifecycle.NotFound
}

// evidence returns the exact bytes of a release's evidence pack. A release that
// Temporal has forgotten is looked up in the ledger.
func (s *Server) evidence(ctx context.Context, model string, n int) ([]byte, error) {
	of := releaseRun(model, n)
	r, err := state[lifecycle.ReleaseState](ctx, s.cfg.Temporal, of)
	if isMissing(err) {
		r.Evidence, err = s.sealed(ctx, model, n)
	}
	if err != nil {
		return nil, err
	}
	if r.Evidence == nil {
		return nil, refuse(lifecycle.NotFound, "release %d of model %s has no evidence pack: it is at stage %s", n, model, r.Stage)
	}
	pack, err := s.cfg.Packs.Bytes(ctx, *r.Evidence)
	return pack, storeFault(err, fmt.Sprintf("evidence of release %d of %s", n, model))
}

// sealed finds where the ledger says that a release's evidence is.
func (s *Server) sealed(ctx context.Context, model string, n int) (*lifecycle.Evidence, error) {
	entries, err := s.cfg.Ledger.Read(ctx, model)
	if err != nil {
		return nil, storeFault(err, "ledger of "+model)
	}
	for _, e := range slices.Backward(entries) {
		if e.Kind != lifecycle.EntrySealed || e.Release != n {
			continue
		}
		raw, err := json.Marshal(e.Data)
		if err != nil {
			return nil, fmt.Errorf("ledger entry %d of %s: %w", e.Seq, model, err)
		}
		var found lifecycle.Evidence
		if err := json.Unmarshal(raw, &found); err == nil && found.URI != "" && found.Digest != "" {
			return &found, nil
		}
	}
	return nil, refuse(lifecycle.NotFound, "%s", releaseRun(model, n).missing)
}
