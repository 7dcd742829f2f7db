package sagemaker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"steward/internal/localcloud/process"
)

const (
	// pingTimeout is how long a server may take to answer /ping (SageMaker's
	// contract).
	pingTimeout = 2 * time.Second
	// pingInterval is how often a starting server is asked.
	pingInterval = 25 * time.Millisecond
	// portVariable tells a server where to listen.
	portVariable = "SAGEMAKER_BIND_TO_PORT"
	// fetchTimeout bounds the download of model data unless a variant says.
	fetchTimeout = 10 * time.Minute
)

// errUnhealthy says that a model server ran and never answered /ping.
var errUnhealthy = errors.New("model server did not become healthy")

// serverSpec says which model server to start and how long that may take.
type serverSpec struct {
	container container
	env       map[string]string // above the container's own
	log       journal
	fetch     time.Duration // model data download
	startup   time.Duration // until the first good /ping
}

// startServer starts a model server and returns when it is healthy. What it
// started is gone when it fails.
func (s *Service) startServer(ctx context.Context, spec serverSpec) (*replica, error) {
	dir := filepath.Join(s.cfg.Dir, "servers", uuid.NewString())
	base, tmp := filepath.Join(dir, "ml"), filepath.Join(dir, "tmp")
	err := first(
		makeDirs(dir, "run", "tmp", "ml/model", "ml/output"),
		s.follow(spec.log),
	)
	if err == nil {
		err = s.fetchModel(ctx, spec, filepath.Join(base, "model"), tmp)
	}
	var run process.Spec
	if err == nil {
		run, err = s.serverRun(ctx, spec, dir)
	}
	if err != nil {
		s.settle(s.file(spec.log))
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	r := s.newReplica(dir, run)
	if !s.spawn(r.keep) {
		return nil, errors.Join(s.ctx.Err(), os.RemoveAll(dir))
	}
	return r, s.awaitReplica(ctx, r, spec.startup)
}

// serverRun is the container: `<image> serve`. The port is set with each start.
func (s *Service) serverRun(ctx context.Context, spec serverSpec, dir string) (process.Spec, error) {
	base, tmp := filepath.Join(dir, "ml"), filepath.Join(dir, "tmp")
	contract := map[string]string{portVariable: ""}
	maps.Copy(contract, spec.env)
	return s.contain(ctx, contained{image: spec.container.Image, arguments: []string{"serve"}, base: base, tmp: tmp,
		source: cmp.Or(spec.env["SAGEMAKER_SUBMIT_DIRECTORY"], spec.container.Env["SAGEMAKER_SUBMIT_DIRECTORY"]),
		alone:  spec.container.Alone, env: spec.container.Env, contract: contract,
	}, process.Spec{Dir: filepath.Join(dir, "run"), Log: s.file(spec.log), Grace: s.cfg.ServerGrace, Bound: true})
}

func (s *Service) fetchModel(ctx context.Context, spec serverSpec, dir, tmp string) error {
	if spec.container.DataURL == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, spec.fetch)
	defer cancel()
	at, err := parseLocation("ModelDataUrl", spec.container.DataURL)
	if err != nil {
		return err
	}
	if spec.container.Plain {
		if err := s.fetchPlain(ctx, spec.container.modelData, at, dir); err != nil {
			return notDownloaded(at, err)
		}
		return nil
	}
	file := filepath.Join(tmp, "model.tar.gz")
	if err := s.fetch(ctx, at, file); err != nil {
		return notDownloaded(at, err)
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := unpack(f, dir, maxUnpacked); err != nil {
		return notExtracted(at, err)
	}
	return os.Remove(file)
}

// awaitReplica waits for the first good /ping.
func (s *Service) awaitReplica(ctx context.Context, r *replica, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var err error
	select {
	case err = <-r.first:
		if err == nil {
			return nil
		}
		err = fmt.Errorf("%w: %w", errUnhealthy, err)
	case <-timer.C:
		err = fmt.Errorf("%w: no answer to /ping within %s", errUnhealthy, limit)
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.ctx.Done():
		return s.ctx.Err() // the replica ends by itself, or never began
	}
	r.halt()
	return err
}

// awaitPing asks /ping until it answers 200, and then sends true; it sends
// false when the server ended or is told to.
func (s *Service) awaitPing(addr string, ended, stop <-chan struct{}) <-chan bool {
	answer := make(chan bool, 1)
	go func() {
		tick := time.NewTicker(pingInterval)
		defer tick.Stop()
		for {
			if s.ping(addr) {
				answer <- true
				return
			}
			select {
			case <-tick.C:
			case <-ended:
				answer <- false
				return
			case <-stop:
				answer <- false
				return
			case <-s.ctx.Done():
				answer <- false
				return
			}
		}
	}()
	return answer
}

func (s *Service) ping(addr string) bool {
	ctx, cancel := context.WithTimeout(s.ctx, pingTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, addr+"/ping", nil)
	if err != nil {
		return false
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// staleServers lists the folders of an earlier service's model servers. It must
// be called before this service has any.
func (s *Service) staleServers() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.cfg.Dir, "servers"))
	dirs := make([]string, len(entries))
	for i, e := range entries {
		dirs[i] = filepath.Join(s.cfg.Dir, "servers", e.Name())
	}
	return dirs, err
}

// sweepServers removes them. Their supervisors end them when their service
// ended; this waits for it.
func (s *Service) sweepServers(stale, logs []string) {
	defer s.settle(logs...)
	var wait sync.WaitGroup
	for _, dir := range stale {
		wait.Go(func() {
			if err := sweep(dir); err != nil {
				s.log.Error("stale model server", "dir", dir, "error", err)
			}
		})
	}
	wait.Wait()
}

func sweep(dir string) error {
	if run, err := process.Attach(filepath.Join(dir, "run")); err == nil {
		if err := run.Interrupt(); err != nil {
			return err
		}
		<-run.Done()
	}
	return os.RemoveAll(dir)
}
