package cloud

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/lifecycle"
)

// staleFor is how long an endpoint may show its old state after it accepted a
// change, before we say that it did not change.
const staleFor = time.Minute

// change is one change of an endpoint on its way.
type change struct {
	asked  time.Time // zero until it was asked for
	before time.Time // when the endpoint had last changed then
}

// refused tells whether the endpoint, at rest in a state that was not asked
// for, has dealt with the change: SageMaker rolls a failed update back by itself
// and is InService again, on the old configuration.
func (c change) refused(seen Endpoint) bool {
	return !c.asked.IsZero() && (seen.Changed.After(c.before) || time.Since(c.asked) > staleFor)
}

// Serve makes the model's endpoint serve a configuration and waits until it
// does: it creates the endpoint, or changes it, or joins what an earlier attempt
// began. An endpoint that another one is changing is waited for. An endpoint
// that failed, or went back to what it served before, is lifecycle.ServingFault
// with the reason. Nothing is removed.
func (e *Endpoints) Serve(ctx context.Context, of lifecycle.Of, config string, observe func(lifecycle.Progress)) (Endpoint, error) {
	name := lifecycle.EndpointName(of.Model)
	var c change
	return e.drive(ctx, name, observe, func(seen Endpoint, exists bool) (bool, error) {
		switch {
		case !exists:
			return false, e.create(ctx, of, name, config)
		case seen.serves() && seen.Config == config:
			return true, nil
		case seen.Failed() && seen.Config == config, c.refused(seen):
			return false, seen.fault(config)
		case seen.Failed(): // left by a release that was given up: it can only be deleted
			return false, e.remove(ctx, name)
		case !c.asked.IsZero():
			return false, nil
		}
		c = change{time.Now(), seen.Changed}
		_, err := e.client.UpdateEndpoint(ctx, &sagemaker.UpdateEndpointInput{EndpointName: &name, EndpointConfigName: &config})
		if err = translate(err, "change endpoint %s to %s", name, config); errors.Is(err, ErrInProgress) {
			c = change{} // somebody else's change comes first
			return false, nil
		}
		return false, err
	})
}

func (e *Endpoints) create(ctx context.Context, of lifecycle.Of, name, config string) (err error) {
	in := &sagemaker.CreateEndpointInput{EndpointName: &name, EndpointConfigName: &config}
	if in.Tags, err = owned(of, []string{name, config}); err != nil {
		return err
	}
	_, err = e.client.CreateEndpoint(ctx, in)
	if err = translate(err, "make endpoint %s", name); errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

// Weigh moves the traffic of an endpoint to the given percentages and waits
// until it has. The variants must be exactly those that the endpoint has, else
// it is lifecycle.Conflict.
func (e *Endpoints) Weigh(ctx context.Context, name string, weights map[string]int, observe func(lifecycle.Progress)) (Endpoint, error) {
	var c change
	return e.drive(ctx, name, observe, func(seen Endpoint, exists bool) (bool, error) {
		switch {
		case !exists:
			return false, lifecycle.Fail(lifecycle.NotFound, "endpoint %s does not exist: deploy before weights are set", name)
		case !seen.serves():
			return false, seen.fault(words(weights))
		case maps.Equal(seen.Weights, weights):
			return true, nil
		case !slices.Equal(variants(seen.Weights), variants(weights)):
			return false, lifecycle.Fail(lifecycle.Conflict, "endpoint %s has the variants %s, not %s",
				name, words(seen.Weights), words(weights))
		case c.refused(seen):
			return false, seen.fault(words(weights))
		case !c.asked.IsZero():
			return false, nil
		}
		c = change{time.Now(), seen.Changed}
		err := e.weigh(ctx, name, weights)
		if errors.Is(err, ErrInProgress) {
			c = change{}
			return false, nil
		}
		return false, err
	})
}

func (e *Endpoints) weigh(ctx context.Context, name string, weights map[string]int) error {
	in := &sagemaker.UpdateEndpointWeightsAndCapacitiesInput{EndpointName: &name}
	for _, v := range variants(weights) {
		in.DesiredWeightsAndCapacities = append(in.DesiredWeightsAndCapacities, types.DesiredWeightAndCapacity{
			VariantName: aws.String(v), DesiredWeight: aws.Float32(float32(weights[v]))})
	}
	_, err := e.client.UpdateEndpointWeightsAndCapacities(ctx, in)
	return translate(err, "set weights of endpoint %s to %s", name, words(weights))
}

// Settle waits until an endpoint is at rest. An unknown one is ErrNotFound.
func (e *Endpoints) Settle(ctx context.Context, name string, observe func(lifecycle.Progress)) (Endpoint, error) {
	return e.drive(ctx, name, observe, func(_ Endpoint, exists bool) (bool, error) {
		if !exists {
			return false, typed("endpoint "+name+" does not exist", lifecycle.NotFound, false, ErrNotFound)
		}
		return true, nil
	})
}

// Delete deletes an endpoint and waits until it is gone. It tells whether there
// was one.
func (e *Endpoints) Delete(ctx context.Context, name string, observe func(lifecycle.Progress)) (bool, error) {
	there := false
	_, err := e.drive(ctx, name, observe, func(_ Endpoint, exists bool) (bool, error) {
		if !exists {
			return true, nil
		}
		there = true
		return false, e.remove(ctx, name)
	})
	return there, err
}

// remove asks for the deletion; one that is busy is asked again.
func (e *Endpoints) remove(ctx context.Context, name string) error {
	_, err := e.client.DeleteEndpoint(ctx, &sagemaker.DeleteEndpointInput{EndpointName: &name})
	err = translate(err, "delete endpoint %s", name)
	if errors.Is(err, ErrInProgress) || errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// drive looks at an endpoint every poll and lets act decide whenever it is at
// rest or does not exist, until act is done. It tells observe at every look.
func (e *Endpoints) drive(ctx context.Context, name string, observe func(lifecycle.Progress),
	act func(seen Endpoint, exists bool) (done bool, err error),
) (Endpoint, error) {
	ticker := time.NewTicker(e.poll)
	defer ticker.Stop()
	for {
		seen, err := e.Describe(ctx, name)
		exists := !errors.Is(err, ErrNotFound)
		if err != nil && exists {
			return seen, err
		}
		observe(lifecycle.Progress{Job: name, Status: seen.Status})
		if !seen.moving() {
			if done, err := act(seen, exists); done || err != nil {
				return seen, err
			}
		}
		select {
		case <-ctx.Done():
			return seen, context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

func variants(weights map[string]int) []string { return slices.Sorted(maps.Keys(weights)) }

// words writes weights as "r3 90 %, r4 10 %".
func words(weights map[string]int) string {
	var out []string
	for _, v := range variants(weights) {
		out = append(out, fmt.Sprintf("%s %d %%", v, weights[v]))
	}
	return strings.Join(out, ", ")
}
