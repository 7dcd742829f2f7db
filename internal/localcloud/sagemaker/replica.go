package sagemaker

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"steward/internal/localcloud/process"
)

// Restarts of a model server that died wait from firstBackoff, doubling, to
// lastBackoff. One that ends maxStarts times before it ever was healthy is
// given up.
const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 30 * time.Second
	maxStarts    = 3
)

// replica is one model server: a process that is kept running, and the
// requests in flight to it.
type replica struct {
	service *Service
	dir     string // holds run, ml and tmp; removed with the replica
	run     process.Spec

	first chan error    // the first start: healthy (nil) or given up
	stop  chan struct{} // closed to end the replica
	done  chan struct{} // closed when its process and folder are gone

	mu       sync.Mutex
	addr     string // http://host:port while healthy
	inflight int
	closing  bool
	idle     chan struct{} // closed when closing and nothing is in flight
}

func (s *Service) newReplica(dir string, run process.Spec) *replica {
	return &replica{service: s, dir: dir, run: run,
		first: make(chan error, 1), stop: make(chan struct{}), done: make(chan struct{}), idle: make(chan struct{})}
}

// keep runs the server until the replica is stopped or the service closes,
// starting it again when it dies.
func (r *replica) keep() {
	defer close(r.done)
	defer r.remove()
	healthy, failures := false, 0
	for wait := firstBackoff; ; wait = min(2*wait, lastBackoff) {
		began := time.Now()
		err := r.live(func() {
			if !healthy {
				healthy = true
				r.first <- nil
			}
		})
		if err == nil {
			return // told to stop
		}
		if failures++; !healthy && failures == maxStarts {
			r.first <- err
			return
		}
		if time.Since(began) > lastBackoff {
			wait = firstBackoff
		}
		r.service.log.Warn("model server ended; starting it again", "log", r.run.Log, "after", wait, "error", err)
		if !r.pause(wait) {
			return
		}
	}
}

func (r *replica) remove() {
	r.service.settle(r.run.Log)
	if err := os.RemoveAll(r.dir); err != nil {
		r.service.log.Error("model server's folder", "dir", r.dir, "error", err)
	}
}

// pause waits for d; false means that the replica was stopped meanwhile.
func (r *replica) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.stop:
	case <-r.service.ctx.Done():
	}
	return false
}

// live is one life of the server. It returns nil when the replica was told to
// stop and an error when the server ended by itself.
func (r *replica) live(healthy func()) error {
	port, err := r.service.ports.take()
	if err != nil {
		return err
	}
	defer r.service.ports.give(port)
	spec := r.run
	spec.Env = with(spec.Env, map[string]string{portVariable: strconv.Itoa(port)})
	if i := spec.Isolation; i != nil && i.Alone {
		reached := *i
		reached.Port = port
		spec.Isolation = &reached
	}
	run, err := process.Start(spec)
	if err != nil {
		return err
	}
	addr := fmt.Sprintf("http://127.0.0.1:%d", port)
	pings := r.service.awaitPing(addr, run.Done(), r.stop)
	for {
		select {
		case ok := <-pings:
			pings = nil
			if ok {
				r.open(addr)
				healthy()
			}
		case <-run.Done():
			r.open("")
			return r.obituary(run)
		case <-r.stop:
			return r.end(run)
		case <-r.service.ctx.Done():
			return r.end(run)
		}
	}
}

func (r *replica) end(run *process.Run) error {
	r.open("")
	if err := run.Stop(); err != nil {
		r.service.log.Error("model server could not be stopped", "log", r.run.Log, "error", err)
	}
	<-run.Done()
	return nil
}

func (r *replica) obituary(run *process.Run) error {
	exit, err := run.Exit()
	if err != nil {
		return err
	}
	return fmt.Errorf("the container exited with code %d %s%s", exit.Code, exit.Signal, exit.Error)
}

func (r *replica) open(addr string) {
	r.mu.Lock()
	r.addr = addr
	r.mu.Unlock()
	for _, ep := range r.service.endpoints.all() {
		ep.backlog.signal() // requests may wait for this one
	}
}

// acquire counts a request in and says where to send it; false when the server
// is not there or takes no more.
func (r *replica) acquire() (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.addr == "" || r.closing {
		return "", false
	}
	r.inflight++
	return r.addr, true
}

func (r *replica) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inflight--; r.inflight == 0 && r.closing {
		close(r.idle)
	}
}

func (r *replica) isClosing() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closing
}

func (r *replica) load() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inflight
}

// retire lets requests in flight finish, for as long as a streamed one may take, and
// ends the replica. It returns when nothing of it is left.
func (r *replica) retire() {
	r.mu.Lock()
	if !r.closing {
		if r.closing = true; r.inflight == 0 {
			close(r.idle)
		}
	}
	r.mu.Unlock()
	timer := time.NewTimer(streamTimeout)
	defer timer.Stop()
	select {
	case <-r.idle:
	case <-timer.C:
	case <-r.service.ctx.Done():
	}
	r.halt()
}

// halt ends the replica at once. It must be called only once.
func (r *replica) halt() {
	close(r.stop)
	<-r.done
}
