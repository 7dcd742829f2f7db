package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"steward/internal/devstack"
)

// completeModels offers the names of models as the first argument.
func (a *app) completeModels(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	none := cobra.ShellCompDirectiveNoFileComp
	if len(args) > 0 {
		return nil, none
	}
	c, err := a.client()
	if err != nil {
		return nil, none
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
	defer cancel()
	models, err := c.Models(ctx)
	if err != nil {
		return nil, none
	}
	var names []string
	for _, m := range models {
		names = append(names, m.Name+"\t"+m.Team)
	}
	return names, none
}

// completePeople offers those who have a token in the home directory.
func (a *app) completePeople(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	c, err := a.config()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	files, _ := filepath.Glob(filepath.Join(c.Home, "tokens", "*"))
	var names []string
	for _, f := range files {
		name := filepath.Base(f)
		for _, p := range devstack.People {
			if p.Subject == name {
				name += "\t" + string(p.Role)
			}
		}
		names = append(names, name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
