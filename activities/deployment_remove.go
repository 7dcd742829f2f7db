package activities

import (
	"context"
	"slices"

	"steward/internal/lifecycle"
)

// RemoveUnused removes the endpoint configurations and models of a model that
// its endpoint does not serve with, and returns what it removed. It waits for an
// endpoint that is changing.
func (d *Deployment) RemoveUnused(ctx context.Context, in lifecycle.RemoveInput) (lifecycle.Removed, error) {
	used, err := d.inUse(ctx, in.Model)
	if err != nil {
		return lifecycle.Removed{}, err
	}
	return d.removeBut(ctx, in.Model, used)
}

// Retire removes everything of a model that serves or could: its endpoint,
// configurations and models, whatever release in says. It waits until the
// endpoint is gone, and returns what it removed; a repeat finds nothing.
func (d *Deployment) Retire(ctx context.Context, in lifecycle.RemoveInput) (lifecycle.Removed, error) {
	name := lifecycle.EndpointName(in.Model)
	there, err := d.Endpoints.Delete(ctx, name, beat(ctx))
	if err != nil {
		return lifecycle.Removed{}, err
	}
	removed, err := d.removeBut(ctx, in.Model, use{})
	if there {
		removed.Resources = append([]string{"endpoint/" + name}, removed.Resources...)
	}
	return removed, err
}

func (d *Deployment) removeBut(ctx context.Context, model string, used use) (out lifecycle.Removed, err error) {
	configs, err := d.Endpoints.ConfigsOf(ctx, model)
	if err != nil {
		return out, err
	}
	models, err := d.Endpoints.ModelsOf(ctx, model)
	if err != nil {
		return out, err
	}
	for _, name := range configs {
		if name == used.config {
			continue
		}
		if err := d.Endpoints.DeleteConfig(ctx, name); err != nil {
			return out, err
		}
		out.Resources = append(out.Resources, "endpoint-config/"+name)
		beat(ctx)(lifecycle.Progress{Job: name, Status: "removed"})
	}
	for _, name := range models {
		if slices.Contains(used.models, name) {
			continue
		}
		if _, err := d.Models.Delete(ctx, name); err != nil {
			return out, err
		}
		out.Resources = append(out.Resources, "model/"+name)
		beat(ctx)(lifecycle.Progress{Job: name, Status: "removed"})
	}
	return out, nil
}
