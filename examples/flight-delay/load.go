package main

import (
	"context"
	"fmt"

	"steward/internal/devstack"
)

// load gives a running stack the history that the model learns from, and
// nothing else: what happens next is up to the user.
func load(ctx context.Context, o options) error {
	home, err := devstack.At(o.home)
	if err != nil {
		return err
	}
	env, err := home.ReadEnv()
	if err != nil {
		return err
	}
	w, err := openWarehouse(ctx, o, env, history...)
	if err == nil {
		err = w.exportHistory(ctx, o.share)
	}
	if err != nil {
		return fmt.Errorf("load into the stack in %s (does it run?): %w", home.Dir(), err)
	}
	return nil
}
