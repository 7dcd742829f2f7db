package activities

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"

	"steward/internal/cloud"
	"steward/internal/evidence"
	"steward/internal/lifecycle"
)

// admit is the last check before anything may serve a request. It trusts
// nothing but the sealed evidence and the signatures: each variant's pack is
// unchanged and speaks of this very model, release and artifact, all gates in
// it passed, and the people whom the rule in it names have approved its digest.
// That rule, not today's, counts: it is what they saw, and a version that was
// properly approved can be brought back after the rule has become stricter.
func (d *Deployment) admit(ctx context.Context, in lifecycle.DeployInput) error {
	if len(in.Variants) == 0 {
		return lifecycle.Fail(lifecycle.Invalid, "deploy %s: no variant was named", in.Model)
	}
	total := 0
	for _, v := range in.Variants {
		if err := d.admitVariant(ctx, in.Model, v.Champion); err != nil {
			return err
		}
		total += v.Weight
	}
	if total != 100 {
		return lifecycle.Fail(lifecycle.Invalid, "deploy %s: the weights add up to %d, not 100", in.Model, total)
	}
	return nil
}

func (d *Deployment) admitVariant(ctx context.Context, model string, c lifecycle.Champion) error {
	of := lifecycle.Of{Model: model, Release: c.Release}
	id := lifecycle.ReleaseID(model, c.Release)
	m, err := d.Packs.Load(ctx, c.Evidence)
	if err != nil {
		return cloud.Wrap(err, "%s may not serve", id)
	}
	if m.Model.Name != model || m.Release != c.Release {
		return lifecycle.Fail(lifecycle.Invalid, "%s may not serve: evidence %s is about %s", id, c.Evidence.URI, lifecycle.ReleaseID(m.Model.Name, m.Release))
	}
	if m.Artifact.URI != c.Model.URI || m.Artifact.Digest != c.Model.Digest || m.Artifact.Image != c.Model.Image {
		return lifecycle.Fail(lifecycle.Invalid, "%s may not serve: asked for %s (%s) in %s, its evidence is about %s (%s) in %s", id,
			c.Model.URI, c.Model.Digest, c.Model.Image, m.Artifact.URI, m.Artifact.Digest, m.Artifact.Image)
	}
	if !reflect.DeepEqual(m.Artifact.Code, c.Model.Code) {
		return lifecycle.Fail(lifecycle.Invalid, "%s may not serve: asked for code %+v, its evidence is about %+v", id, c.Model.Code, m.Artifact.Code)
	}
	if err := gatesPassed(id, m.Verdicts); err != nil {
		return err
	}
	if err := evidence.VerifyApprovals(of, c.Evidence, m.Spec.Approval, m.Trigger.Author, c.Approved, d.Keys); err != nil {
		return err
	}
	if c.Author == m.Trigger.Author {
		return nil
	}
	return evidence.VerifyApprovals(of, c.Evidence, m.Spec.Approval, c.Author, c.Approved, d.Keys)
}

func gatesPassed(id string, verdicts []lifecycle.Verdict) error {
	if len(verdicts) == 0 {
		return lifecycle.Fail(lifecycle.GatesFailed, "%s may not serve: its evidence holds no gate", id)
	}
	for _, v := range verdicts {
		if v.Outcome != lifecycle.Pass {
			return lifecycle.Fail(lifecycle.GatesFailed, "%s may not serve: gate %q ended %s: %s", id, v.Gate, v.Outcome, v.Detail)
		}
	}
	return nil
}

// checkFirst keeps a deployment that knows of nothing that serves from putting
// itself in the place of what does: of a model whose record was lost, say. It
// waits for an endpoint that is changing.
func (d *Deployment) checkFirst(ctx context.Context, in lifecycle.DeployInput) error {
	if !in.First {
		return nil
	}
	seen, err := d.Endpoints.Settle(ctx, lifecycle.EndpointName(in.Model), beat(ctx))
	if errors.Is(err, cloud.ErrNotFound) || err == nil && seen.Failed() {
		return nil
	}
	if err != nil {
		return err
	}
	wanted := weights(in.Variants)
	for _, variant := range slices.Sorted(maps.Keys(seen.Weights)) {
		if _, ours := wanted[variant]; !ours {
			return lifecycle.Fail(lifecycle.Conflict,
				"endpoint %s serves %s with %d %% of the traffic, though nothing of %s is known to serve: if it is not needed, delete the endpoint (aws sagemaker delete-endpoint --endpoint-name %s) and release again",
				seen.Name, variant, seen.Weights[variant], in.Model, seen.Name)
		}
	}
	return nil
}

// checkArtifacts compares what lies in S3 with what the evidence speaks of.
func (d *Deployment) checkArtifacts(ctx context.Context, variants []lifecycle.Serve) error {
	for _, v := range variants {
		m := v.Champion.Model
		if err := d.checkDigest(ctx, "artifact", m.URI, m.Digest); err != nil {
			return err
		}
		if m.Code == nil {
			continue
		}
		if err := d.checkDigest(ctx, "code", m.Code.URI, m.Code.Digest); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deployment) checkDigest(ctx context.Context, what, uri, want string) error {
	got, err := digestOf(ctx, d.Objects, uri)
	if err == nil && got != want {
		err = lifecycle.Fail(lifecycle.Invalid, "%s %s was changed: it has digest %s, its evidence says %s", what, uri, got, want)
	}
	return err
}
