package activities

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"steward/internal/cloud"
	"steward/internal/evidence"
	"steward/internal/lifecycle"
)

// Deployment changes what serves. Role is the ARN that serving containers act
// as; Bucket gets the captured traffic.
type Deployment struct {
	Endpoints *cloud.Endpoints
	Models    *cloud.Models
	Metrics   *cloud.Metrics
	Objects   *cloud.Objects
	Packs     *evidence.Packs
	Keys      *evidence.Keyring
	Bucket    string
	Role      string
}

// Deploy makes the model's endpoint serve exactly the given variants with the
// given weights, and returns what was then seen to serve. Before anything is
// touched, the evidence and approvals of every variant and the digest of its
// artifact are checked: lifecycle.NotApproved, GatesFailed or Invalid. A first
// deployment finds no other release serving, else it is lifecycle.Conflict.
//
// An endpoint that does not take the change is lifecycle.ServingFault with the
// reason, and what was made for it is removed: after a failed update the old
// configuration serves on; a first endpoint that failed is gone. Nothing that
// serves is removed: see RemoveUnused. When the workflow cancels, the endpoint
// is left as it is, for the workflow knows what shall serve instead.
func (d *Deployment) Deploy(ctx context.Context, in lifecycle.DeployInput) (lifecycle.Serving, error) {
	if err := d.admit(ctx, in); err != nil {
		return lifecycle.Serving{}, err
	}
	if err := d.checkArtifacts(ctx, in.Variants); err != nil {
		return lifecycle.Serving{}, err
	}
	if err := d.checkFirst(ctx, in); err != nil {
		return lifecycle.Serving{}, err
	}
	config := d.config(in)
	name, seen, err := d.serve(ctx, in, config)
	// What conflicts was made by somebody else.
	if cloud.Final(err) && lifecycle.ErrorType(err) != lifecycle.Conflict && ctx.Err() == nil {
		if cleanErr := d.removeMade(ctx, config, name); cleanErr != nil {
			return lifecycle.Serving{}, cloud.Wrap(cleanErr, "%v; and removing what was made", err)
		}
	}
	return lifecycle.Serving{Config: seen.Config, Weights: seen.Weights}, err
}

// config is the endpoint configuration that was asked for.
func (d *Deployment) config(in lifecycle.DeployInput) cloud.EndpointConfig {
	c := cloud.EndpointConfig{Of: in.Of, Capture: captureURI(d.Bucket, in.Model)}
	for _, v := range in.Variants {
		c.Variants = append(c.Variants, cloud.Variant{
			Release: v.Champion.Release, Model: lifecycle.ResourceName(in.Model, v.Champion.Release),
			Instance: in.Endpoint.Instance, Count: in.Endpoint.Count, Weight: v.Weight, Startup: in.Endpoint.Startup.Std(),
		})
	}
	return c
}

// captureURI is where the requests and answers of a model's endpoint go.
func captureURI(bucket, model string) string { return fmt.Sprintf("s3://%s/capture/%s", bucket, model) }

func (d *Deployment) serve(ctx context.Context, in lifecycle.DeployInput, c cloud.EndpointConfig) (name string, seen cloud.Endpoint, err error) {
	for i, v := range in.Variants {
		err := d.Models.Create(ctx, cloud.Model{
			Of: lifecycle.Of{Model: in.Model, Release: v.Champion.Release}, Name: c.Variants[i].Model,
			Image: v.Champion.Model.Image, Data: v.Champion.Model.URI, Role: d.Role, Env: v.Champion.Model.ServingEnv(),
		})
		if err != nil {
			return "", seen, err
		}
	}
	if name, err = d.Endpoints.CreateConfig(ctx, c); err != nil {
		return "", seen, err
	}
	if seen, err = d.Endpoints.Serve(ctx, in.Of, name, beat(ctx)); err != nil {
		return name, seen, err
	}
	// The configuration may have served before, under weights set since.
	if wanted := weights(in.Variants); !maps.Equal(seen.Weights, wanted) {
		seen, err = d.Endpoints.Weigh(ctx, seen.Name, wanted, beat(ctx))
	}
	return name, seen, err
}

func weights(variants []lifecycle.Serve) map[string]int {
	out := map[string]int{}
	for _, v := range variants {
		out[lifecycle.Variant(v.Champion.Release)] = v.Weight
	}
	return out
}

// SetWeights moves traffic between the variants that serve already. They must
// be exactly the given ones, else it is lifecycle.Conflict.
func (d *Deployment) SetWeights(ctx context.Context, in lifecycle.DeployInput) (lifecycle.Serving, error) {
	if err := d.admit(ctx, in); err != nil {
		return lifecycle.Serving{}, err
	}
	seen, err := d.Endpoints.Weigh(ctx, lifecycle.EndpointName(in.Model), weights(in.Variants), beat(ctx))
	return lifecycle.Serving{Config: seen.Config, Weights: seen.Weights}, err
}

// removeMade removes the configuration and those models of a change that
// failed which nothing serves, and an endpoint that never served.
func (d *Deployment) removeMade(ctx context.Context, c cloud.EndpointConfig, name string) error {
	used, err := d.inUse(ctx, c.Model)
	if err != nil {
		return err
	}
	if name != "" && name != used.config {
		if err := d.Endpoints.DeleteConfig(ctx, name); err != nil {
			return err
		}
	}
	for _, v := range c.Variants {
		if slices.Contains(used.models, v.Model) {
			continue
		}
		if _, err := d.Models.Delete(ctx, v.Model); err != nil {
			return err
		}
	}
	return nil
}

// use is what an endpoint at rest serves with; all empty if nothing serves.
type use struct {
	config string
	models []string
}

// inUse waits until the endpoint is at rest and says what it serves with. An
// endpoint that failed to come up serves nothing and is removed.
func (d *Deployment) inUse(ctx context.Context, model string) (use, error) {
	name := lifecycle.EndpointName(model)
	seen, err := d.Endpoints.Settle(ctx, name, beat(ctx))
	if errors.Is(err, cloud.ErrNotFound) {
		return use{}, nil
	}
	if err != nil {
		return use{}, err
	}
	if seen.Failed() {
		_, err := d.Endpoints.Delete(ctx, name, beat(ctx))
		return use{}, err
	}
	models, err := d.Endpoints.ConfigModels(ctx, seen.Config)
	return use{seen.Config, models}, err
}
