package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// build compiles the module at dir into the user's cache, under a name made
// from its content, unless that name is there. Of several processes one builds
// and the others wait for it.
func build(ctx context.Context, dir string, say func(string)) (string, error) {
	key, err := fingerprint(dir)
	if err != nil {
		return "", fmt.Errorf("temporal server: %w", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("temporal server: no place to keep it (set XDG_CACHE_HOME): %w", err)
	}
	cache = filepath.Join(cache, "steward", "devserver")
	binary := filepath.Join(cache, key)
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	unlock, err := lock(ctx, cache)
	if err != nil {
		return "", fmt.Errorf("temporal server: %w", err)
	}
	defer unlock()
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	say("building the Temporal server once; this takes some minutes")
	return binary, compile(ctx, dir, binary)
}

// compile leaves a whole binary or none.
func compile(ctx context.Context, dir, binary string) error {
	tool, err := exec.LookPath("go")
	if err != nil {
		return fmt.Errorf("temporal server: building it needs Go on the PATH; or install the `temporal` command: %w", err)
	}
	draft := binary + ".new"
	cmd := exec.CommandContext(ctx, tool, "build", "-ldflags=-s -w", "-o", draft, ".")
	// Flags that were meant for another module must not reach this one.
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly -buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("temporal server: go build in %s: %w\n%s", dir, err, out)
	}
	return os.Rename(draft, binary)
}

// fingerprint is a digest of all that decides what the build makes.
func fingerprint(dir string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	names, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil {
		return "", err
	}
	for _, name := range append(names, "go.mod", "go.sum") {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}

// lock makes the cache directory and waits until no other process builds in it,
// or ctx ends.
func lock(ctx context.Context, dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := await(ctx, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// await locks f. A lock that is waited for in the kernel could not be given up.
func await(ctx context.Context, f *os.File) error {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for another build in %s: %w", filepath.Dir(f.Name()), context.Cause(ctx))
		}
	}
}
