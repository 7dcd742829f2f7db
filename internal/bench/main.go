package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"steward/internal/dataset"
)

// lab is where a case runs.
type lab struct {
	dir     string        // a directory of the case's own
	steward string        // the built command
	spell   time.Duration // of one round under load
}

// say tells a person how far a case is.
func (lab) say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// bench is one case.
type bench struct {
	name string // of its results without a name; it begins those of the others
	run  func(context.Context, lab) ([]result, error)
}

// one makes a case of what has one result.
func one(run func(context.Context, lab) (result, error)) func(context.Context, lab) ([]result, error) {
	return func(ctx context.Context, l lab) ([]result, error) {
		r, err := run(ctx, l)
		return []result{r}, err
	}
}

// benches are in the order of printing.
var benches = []bench{
	{"release", one(releaseBench{warm: 3, pairs: 25}.run)},
	{"alert", one(alertBench{warm: 50, rounds: 5, calls: 300}.run)},
	{"idle", one(measureIdle)},
	{"start", one(measureStart)},
	{"put", measurePut},
	{"get", measureGet},
	{"large", measureLarge},
	{"invoke", invokeBench{rows: 1}.run},
	{"batch", invokeBench{rows: 100}.run},
	{"describe", measureDescribe},
	{"list", listBench{few: 1000, many: 10_000, passes: 3}.run},
	{"profile-csv", profileBench{rows: 10_000_000, format: dataset.CSV, rounds: profileRounds}.run},
	{"profile-parquet", profileBench{rows: 10_000_000, format: dataset.Parquet, rounds: profileRounds}.run},
	{"drift", driftBench{rows: 10_000_000, peerRows: 1_000_000, rounds: driftRounds}.run},
	{"metrics", metricsBench{rows: 1_000_000, peerReplicates: 4, rounds: 5}.run},
}

func main() {
	servePeer()
	only := flag.String("case", "", "run this case alone: "+strings.Join(names(), ", "))
	steward := flag.String("steward", "bin/steward", "the built command")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := runAll(ctx, *only, *steward); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func names() []string {
	var out []string
	for _, b := range benches {
		out = append(out, b.name)
	}
	return out
}

// runAll runs the cases one after another; one that cannot run does not keep
// the others from it.
func runAll(ctx context.Context, only, steward string) error {
	if only != "" && !slices.Contains(names(), only) {
		return fmt.Errorf("there is no case %q: the cases are %s", only, strings.Join(names(), ", "))
	}
	var errs []error
	for _, b := range benches {
		if only != "" && only != b.name {
			continue
		}
		list, err := runOne(ctx, b, steward)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.name, err))
			continue
		}
		for _, r := range list {
			r.name = b.name + r.name
			fmt.Println(r)
		}
	}
	return errors.Join(errs...)
}

func runOne(ctx context.Context, b bench, steward string) (list []result, err error) {
	dir, err := os.MkdirTemp("", "steward-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return b.run(ctx, lab{dir: dir, steward: steward, spell: 1200 * time.Millisecond})
}

// peers are what this program can be instead of the bench, by its first argument.
var peers = map[string]func(string) error{bareArgument: serveBare, hopArgument: forwardBare}

// servePeer does not return if the program was started as a peer.
func servePeer() {
	if len(os.Args) != 3 || peers[os.Args[1]] == nil {
		return
	}
	if err := peers[os.Args[1]](os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
