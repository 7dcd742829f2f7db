// Command steward starts, watches and answers the lifecycles of models, and
// runs the processes that keep them alive: a worker, a gateway, or everything on
// one machine.
package main

import (
	"context"
	"fmt"
	"os"

	"steward/internal/localcloud/process"
)

func main() {
	// The local cloud runs its jobs under this same program as a supervisor.
	if process.Main() {
		return
	}
	err := newRoot(os.Stdout, os.Stderr).ExecuteContext(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "steward:", err)
	}
	os.Exit(exitCode(err))
}
