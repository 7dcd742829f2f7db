package gateway

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/lifecycle"
)

// registerReleases adds what concerns one release.
func (s *Server) registerReleases(api huma.API) {
	const path = "/v1/models/{name}/releases/{n}"
	on(s, api, http.MethodGet, path, "Show a release", s.getRelease)
	on(s, api, http.MethodPost, path+"/decision", "Approve or reject a release", s.postDecision)
	on(s, api, http.MethodPost, path+"/cancel", "Stop a release", s.postCancel)
	on(s, api, http.MethodPost, path+"/rollout", "Promote or abort a rollout", s.postRollout)
	s.registerEvidence(api, path+"/evidence")
}

func (s *Server) getRelease(ctx context.Context, in *ReleasePath) (ReleaseView, error) {
	return s.release(ctx, in.Name, in.N)
}

// DecisionInput is what a person says about the evidence they saw.
type DecisionInput struct {
	ReleasePath
	Once
	Body struct {
		Approve bool   `json:"approve"`
		Digest  string `json:"digest" pattern:"^sha256:[0-9a-f]{64}$" doc:"digest of the evidence pack that was seen"`
		Comment string `json:"comment,omitempty" maxLength:"4000"`
	}
}

func (s *Server) postDecision(ctx context.Context, in *DecisionInput) (lifecycle.ReleaseState, error) {
	d := lifecycle.Decision{Approve: in.Body.Approve, Digest: in.Body.Digest, Comment: in.Body.Comment}
	return s.decide(ctx, in.Name, in.N, d, in.Key)
}

// CancelInput stops a release, with the reason.
type CancelInput struct {
	ReleasePath
	Once
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"why, for the ledger"`
	}
}

func (s *Server) postCancel(ctx context.Context, in *CancelInput) (lifecycle.ReleaseState, error) {
	return s.cancel(ctx, in.Name, in.N, in.Body.Reason, in.Key)
}

// RolloutInput steers a rollout.
type RolloutInput struct {
	ReleasePath
	Once
	Body struct {
		Promote bool   `json:"promote" doc:"true goes on to all traffic, false goes back"`
		Comment string `json:"comment,omitempty" maxLength:"4000"`
	}
}

func (s *Server) postRollout(ctx context.Context, in *RolloutInput) (lifecycle.RolloutState, error) {
	return s.steer(ctx, in.Name, in.N, in.Body.Promote, in.Body.Comment, in.Key)
}

// EvidenceOutput is an evidence pack, byte for byte: its digest is what people
// approve.
type EvidenceOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *Server) registerEvidence(api huma.API, path string) {
	op := huma.Operation{OperationID: "get-evidence", Method: http.MethodGet, Path: path,
		Summary: "Read the evidence pack of a release", Errors: []int{401, 404, 422, 500, 503}}
	huma.Register(api, op, func(ctx context.Context, in *ReleasePath) (*EvidenceOutput, error) {
		raw, err := s.evidence(ctx, in.Name, in.N)
		if err != nil {
			return nil, s.explain(ctx, err)
		}
		return &EvidenceOutput{"application/json", raw}, nil
	})
}
