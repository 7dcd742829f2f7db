package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"steward/internal/devstack"
)

// marker in a home says that a demo made it, and so may remove it.
const marker = "demo"

// newHome makes the home of a new demo, in the place of an earlier demo's that
// has ended. It never touches a home that anybody else made.
func newHome(dir string) error {
	if err := removeDemo(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, marker), []byte("made by the demo, which removes it when it is run again\n"), 0o600)
}

// removeDemo holds the home's lock meanwhile, as a running stack does.
func removeDemo(dir string) error {
	switch inside, err := os.ReadDir(dir); {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(inside) == 0:
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
		return fmt.Errorf("%s was not made by a demo, so it stays: name another directory with -home, or remove it yourself", dir)
	}
	home, err := devstack.At(dir)
	if err != nil {
		return err
	}
	release, err := home.Lock()
	if held := (devstack.InUse{}); errors.As(err, &held) {
		return fmt.Errorf("the demo in %s still runs; end it first (pid %s)", dir, held.PID)
	}
	if err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(dir), release())
}
