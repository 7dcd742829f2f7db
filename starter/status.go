package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"steward/internal/apiclient"
	"steward/starter/live"
)

func (a *app) status() *cobra.Command {
	return &cobra.Command{
		Use: "status [NAME]", Short: "Show all models, or one",
		Example: "  steward status --as ana\n  steward status flight-delay -o json --as ana",
		Args:    args(cobra.MaximumNArgs(1)), ValidArgsFunction: a.completeModels,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				models, err := c.Models(cmd.Context())
				if err != nil {
					return err
				}
				return a.print(models, func(w io.Writer) { listModels(w, models) })
			}
			v, err := live.Look(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) {
				width, _, _ := terminal(w)
				for _, line := range live.Tree(v, time.Now(), width) {
					fmt.Fprintln(w, line)
				}
			})
		},
	}
}

func listModels(w io.Writer, models []apiclient.Model) {
	if len(models) == 0 {
		fmt.Fprintln(w, "no model is alive; declare one with `steward apply FILE` (a retired one answers `steward status NAME`)")
		return
	}
	rows := [][]string{{"MODEL", "TEAM", "HEALTH", "SERVES", "STAGE", "WAITS FOR"}}
	for _, m := range models {
		serves := "-"
		if m.Release > 0 {
			serves = fmt.Sprintf("release %d", m.Release)
		}
		rows = append(rows, []string{m.Name, orDash(m.Team), orDash(string(m.Health)), serves, orDash(string(m.Stage)), orDash(m.Awaiting)})
	}
	table(w, rows)
}
