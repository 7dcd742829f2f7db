package sagemaker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// spool holds captured lines in files until they are delivered. A file's path
// below dir is the bucket and key it goes to, so that whatever is found after
// a crash can be delivered, and delivered twice without harm.
//
// A line is written before the invocation is answered: it survives the end of
// this process. It is not synced to disk line by line, so a power cut may take
// the lines of the last interval.
type spool struct {
	dir     string
	objects Objects
	log     *slog.Logger

	mu    sync.Mutex
	open  map[string]*os.File // by folder
	ready []string            // complete files, to be delivered
	turn  sync.Mutex          // one delivery at a time
}

// newSpool takes up the files that an earlier service left.
func newSpool(dir string, objects Objects, log *slog.Logger) (*spool, error) {
	s := &spool{dir: dir, objects: objects, log: log, open: map[string]*os.File{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		s.ready = append(s.ready, path)
		return trim(path)
	})
	if err != nil {
		return nil, fmt.Errorf("capture spool: %w", err)
	}
	return s, nil
}

// trim cuts off a last line that was not written to its end.
func trim(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.Truncate(path, int64(bytes.LastIndexByte(data, '\n')+1))
}

// append adds a line to the present file of a folder, which is
// bucket/prefix/yyyy/mm/dd/hh.
func (s *spool) append(folder string, now time.Time, line []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.open[folder]
	if f == nil {
		dir := filepath.Join(s.dir, filepath.FromSlash(folder))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("capture spool: %w", err)
		}
		name := fmt.Sprintf("%s-%03d-%s.jsonl", now.Format("04-05"), now.Nanosecond()/1e6, uuid.NewString())
		var err error
		if f, err = os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644); err != nil {
			return fmt.Errorf("capture spool: %w", err)
		}
		s.open[folder] = f
	}
	if _, err := f.Write(line); err != nil {
		return fmt.Errorf("capture spool: %w", err)
	}
	return nil
}

// run delivers at every interval until ctx ends.
func (s *spool) run(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.deliver(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("captured data not delivered; trying again", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// deliver stores all that was appended so far. What cannot be stored is kept
// for the next time.
func (s *spool) deliver(ctx context.Context) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	var failures []error
	for _, path := range s.rotate() {
		if err := s.store(ctx, path); err != nil {
			failures = append(failures, err)
			s.mu.Lock()
			s.ready = append(s.ready, path)
			s.mu.Unlock()
		}
	}
	return errors.Join(failures...)
}

// rotate closes the open files and returns all that are complete.
func (s *spool) rotate() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.ready
	s.ready = nil
	for folder, f := range s.open {
		list = append(list, f.Name())
		delete(s.open, folder)
		if err := f.Close(); err != nil {
			s.log.Error("capture spool", "file", f.Name(), "error", err)
		}
	}
	return list
}

func (s *spool) store(ctx context.Context, path string) error {
	name, err := filepath.Rel(s.dir, path)
	if err != nil {
		return err
	}
	bucket, key, _ := strings.Cut(filepath.ToSlash(name), "/")
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > 0 {
		if err := s.objects.Put(ctx, bucket, key, f, info.Size()); err != nil {
			return fmt.Errorf("put captured data s3://%s/%s: %w", bucket, key, err)
		}
	}
	return s.discard(path)
}

// discard removes a delivered file and the folders it leaves empty.
func (s *spool) discard(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Remove(path); err != nil {
		return err
	}
	for dir := filepath.Dir(path); dir != s.dir && os.Remove(dir) == nil; {
		dir = filepath.Dir(dir)
	}
	return nil
}
