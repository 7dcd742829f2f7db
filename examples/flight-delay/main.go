// Command flight-delay is the demo: it starts the embedded stack, takes a model
// through its whole life on real flights of 2001, and checks that every step
// truly happened. It does what a team would do, with the steward command; only
// the part of the airline's data warehouse is its own. With -load it plays that
// part alone, for a stack that runs already.
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
	home    string        // of the stack; made anew for the demo
	load    bool          // only give a running stack the history
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
	flag.StringVar(&o.home, "home", "", "directory of the demo's stack (.steward/demo), where an earlier demo's is removed; with -load, of the running stack (STEWARD_HOME, else .steward)")
	flag.BoolVar(&o.load, "load", false, "no demo: only upload the flights of January and February to the stack that steward dev runs")
	flag.BoolVar(&o.keep, "keep", false, "leave everything running at the end")
	flag.BoolVar(&o.free, "free-ports", false, "use free ports instead of the usual ones")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of every choice of rows")
	flag.Float64Var(&o.rate, "rate", 500, "requests a second")
	flag.Float64Var(&o.share, "share", 1, "share of the history to learn from")
	flag.DurationVar(&o.limit, "limit", 10*time.Minute, "longest that the story may take")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := o.in().run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "\nflight-delay:", err)
		stop()
		os.Exit(1)
	}
}

// in fills in the home that is meant when none is named.
func (o options) in() options {
	switch {
	case o.home != "":
	case !o.load:
		o.home = ".steward/demo"
	case os.Getenv("STEWARD_HOME") != "":
		o.home = os.Getenv("STEWARD_HOME")
	default:
		o.home = ".steward"
	}
	return o
}

func (o options) run(ctx context.Context) error {
	if o.load {
		return load(ctx, o)
	}
	return demo(ctx, o)
}

// demo tells the whole story, and fails if any of it did not truly happen.
func demo(ctx context.Context, o options) (err error) {
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
