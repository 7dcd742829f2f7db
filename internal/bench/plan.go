package main

import (
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
)

// plan is what a workflow did, without why: its activities, its child and its
// update, each begun after what had come before it in the recorded history.
type plan struct {
	Steps []step `json:"steps"`
	Child *plan  `json:"child,omitempty"`
}

// step is what one workflow task began. Activities are numbered in the order
// of their start.
type step struct {
	After      []int `json:"after,omitempty"`      // activities that ended since the step before
	Decided    bool  `json:"decided,omitempty"`    // the update came since the step before
	ChildEnded bool  `json:"childEnded,omitempty"` // the child ended since the step before
	Start      int   `json:"start,omitempty"`      // activities to start
	StartChild bool  `json:"startChild,omitempty"`
}

// activities counts those of the plan and its child.
func (p plan) activities() int {
	n := 0
	for _, s := range p.Steps {
		n += s.Start
	}
	if p.Child != nil {
		n += p.Child.activities()
	}
	return n
}

// asks is the number of the activity after which the update is waited for: the
// last that was started before it came. It is -1 if none is waited for.
func (p plan) asks() int {
	n := -1
	for _, s := range p.Steps {
		if s.Decided {
			return n
		}
		n += s.Start
	}
	return -1
}

// planOf reads a plan from a history in which nothing failed. The plan of the
// child is left to the caller.
func planOf(events []*history.HistoryEvent) (plan, error) {
	r := recorder{number: map[int64]int{}}
	for _, e := range events {
		if err := r.take(e); err != nil {
			return plan{}, err
		}
	}
	return plan{Steps: r.steps}, nil
}

type recorder struct {
	steps  []step
	number map[int64]int // of an activity, by the event that scheduled it
	next   step          // what came since the last step
	task   int64         // the workflow task that began the last step
}

func (r *recorder) take(e *history.HistoryEvent) error {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		r.number[e.GetEventId()] = len(r.number)
		r.step(e.GetActivityTaskScheduledEventAttributes().GetWorkflowTaskCompletedEventId()).Start++
	case enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
		r.step(e.GetStartChildWorkflowExecutionInitiatedEventAttributes().GetWorkflowTaskCompletedEventId()).StartChild = true
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		r.next.After = append(r.next.After, r.number[e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId()])
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
		r.next.Decided = true
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
		r.next.ChildEnded = true
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
		enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED, enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
		return fmt.Errorf("event %d of the recorded run is %s: it is no model for a peer", e.GetEventId(), e.GetEventType())
	}
	return nil
}

// step is the one that a workflow task began.
func (r *recorder) step(task int64) *step {
	if task != r.task {
		r.steps = append(r.steps, r.next)
		r.next, r.task = step{}, task
	}
	return &r.steps[len(r.steps)-1]
}
