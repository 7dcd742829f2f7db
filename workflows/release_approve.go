package workflows

import (
	"fmt"
	"strings"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/internal/lifecycle"
	"steward/internal/policy"
)

// register puts the winner into the registry, waiting for approval.
func (r *release) register(ctx workflow.Context) error {
	winner := r.state.Candidate(r.state.Winner)
	text := fmt.Sprintf("registering %s of release %d as a model package", winner.Name, r.in.Number)
	if err := r.scribe.record(ctx, lifecycle.EntryRegistered, lifecycle.Machine, text, map[string]any{"model": winner.Model.Digest}); err != nil {
		return err
	}
	arn, err := call(ctx, quick, "register the model package", registry.Register, lifecycle.RegisterInput{
		Of: r.of(), Model: *winner.Model, Test: *r.state.Test, Snapshot: *r.state.Snapshot})
	r.state.Package = arn
	return err
}

// seal fixes the evidence that people are asked about.
func (r *release) seal(ctx workflow.Context) error {
	info := workflow.GetInfo(ctx)
	evidence, err := call(ctx, quick, "seal the evidence", records.Seal, lifecycle.Manifest{
		Format: lifecycle.ManifestFormat, Model: r.in.Model, Release: r.in.Number, Trigger: r.in.Trigger,
		SpecDigest: r.in.Digest, Spec: r.in.Spec, Snapshot: *r.state.Snapshot, Checks: r.state.Checks,
		Parts: *r.state.Parts, Candidates: r.state.Candidates, Winner: r.state.Winner,
		Artifact: *r.state.Candidate(r.state.Winner).Model, Test: *r.state.Test, Champion: r.state.Champion,
		Comparison: r.state.Comparison, Verdicts: r.state.Verdicts, Package: r.state.Package, Cost: r.state.Cost,
		Workflow: info.WorkflowExecution.ID, Run: info.FirstRunID, Sealed: workflow.Now(ctx)})
	if err != nil {
		return err
	}
	r.state.Evidence = &evidence
	return r.scribe.record(ctx, lifecycle.EntrySealed, lifecycle.Machine,
		fmt.Sprintf("evidence of release %d sealed", r.in.Number), map[string]any{"digest": evidence.Digest, "uri": evidence.URI})
}

// approve asks people, reminds and escalates, until enough of them agreed, one
// refused, or the time is up. Silence is a rejection.
func (r *release) approve(ctx workflow.Context) error {
	rule := r.in.Spec.Approval
	if r.state.Asked.IsZero() {
		r.state.Asked = workflow.Now(ctx)
		r.state.ApproveBy = r.state.Asked.Add(rule.Expire.Std())
		r.askFor(ctx, lifecycle.NoticeApproval, fmt.Sprintf("please decide on release %d by %s", r.in.Number, r.state.ApproveBy.Format("2 Jan 2006 15:04 MST")))
	}
	for {
		tally := r.tally()
		r.state.Awaiting = tally.Awaiting
		r.show(ctx)
		switch {
		case tally.Rejected != nil:
			return r.rejected(ctx, tally.Rejected.Subject, fmt.Sprintf("%s rejected it: %s", tally.Rejected.Subject, tally.Rejected.Comment))
		case tally.Approved:
			return r.approved(ctx, tally)
		}
		if err := r.awaitAnswer(ctx, len(r.state.Decisions)); err != nil {
			return err
		}
	}
}

func (r *release) tally() policy.Tally {
	return policy.Approvals(r.in.Spec.Approval, r.in.Trigger.Author, r.state.Evidence.Digest, r.state.Decisions)
}

// awaitAnswer waits for a decision beyond the seen ones, or chases people.
func (r *release) awaitAnswer(ctx workflow.Context, seen int) error {
	what, at := policy.NextChaser(r.in.Spec.Approval, r.state.Asked, r.state.Reminders, r.state.Escalated)
	news := func() bool { return len(r.state.Decisions) > seen || r.inbox.mustContinue(ctx) }
	answered, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      at.Sub(workflow.Now(ctx)),
		TimerOptions: workflow.TimerOptions{Summary: "approval: " + string(what)},
	}, news)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case answered && len(r.state.Decisions) == seen:
		return r.again(ctx)
	case answered:
		return nil
	}
	switch what {
	case policy.Remind:
		r.state.Reminders++
		r.askFor(ctx, lifecycle.NoticeReminder, fmt.Sprintf("release %d still waits for your decision", r.in.Number))
	case policy.Escalate:
		r.state.Escalated = true
		tellAside(ctx, r.log, r.of(), r.in.Spec.Notify, lifecycle.NoticeEscalated,
			fmt.Sprintf("release %d waits for a decision since %s", r.in.Number, r.state.Asked.Format("2 Jan 15:04 MST")), r.in.Spec.Approval.Escalate.To)
	case policy.Expire:
		return r.rejected(ctx, lifecycle.Machine, "nobody decided in time")
	}
	return nil
}

// again continues in a new run that starts where this one stands.
func (r *release) again(ctx workflow.Context) error {
	r.in.State = &r.state
	return workflow.NewContinueAsNewError(ctx, lifecycle.ReleaseWorkflow, r.in)
}

// askFor tells those whose answers are missing.
func (r *release) askFor(ctx workflow.Context, kind, text string) {
	var who []string
	for _, a := range r.tally().Awaiting {
		who = append(who, fmt.Sprintf("%s <%s>", a.Role, r.in.Model.Owners[a.Role]))
	}
	tellAside(ctx, r.log, r.of(), r.in.Spec.Notify, kind, r.in.Model.Name+": "+text, who...)
}

func (r *release) rejected(ctx workflow.Context, who, why string) error {
	if err := r.scribe.record(ctx, lifecycle.EntryRejected, who, fmt.Sprintf("release %d rejected: %s", r.in.Number, why), nil); err != nil {
		return err
	}
	return lifecycle.Fail(lifecycle.NotApproved, "not approved: %s", why)
}

func (r *release) approved(ctx workflow.Context, t policy.Tally) error {
	var who []string
	r.state.Approved = t.Used
	for _, d := range t.Used {
		who = append(who, d.Subject)
	}
	text := fmt.Sprintf("release %d approved by %s", r.in.Number, strings.Join(who, ", "))
	if err := r.scribe.record(ctx, lifecycle.EntryApproved, who[0], text, map[string]any{"evidence": r.state.Evidence.Digest}); err != nil {
		return err
	}
	return do(ctx, quick, "mark the package approved", registry.SetApproval,
		lifecycle.ApprovalInput{Of: r.of(), Package: r.state.Package, Status: "Approved", Reason: text})
}

// rollout hands over to the Rollout workflow and waits for it.
func (r *release) rollout(ctx workflow.Context) error {
	id := lifecycle.RolloutID(r.in.Model.Name, r.in.Number)
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: id, WaitForCancellation: true, ParentClosePolicy: enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		StaticSummary: fmt.Sprintf("%s: rollout of release %d", r.in.Model.Name, r.in.Number),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			lifecycle.AttrModel.ValueSet(r.in.Model.Name), lifecycle.AttrRelease.ValueSet(int64(r.in.Number))),
	})
	var outcome lifecycle.RolloutOutcome
	err := workflow.ExecuteChildWorkflow(child, lifecycle.RolloutWorkflow, lifecycle.RolloutInput{
		Model: r.in.Model, Spec: r.in.Spec, Challenger: r.asChampion(), Champion: r.in.Champion,
	}).Get(ctx, &outcome)
	if err != nil {
		return err
	}
	r.state.Rollout = &outcome
	if !outcome.Promoted {
		return lifecycle.Fail(outcome.Problem.Type, "%s", outcome.Problem.Message)
	}
	return nil
}

// asChampion is this release as the version that is to serve.
func (r *release) asChampion() lifecycle.Champion {
	return lifecycle.Champion{
		Release: r.in.Number, Package: r.state.Package, Model: *r.state.Candidate(r.state.Winner).Model,
		Evidence: *r.state.Evidence, Parts: *r.state.Parts, Test: *r.state.Test,
		Approved: r.state.Approved, Author: r.in.Trigger.Author,
	}
}
