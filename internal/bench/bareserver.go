package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// bareArgument makes this program a bare server, and nothing else.
const bareArgument = "serve-bare"

// startBare starts a peer of the local cloud: net/http that answers each path
// with the file of that name in dir, from memory if it is small, and that stores
// what is PUT in a new file, synced with its folder before the answer. It does no
// more than that: no signature, no parsing, no index.
func startBare(ctx context.Context, dir string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return startChild(exec.CommandContext(ctx, self, bareArgument, dir), "serves at ", func(line string) (string, error) {
		_, address, _ := strings.Cut(line, "serves at ")
		return address, nil
	})
}

// inMemory is the largest file that a bare server keeps, in bytes.
const inMemory = 1 << 20

func serveBare(dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "serves at "+l.Addr().String())
	var kept sync.Map
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // a peer on the loopback interface needs no time-outs
		if r.Method == http.MethodPut {
			if err := store(dir, r.Body); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		if body, ok := kept.Load(r.URL.Path); ok {
			_, _ = w.Write(body.([]byte))
			return
		}
		file := filepath.Join(dir, filepath.Clean(r.URL.Path))
		if info, err := os.Stat(file); err == nil && info.Size() <= inMemory {
			if body, err := os.ReadFile(file); err == nil {
				kept.Store(r.URL.Path, body)
			}
		}
		http.ServeFile(w, r, file)
	}))
}

// store writes a new file, durably.
func store(dir string, body io.Reader) error {
	f, err := os.CreateTemp(dir, "put-")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	folder, openErr := os.Open(dir)
	if err := errors.Join(err, openErr, f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
