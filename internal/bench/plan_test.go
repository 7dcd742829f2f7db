package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
)

// recorded numbers events as a server would.
func recorded(events ...*history.HistoryEvent) []*history.HistoryEvent {
	for i, e := range events {
		e.EventId = int64(i + 1)
	}
	return events
}

func scheduled(task int64) *history.HistoryEvent {
	return &history.HistoryEvent{EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, Attributes: &history.HistoryEvent_ActivityTaskScheduledEventAttributes{
		ActivityTaskScheduledEventAttributes: &history.ActivityTaskScheduledEventAttributes{WorkflowTaskCompletedEventId: task}}}
}

func completed(scheduled int64) *history.HistoryEvent {
	return &history.HistoryEvent{EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, Attributes: &history.HistoryEvent_ActivityTaskCompletedEventAttributes{
		ActivityTaskCompletedEventAttributes: &history.ActivityTaskCompletedEventAttributes{ScheduledEventId: scheduled}}}
}

func event(kind enumspb.EventType) *history.HistoryEvent {
	return &history.HistoryEvent{EventType: kind}
}

func childStarted(task int64) *history.HistoryEvent {
	return &history.HistoryEvent{EventType: enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
		Attributes: &history.HistoryEvent_StartChildWorkflowExecutionInitiatedEventAttributes{
			StartChildWorkflowExecutionInitiatedEventAttributes: &history.StartChildWorkflowExecutionInitiatedEventAttributes{WorkflowTaskCompletedEventId: task}}}
}

func TestPlan(t *testing.T) {
	const task = enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
	p, err := planOf(recorded(
		event(task),  // 1
		scheduled(1), // 2: activity 0
		scheduled(1), // 3: activity 1, beside it
		completed(3), // 4
		event(task),  // 5: nothing to begin yet
		completed(2), // 6
		event(task),  // 7
		scheduled(7), // 8: activity 2, which asks
		event(task),  // 9
		event(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED), // 10
		scheduled(9),  // 11: activity 3
		completed(8),  // 12
		completed(11), // 13
		event(task),   // 14
		childStarted(14),
		event(enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED), // 16
		event(task), // 17
		scheduled(17),
	))
	require.NoError(t, err)
	require.Equal(t, []step{
		{Start: 2},
		{After: []int{1, 0}, Start: 1},
		{Decided: true, Start: 1},
		{After: []int{2, 3}, StartChild: true},
		{ChildEnded: true, Start: 1},
	}, p.Steps)
	require.Equal(t, 2, p.asks())
	require.Equal(t, 5, p.activities())
	p.Child = &plan{Steps: []step{{Start: 3}}}
	require.Equal(t, 8, p.activities())
	require.Equal(t, -1, p.Child.asks())
}

func TestPlanOfATroubledRun(t *testing.T) {
	_, err := planOf(recorded(event(enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED), scheduled(1), event(enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)))
	require.ErrorContains(t, err, "event 3 of the recorded run is ActivityTaskTimedOut")
}
