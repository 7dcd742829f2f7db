package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"steward/internal/apiclient"
	"steward/internal/lifecycle"
)

// Exit codes, as the help of the command documents them.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitRefused     = 4
	exitUnreachable = 5
	exitDrifted     = 6
)

// usageError is a mistake in the command line.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// exitCode tells scripts what kind of error it was.
func exitCode(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, errDrifted):
		return exitDrifted
	case errors.Is(err, apiclient.ErrUnreachable):
		return exitUnreachable
	}
	switch apiclient.Type(err) {
	case lifecycle.NotFound:
		return exitNotFound
	case apiclient.Unavailable:
		return exitUnreachable
	case apiclient.Unauthorized, lifecycle.Denied, lifecycle.Conflict, lifecycle.Invalid:
		return exitRefused
	}
	return exitError
}

// args makes what a check of arguments says a usage error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; usage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}
