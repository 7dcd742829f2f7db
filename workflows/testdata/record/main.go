// Command record saves the histories of a model's workflows, for the replay
// test: start a stack, let a model live (make demo KEEP=1), and run
//
//	TEMPORAL_ADDRESS=127.0.0.1:7233 go run ./workflows/testdata/record flight-delay
package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	enums "go.temporal.io/api/enums/v1"
	history "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"steward/internal/lifecycle"
)

func main() {
	if err := record(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func record(ctx context.Context, model string) error {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return err
	}
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, id := range []string{lifecycle.ModelID(model), lifecycle.WatchID(model), lifecycle.ReleaseID(model, 1),
		lifecycle.RolloutID(model, 1), lifecycle.ReleaseID(model, 2), lifecycle.RolloutID(model, 2)} {
		if err := save(ctx, c, id); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return nil
}

func save(ctx context.Context, c client.Client, id string) error {
	all := &history.History{}
	events := c.GetWorkflowHistory(ctx, id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return err
		}
		all.Events = append(all.Events, e)
	}
	text, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(all)
	if err != nil {
		return err
	}
	name := strings.ReplaceAll(strings.TrimPrefix(id, "model/"), "/", "-") + ".json.gz"
	f, err := os.Create(filepath.Join("workflows", "testdata", name))
	if err != nil {
		return err
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Close()
}
