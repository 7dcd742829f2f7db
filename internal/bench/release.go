package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"steward/internal/lifecycle"
)

// patience is how long one run may take: without cloud calls it takes about a
// second.
const patience = 2 * time.Minute

// releaseBench times whole releases.
type releaseBench struct {
	warm, pairs int // runs of each that do not count, and that do
}

func (b releaseBench) run(ctx context.Context, l lab) (r result, err error) {
	s, err := openSite(ctx, l)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	c, err := newReleases(ctx, s)
	if err != nil {
		return r, err
	}
	l.say("release: %d activities in %d steps, in a release and its rollout; %d pairs", c.plan.activities(),
		len(c.plan.Steps)+len(c.plan.Child.Steps), b.pairs)
	ours := func() (time.Duration, error) { return c.release(ctx) }
	peer := func() (time.Duration, error) { return c.replica(ctx) }
	if _, _, err := inTurns(b.warm, ours, peer); err != nil {
		return r, err
	}
	mine, theirs, err := inTurns(b.pairs, ours, peer)
	if err != nil {
		return r, err
	}
	return result{ours: median(mine), peer: median(theirs), unit: "ms", most: 1.5}, nil
}

// releases runs releases and their peers.
type releases struct {
	site  *site
	world *world
	bare  *bareActivities
	input lifecycle.ReleaseInput // Number is that of the last release
	plan  plan
	peers int
}

// newReleases records the first release as the peers' plan.
func newReleases(ctx context.Context, s *site) (*releases, error) {
	declared, err := declared()
	if err != nil {
		return nil, err
	}
	c := &releases{site: s, world: newWorld(), bare: newBareActivities(), input: lifecycle.ReleaseInput{
		Model: declared.Model, Spec: declared.Spec, Digest: declared.Digest, Number: 1, Champion: champion(),
		Trigger: lifecycle.Trigger{Cause: lifecycle.CauseManual, Reason: "bench", Author: "ana", At: time.Now()},
	}}
	if err := s.work(c.world, c.bare); err != nil {
		return nil, err
	}
	// Somebody has to take the reports of releases that ended.
	if err := s.startSink(ctx, lifecycle.ModelID(declared.Model.Name), lifecycle.EndedSignal); err != nil {
		return nil, err
	}
	if _, err := c.release(ctx); err != nil {
		return nil, err
	}
	c.plan, err = c.record(ctx)
	return c, err
}

// champion is release 1, which serves.
func champion() *lifecycle.Champion {
	return &lifecycle.Champion{Release: 1, Package: "arn:aws:sagemaker:us-east-1:000000000000:model-package/steward-bench/1",
		Model: trained, Evidence: evidence, Parts: parts, Test: tested, Author: "ana", Since: time.Now()}
}

// record reads the plan of the last release.
func (c *releases) record(ctx context.Context) (plan, error) {
	p, err := c.site.planOf(ctx, lifecycle.ReleaseID(c.input.Model.Name, c.input.Number))
	if err != nil {
		return plan{}, err
	}
	rollout, err := c.site.planOf(ctx, lifecycle.RolloutID(c.input.Model.Name, c.input.Number))
	p.Child = &rollout
	return p, err
}

// planOf reads a workflow's plan from its history.
func (s *site) planOf(ctx context.Context, id string) (plan, error) {
	var all []*history.HistoryEvent
	for events := s.bare.GetWorkflowHistory(ctx, id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		e, err := events.Next()
		if err != nil {
			return plan{}, fmt.Errorf("history of %s: %w", id, err)
		}
		all = append(all, e)
	}
	p, err := planOf(all)
	if err != nil {
		return plan{}, fmt.Errorf("history of %s: %w", id, err)
	}
	return p, nil
}

// release runs the next release, approves it when asked, and times all of it.
func (c *releases) release(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("a release did not end within %s", patience))
	defer cancel()
	c.input.Number++
	id := lifecycle.ReleaseID(c.input.Model.Name, c.input.Number)
	begin := time.Now()
	run, err := c.site.ours.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: lifecycle.TaskQueue},
		lifecycle.ReleaseWorkflow, c.input)
	if err != nil {
		return 0, err
	}
	if err := await(ctx, c.world.asked); err != nil {
		return 0, fmt.Errorf("%s: waiting for its approval to be asked for: %w", id, err)
	}
	decision := lifecycle.Decision{Model: c.input.Model.Name, Release: c.input.Number, Digest: evidence.Digest, Subject: "pat",
		Roles: []lifecycle.Role{lifecycle.ProductManager}, Approve: true, Comment: "bench", At: time.Now()}
	if err := update(ctx, c.site.ours, id, lifecycle.DecideUpdate, decision); err != nil {
		return 0, err
	}
	var end lifecycle.ReleaseState
	if err := run.Get(ctx, &end); err != nil {
		return 0, fmt.Errorf("%s: %w", id, errors.Join(err, context.Cause(ctx)))
	}
	took := time.Since(begin)
	if end.Stage != lifecycle.StageReleased {
		return 0, fmt.Errorf("%s ended %s: %w", id, end.Stage, end.Problem)
	}
	return took, nil
}

// replica runs the plan bare, and times it.
func (c *releases) replica(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("a bare workflow did not end within %s", patience))
	defer cancel()
	c.peers++
	id := fmt.Sprintf("bare/%d", c.peers)
	begin := time.Now()
	run, err := c.site.bare.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: bareQueue}, bareName, c.plan)
	if err != nil {
		return 0, err
	}
	if err := await(ctx, c.bare.asked); err != nil {
		return 0, fmt.Errorf("%s: waiting for its update to be asked for: %w", id, err)
	}
	if err := update(ctx, c.site.bare, id, bareUpdate); err != nil {
		return 0, err
	}
	if err := run.Get(ctx, nil); err != nil {
		return 0, fmt.Errorf("%s: %w", id, errors.Join(err, context.Cause(ctx)))
	}
	return time.Since(begin), nil
}

// await takes one from c.
func await[T any](ctx context.Context, c <-chan T) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// update asks a workflow for something and waits for its answer.
func update(ctx context.Context, c client.Client, id, name string, args ...any) error {
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: name, Args: args, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err != nil {
		return fmt.Errorf("%s: %s: %w", id, name, err)
	}
	if err := handle.Get(ctx, nil); err != nil {
		return fmt.Errorf("%s: %s: %w", id, name, err)
	}
	return nil
}
