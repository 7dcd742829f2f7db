package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"steward/internal/report"
	"steward/internal/stats"
)

const compareHelp = `Compare tells how table B differs from table A: in words, in figures, and with -o html in
pictures. Each is a file or a folder, as for steward profile. To compare parts of one
file, name it once and say which rows with --where-a and --where-b.

A column has moved far if its population stability index (PSI) is --act or more, and is
watched from --watch on. Fewer than 200 rows are not judged, nor what chance explains.

With --fail-on the exit code is 6 if a column has reached that level: for scripts.`

// comparing is one `steward compare`.
type comparing struct {
	a, b           selection
	whereA, whereB []string
	options        report.Options
	failOn         string
}

// errDrifted ends a comparison that was told to fail on what it found.
var errDrifted = errors.New("the data has drifted")

func (a *app) compare() *cobra.Command {
	c := &comparing{}
	cmd := &cobra.Command{
		Use: "compare A [B]", Short: "Tell how one data file differs from another", Long: compareHelp,
		Example: `  steward compare january.parquet may.parquet --label late
  steward compare flights.parquet --where-a month=1 --where-b month=5 --label late -o html > drift.html`,
		Args:        args(cobra.RangeArgs(1, 2)),
		Annotations: pages,
		RunE: func(cmd *cobra.Command, paths []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if err := c.settle(paths); err != nil {
				return usageError{err}
			}
			return a.runCompare(ctx, c)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&c.a.columns, "columns", nil, "only these `columns`")
	f.StringSliceVar(&c.whereA, "where-a", nil, "of A, only rows where `column=value`; repeat a column for several values")
	f.StringSliceVar(&c.whereB, "where-b", nil, "the same for B")
	f.StringVar(&c.options.Label, "label", "", "`column` with what really happened: told apart from the inputs")
	f.Float64Var(&c.options.Watch, "watch", 0.1, "`PSI` from which a column is watched")
	f.Float64Var(&c.options.Act, "act", 0.2, "`PSI` from which a column has moved far")
	f.StringVar(&c.failOn, "fail-on", "", "exit with code 6 if a column is at this `level` or above: watch or act")
	f.StringVar(&c.a.format, "format", "", "csv, parquet or jsonl, if the files' names do not tell")
	return cmd
}

// settle makes the two selections of the arguments.
func (c *comparing) settle(paths []string) (err error) {
	if len(paths) == 1 && len(c.whereA) == 0 && len(c.whereB) == 0 {
		return errors.New("nothing to compare with: name a second file, or parts of this one with --where-a and --where-b")
	}
	if !slices.Contains([]string{"", string(stats.Watch), string(stats.Act)}, c.failOn) {
		return fmt.Errorf("--fail-on %s: it is watch or act", c.failOn)
	}
	if c.options.Watch <= 0 || c.options.Watch > c.options.Act {
		return fmt.Errorf("--watch %g, --act %g: the first is above 0 and at most the second", c.options.Watch, c.options.Act)
	}
	for _, w := range slices.Concat(c.whereA, c.whereB) {
		column, _, _ := strings.Cut(w, "=")
		c.options.ChosenBy = append(c.options.ChosenBy, column)
	}
	c.options.Columns = c.a.columns
	if l := c.options.Label; l != "" && c.a.columns != nil && !slices.Contains(c.a.columns, l) {
		c.a.columns = append(slices.Clone(c.a.columns), l)
	}
	c.b = c.a
	c.a.paths, c.b.paths = paths[:1], paths[len(paths)-1:]
	if c.a.where, err = conditions(c.whereA); err != nil {
		return err
	}
	c.b.where, err = conditions(c.whereB)
	return err
}

func (a *app) runCompare(ctx context.Context, c *comparing) error {
	left, err := a.profileTable(ctx, c.a, c.whereA)
	if err != nil {
		return err
	}
	right, err := a.profileTable(ctx, c.b, c.whereB)
	if err != nil {
		return err
	}
	found, err := report.Compare(left, right, c.options)
	if err != nil {
		return err
	}
	if a.output == htmlOutput {
		err = report.WriteComparisonPage(a.out, found, time.Now())
	} else {
		err = a.print(found, func(w io.Writer) { report.WriteComparison(w, found) })
	}
	if err == nil && found.Reached(stats.Level(c.failOn)) {
		return fmt.Errorf("%w: a column is at %s", errDrifted, found.Worst())
	}
	return err
}
