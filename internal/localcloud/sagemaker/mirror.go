package sagemaker

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"
)

// mirror copies what changes in a folder to S3: checkpoints, and the outputs of
// processing jobs that are uploaded continuously. What is deleted stays in S3.
type mirror struct {
	service *Service
	from    tree
	to      location
	seen    map[string]version // by path, as it was copied
}

// version tells a file's contents apart, as rsync does.
type version struct {
	Size     int64
	Modified int64 // nanoseconds since 1970
}

func versionOf(info fs.FileInfo) version { return version{info.Size(), info.ModTime().UnixNano()} }

// versions are those of a tree's files, by name.
func versions(t tree) (map[string]version, error) {
	all := map[string]version{}
	err := t.each(func(name, _ string, info fs.FileInfo) error {
		all[name] = versionOf(info)
		return nil
	})
	return all, err
}

func (s *Service) mirror(from tree, to location) *mirror {
	return &mirror{service: s, from: from, to: to, seen: map[string]version{}}
}

// sync copies the files that are new or have changed since the last time. A
// file that goes away meanwhile was not to stay.
func (m *mirror) sync(ctx context.Context) error {
	return m.from.each(func(name, path string, info fs.FileInfo) error {
		v := versionOf(info)
		if m.seen[name] == v {
			return nil
		}
		err := m.service.putFile(ctx, m.to.join(name), path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil {
			m.seen[name] = v
		}
		return err
	})
}

// keep syncs until ctx ends. What fails, because a file is being written or the
// bucket is away, is tried again the next time; the last sync counts.
func (m *mirror) keep(ctx context.Context) {
	tick := time.NewTicker(m.service.cfg.SyncInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := m.sync(ctx); err != nil && ctx.Err() == nil {
				m.service.log.Debug("mirror", "dir", m.from.dir(), "to", m.to, "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// mirrors keeps several mirrors until it is told to finish.
type mirrors struct {
	all     []*mirror
	stop    context.CancelFunc
	running sync.WaitGroup
}

func keepMirrors(ctx context.Context, all []*mirror) *mirrors {
	ctx, stop := context.WithCancel(ctx)
	m := &mirrors{all: all, stop: stop}
	for _, one := range all {
		m.running.Go(func() { one.keep(ctx) })
	}
	return m
}

// finish ends them with a last sync.
func (m *mirrors) finish(ctx context.Context) error {
	m.halt()
	var errs []error
	for _, one := range m.all {
		errs = append(errs, one.sync(ctx))
	}
	return errors.Join(errs...)
}

// halt ends them as they are; more than once is the same as once.
func (m *mirrors) halt() {
	m.stop()
	m.running.Wait()
}
