// Command devserver is a Temporal server with its web UI for one machine, on
// SQLite: development, tests and the embedded stack. It takes the flags of
// `temporal server start-dev`, so that either can stand in for the other.
//
// It is a module of its own because the server brings hundreds of modules and
// minutes of compiling: it is built once and run as a child process, and
// nothing of it is linked into the product.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	err := run(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "devserver:", err)
		os.Exit(1)
	}
}

// run serves until a signal, or the end of the parent when asked for, says stop.
func run(args []string) error {
	o, err := parse(args, os.Stderr)
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	if o.withParent {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			// At once: another parent may want the ports and the database, and
			// these are as safe as after a power cut.
			os.Exit(1)
		}()
	}
	if err := o.claimPorts(); err != nil {
		return err
	}
	store, err := o.openStore()
	if err != nil {
		return err
	}
	server, err := newServer(o, store)
	if err != nil {
		return err
	}
	if !o.headless {
		ui := newUI(o)
		go func() { _ = ui.Start() }() // it ends the process when it cannot listen
		defer ui.Stop()
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	fmt.Printf("temporal ready grpc=%s\n", o.address(o.port))
	<-stop
	return server.Stop()
}
