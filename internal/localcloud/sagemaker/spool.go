package sagemaker

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
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
	open  map[string]*spoolFile // by folder
	ready []string              // complete files, to be delivered

	turn    sync.Mutex         // one delivery at a time
	outages map[string]*outage // by bucket
}

// spoolFile is a file that lines are added to; whole is its size up to the last
// complete one.
type spoolFile struct {
	*os.File
	whole int64
}

// newSpool takes up the files that an earlier service left.
func newSpool(dir string, objects Objects, log *slog.Logger) (*spool, error) {
	s := &spool{dir: dir, objects: objects, log: log, open: map[string]*spoolFile{}, outages: map[string]*outage{}}
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
	whole := bytes.LastIndexByte(data, '\n') + 1
	if whole == len(data) {
		return nil // and keeps its age
	}
	return os.Truncate(path, int64(whole))
}

// append adds a line to the present file of a folder, which is
// bucket/prefix/yyyy/mm/dd/hh. A line that could not be written whole is cut off
// and the next one begins another file.
func (s *spool) append(folder string, now time.Time, line []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.open[folder]
	if f == nil {
		var err error
		if f, err = s.create(folder, now); err != nil {
			return fmt.Errorf("capture spool: %w", err)
		}
		s.open[folder] = f
	}
	if _, err := f.Write(line); err != nil {
		return fmt.Errorf("capture spool: %w", errors.Join(err, s.abandon(folder, f)))
	}
	f.whole += int64(len(line))
	return nil
}

func (s *spool) create(folder string, now time.Time) (*spoolFile, error) {
	dir := filepath.Join(s.dir, filepath.FromSlash(folder))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s-%03d-%s.jsonl", now.Format("04-05"), now.Nanosecond()/1e6, uuid.NewString())
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	return &spoolFile{File: f}, err
}

// abandon ends a file that could not be written to.
func (s *spool) abandon(folder string, f *spoolFile) error {
	delete(s.open, folder)
	if f.whole == 0 {
		return errors.Join(f.Close(), os.Remove(f.Name()))
	}
	s.ready = append(s.ready, f.Name())
	return errors.Join(f.Close(), os.Truncate(f.Name(), f.whole))
}

// rotate returns the complete files of the buckets that are due, after closing
// the open ones of these.
func (s *spool) rotate(due func(bucket string) bool) (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for folder, f := range s.open {
		bucket, _ := s.address(f.Name())
		if !due(bucket) {
			continue
		}
		s.ready = append(s.ready, f.Name())
		delete(s.open, folder)
		if err := f.Close(); err != nil {
			s.log.Error("capture spool", "file", f.Name(), "error", err)
		}
	}
	var rest []string
	for _, path := range s.ready {
		if bucket, _ := s.address(path); due(bucket) {
			list = append(list, path)
		} else {
			rest = append(rest, path)
		}
	}
	s.ready = rest
	return list
}

// keep leaves a file for the next delivery.
func (s *spool) keep(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = append(s.ready, path)
}

// discard removes a delivered file and the folders it leaves empty.
func (s *spool) discard(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for dir := filepath.Dir(path); dir != s.dir && os.Remove(dir) == nil; {
		dir = filepath.Dir(dir)
	}
	return nil
}
