package main

import (
	"context"
	"io"
	"os/signal"
	"syscall"
	"time"

	"os"

	"github.com/spf13/cobra"

	"steward/internal/report"
)

const profileHelp = `Profile reads a table once and tells what is in it: for every column its kind, missing
and different values, range, quartiles, mean and spread, the most frequent values,
and a picture. Distinct values with a ~ are estimated, within about 1 %; quartiles of
more than 1,024 values within 0.3 % of the rows.

FILE is CSV, Parquet or JSON lines (CSV and JSON lines also as .gz or .zst), or a
folder of such files; several are read as one table. Nothing is sent anywhere.

  -o html   writes a page of its own, with diagrams, to stdout
  -o json   writes the profile document that Steward itself stores`

func (a *app) profile() *cobra.Command {
	s := selection{}
	var where []string
	cmd := &cobra.Command{
		Use: "profile FILE...", Short: "Tell what is in a data file", Long: profileHelp,
		Example: `  steward profile flights.parquet
  steward profile flights.parquet --where month=1 -o html > january.html`,
		Args:        args(cobra.MinimumNArgs(1)),
		Annotations: pages,
		RunE: func(cmd *cobra.Command, paths []string) (err error) {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			s.paths = paths
			if s.where, err = conditions(where); err != nil {
				return usageError{err}
			}
			return a.runProfile(ctx, s, where)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&s.columns, "columns", nil, "only these `columns`")
	f.StringSliceVar(&where, "where", nil, "only rows where `column=value`; repeat a column for several values")
	f.StringVar(&s.format, "format", "", "csv, parquet or jsonl, if the file's name does not tell")
	return cmd
}

func (a *app) runProfile(ctx context.Context, s selection, where []string) error {
	side, err := a.profileTable(ctx, s, where)
	if err != nil {
		return err
	}
	if a.output == htmlOutput {
		return report.WriteProfilePage(a.out, side, time.Now())
	}
	return a.print(side.Profile, func(w io.Writer) { report.WriteProfile(w, side) })
}
