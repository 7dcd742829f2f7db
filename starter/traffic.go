package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/devstack"
	"steward/internal/lifecycle"
	"steward/internal/traffic"
)

// replay is one `steward traffic`.
type replay struct {
	model, file, endpoint, id, label string
	features, where                  []string
	seed                             uint64
	rate, maxFailed                  float64
	rows                             int
	duration                         time.Duration
	truth                            traffic.Truth
}

const trafficHelp = `Traffic sends rows of a data file to an endpoint, each once, with the row's id as
inference id, as the product that uses the model would. If the file has labels it
delivers them later as ground truth and, with --land, lands the labelled rows as
new source files, for the next release to learn from.

With --model, the columns and addresses are those of the model's file, asked of
the gateway; single flags go before them. AWS is where the SDK's variables say;
if --home is given or AWS_ENDPOINT_URL is not set, and the home directory has an
embedded stack, it is that one's local cloud.

Every second it prints a line. It ends early, with exit code 1, when the endpoint
does not exist or when more than --max-failed of all requests have failed.`

func (a *app) traffic() *cobra.Command {
	r := &replay{}
	cmd := &cobra.Command{
		Use: "traffic", Short: "Replay rows of a data file against an endpoint", Long: trafficHelp,
		Example: `  steward traffic --model flight-delay --file flights.parquet --where month=3 --rate 200 --as ana
  steward traffic --endpoint steward-flight-delay --file flights.csv --id flight_id --features distance,origin \
      --label late --truth s3://demo/truth/ --rate 50 --duration 10m`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return a.runTraffic(ctx, r)
		},
	}
	r.flags(cmd)
	must(cmd.RegisterFlagCompletionFunc("model", func(cmd *cobra.Command, _ []string, s string) ([]string, cobra.ShellCompDirective) {
		return a.completeModels(cmd, nil, s)
	}))
	return cmd
}

func (r *replay) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&r.model, "model", "", "`name` of the model whose file says endpoint, columns and addresses")
	f.StringVar(&r.file, "file", "", "data `file`: Parquet, CSV or JSON lines")
	f.StringSliceVar(&r.where, "where", nil, "only rows where `column=value`; repeat a column for several values")
	f.StringVar(&r.endpoint, "endpoint", "", "endpoint `name`")
	f.StringVar(&r.id, "id", "", "`column` with the inference id")
	f.StringVar(&r.label, "label", "", "`column` with what really happened")
	f.StringSliceVar(&r.features, "features", nil, "`columns` to send, in order")
	f.Float64Var(&r.rate, "rate", 100, "requests a second")
	f.IntVar(&r.rows, "rows", 0, "stop after so many requests; 0 sends every row")
	f.DurationVar(&r.duration, "duration", 0, "stop after this time")
	f.Uint64Var(&r.seed, "seed", 1, "of the rows' order; 0 keeps the file's")
	f.StringVar(&r.truth.URI, "truth", "", "S3 `prefix` for ground truth")
	f.StringVar(&r.truth.Key, "truth-key", "", "name of the id's `column` in it (that of --id)")
	f.DurationVar(&r.truth.Delay, "truth-delay", 5*time.Second, "time between an answer and its ground truth")
	f.StringVar(&r.truth.Land, "land", "", "S3 `prefix` for the labelled rows as new source files")
	f.Float64Var(&r.maxFailed, "max-failed", 0.01, "largest `share` of requests that may fail")
}

func (a *app) runTraffic(ctx context.Context, r *replay) error {
	if err := a.useEmbeddedCloud(); err != nil {
		return err
	}
	if r.model != "" {
		if err := a.fromModel(ctx, r); err != nil {
			return err
		}
	}
	if err := r.check(); err != nil {
		return usageError{err}
	}
	where, err := conditions(r.where)
	if err != nil {
		return usageError{err}
	}
	clients, err := cloud.New(ctx)
	if err != nil {
		return err
	}
	rows, err := traffic.Load(ctx, traffic.Selection{
		File: dataset.File(r.file), Where: where, ID: r.id, Label: r.label, Features: r.features, Seed: r.seed,
	})
	if err != nil {
		return err
	}
	run := traffic.Replay{
		Rows: rows, Endpoint: r.endpoint, Rate: r.rate, Limit: r.rows, Duration: r.duration, MayFail: r.maxFailed,
		Endpoints: cloud.NewEndpoints(clients.SageMaker, clients.Runtime, time.Second), Objects: cloud.NewObjects(clients.S3),
		Report: func(p traffic.Progress) { fmt.Fprintln(a.err, p) },
	}
	if r.truth.URI != "" || r.truth.Land != "" {
		run.Truth = &r.truth
	}
	p, err := run.Run(ctx)
	if errors.Is(err, traffic.ErrRows) {
		fmt.Fprintf(a.err, "all %d rows were sent before %s were over\n", rows.Len(), r.duration)
		err = nil
	}
	if errors.Is(err, traffic.ErrFailed) {
		err = fmt.Errorf("--max-failed: %w", err)
	}
	return errors.Join(err, a.print(p, func(w io.Writer) { fmt.Fprintln(w, "done:", p) }))
}

// useEmbeddedCloud points this process at the embedded stack: the one that --home
// names or, unless the environment says where AWS is, that of the usual home, if
// there is one. A gateway that is named and is not that stack's speaks for another
// cloud, which the environment has to tell.
func (a *app) useEmbeddedCloud() error {
	if a.home == "" && os.Getenv("AWS_ENDPOINT_URL") != "" {
		return nil
	}
	c, err := a.config()
	if err != nil {
		return err
	}
	home, err := devstack.At(c.Home)
	if err != nil {
		return err
	}
	env, err := home.ReadEnv()
	if err != nil {
		return nil //nolint:nilerr // without an embedded stack AWS itself is meant
	}
	named := a.gateway
	if named == "" && a.home == "" {
		named = os.Getenv("STEWARD_GATEWAY")
	}
	if named != "" && named != env.Gateway() {
		return nil
	}
	return env.Apply()
}

// fromModel fills in what the flags leave open.
func (a *app) fromModel(ctx context.Context, r *replay) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	m, err := c.Model(ctx, r.model)
	if err != nil {
		return err
	}
	fill := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	data := m.Spec.Data
	fill(&r.endpoint, lifecycle.EndpointName(r.model))
	fill(&r.id, data.ID)
	fill(&r.label, data.Label)
	fill(&r.truth.URI, data.GroundTruth.URI)
	fill(&r.truth.Key, data.GroundTruth.Key)
	if len(r.features) == 0 {
		r.features = data.Features
	}
	return nil
}

// check names everything that is missing.
func (r *replay) check() error {
	var problems []error
	need := func(ok bool, problem string) {
		if !ok {
			problems = append(problems, errors.New(problem))
		}
	}
	need(r.file != "", "--file is missing")
	need(r.endpoint != "", "--endpoint is missing (or --model)")
	need(r.id != "", "--id is missing (or --model)")
	need(len(r.features) > 0, "--features is missing (or --model)")
	need(r.rate > 0, "--rate must be above 0")
	need(r.rows >= 0, "--rows must not be negative")
	need(r.label != "" || r.truth.URI == "" && r.truth.Land == "", "--truth and --land need --label")
	if r.truth.Key == "" {
		r.truth.Key = r.id
	}
	return errors.Join(problems...)
}

// conditions reads column=value; values of one column are alternatives.
func conditions(where []string) (map[string][]string, error) {
	all := map[string][]string{}
	for _, w := range where {
		column, value, ok := strings.Cut(w, "=")
		if !ok || column == "" {
			return nil, fmt.Errorf("--where %q: write column=value, for example month=3", w)
		}
		all[column] = append(all[column], value)
	}
	return all, nil
}
