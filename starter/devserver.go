package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"steward/internal/devstack/server"
)

// devserver builds the embedded Temporal server ahead of the first start.
func (a *app) devserver() *cobra.Command {
	return &cobra.Command{
		Use: "devserver", Short: "Build the embedded Temporal server, unless it is there, and print where", Hidden: true,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := server.Binary(cmd.Context(), func(s string) { fmt.Fprintln(a.err, s) })
			if err == nil {
				_, err = fmt.Fprintln(a.out, path)
			}
			return err
		},
	}
}
