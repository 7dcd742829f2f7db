package main

import (
	"context"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"
)

const (
	sinkName  = "Sink"
	sinkID    = "sink"
	sinkQuery = "taken"
)

// sink takes every signal of a name and forgets it. It answers how many it took.
func sink(ctx workflow.Context, signal string, taken int) error {
	if err := workflow.SetQueryHandler(ctx, sinkQuery, func() (int, error) { return taken, nil }); err != nil {
		return err
	}
	signals := workflow.GetSignalChannel(ctx, signal)
	for !workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
		signals.Receive(ctx, nil)
		taken++
	}
	for signals.ReceiveAsync(nil) {
		taken++
	}
	return workflow.NewContinueAsNewError(ctx, sinkName, signal, taken)
}

// startSink starts a sink for signals of a name.
func (s *site) startSink(ctx context.Context, id, signal string) error {
	_, err := s.bare.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: bareQueue}, sinkName, signal, 0)
	return err
}

// signalSink signals a sink, and starts it if it is not there.
func (s *site) signalSink(ctx context.Context, id, signal string, arg any) error {
	_, err := s.bare.SignalWithStartWorkflow(ctx, id, signal, arg, client.StartWorkflowOptions{TaskQueue: bareQueue}, sinkName, signal, 0)
	return err
}
