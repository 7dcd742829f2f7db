// Command flight-delay is the demo: it starts the embedded stack, takes a model
// through its whole life on real flights of 2001, and checks that every step
// truly happened. It does what a team would do, with the steward command; only
// the part of the airline's data warehouse is its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the demo's flags.
type options struct {
	steward string        // path of the command
	folder  string        // of model.yaml and data/
	home    string        // of the stack; made anew
	keep    bool          // leave the stack running at the end
	free    bool          // any free ports instead of the usual ones
	seed    uint64        // of every choice of rows
	rate    float64       // requests a second
	share   float64       // of the history that is used; less is faster
	limit   time.Duration // for the whole story
}

func main() {
	o := options{}
	flag.StringVar(&o.steward, "steward", "bin/steward", "the steward command")
	flag.StringVar(&o.folder, "folder", "examples/flight-delay", "folder of model.yaml and data")
	flag.StringVar(&o.home, "home", ".steward/demo", "directory of the demo's stack; an earlier demo's is removed")
	flag.BoolVar(&o.keep, "keep", false, "leave everything running at the end")
	flag.BoolVar(&o.free, "free-ports", false, "use free ports instead of the usual ones")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of every choice of rows")
	flag.Float64Var(&o.rate, "rate", 500, "requests a second")
	flag.Float64Var(&o.share, "share", 1, "share of the history to learn from")
	flag.DurationVar(&o.limit, "limit", 10*time.Minute, "longest that the story may take")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "\nthe demo failed:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, o.limit, fmt.Errorf("the story took longer than %s", o.limit))
	defer cancel()
	stack, err := startStack(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = stack.end(err, o.keep) }()
	s, err := newStory(ctx, o, stack)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.tell(ctx); err != nil {
		return err
	}
	return s.summarise(ctx, time.Since(began))
}
