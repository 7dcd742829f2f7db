package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// maxLine is the longest event made of a file, in bytes: 256 KiB, as the agents
// of AWS have it. A longer line becomes several events.
const maxLine = 256 << 10

// chunk is how much of one file is copied at a time, in bytes.
const chunk = 1 << 20

// source is a followed file: the stream its lines go to and how much of it was
// copied, in bytes.
type source struct {
	Group, Stream string
	Offset        int64
}

// Follow copies a file, which need not be there yet, into a stream for as long
// as it grows, a line an event, at the time it is read. Group and stream are made
// if they are not there. It goes on after a restart, until [Store.Settle].
func (s *Store) Follow(group, stream, file string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.sources[file]; ok {
		return nil
	}
	src := source{Group: group, Stream: stream}
	err := s.db.Update(func(tx *bolt.Tx) error {
		if _, err := s.reach(tx, src); err != nil {
			return err
		}
		return put(tx.Bucket(sourcesBucket), file, src)
	})
	if err != nil {
		return fmt.Errorf("follow %s: %w", file, err)
	}
	s.sources[file] = src
	return nil
}

// Followed lists the files that are followed.
func (s *Store) Followed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.sources))
}

// Settle copies what is left of files that grow no more and follows them no
// longer. What is not followed is left alone.
func (s *Store) Settle(files ...string) error {
	s.copying.Lock()
	defer s.copying.Unlock()
	var errs []error
	for _, file := range files {
		errs = append(errs, s.copy(file, true))
	}
	return errors.Join(errs...)
}

// copyAll takes in what followed files have gained.
func (s *Store) copyAll() error {
	s.copying.Lock()
	defer s.copying.Unlock()
	var errs []error
	for _, file := range s.Followed() {
		errs = append(errs, s.copy(file, false))
	}
	return errors.Join(errs...)
}

// copy takes in what one file has gained; with final also a line that has not
// ended, and the file is forgotten. It needs copying.
func (s *Store) copy(file string, final bool) error {
	for {
		s.mu.Lock()
		src, ok := s.sources[file]
		s.mu.Unlock()
		if !ok {
			return nil
		}
		lines, n, err := s.gain(file, src.Offset, final)
		if err != nil {
			return fmt.Errorf("copy %s: %w", file, err)
		}
		forget := final && n == 0
		if n == 0 && !forget {
			return nil
		}
		src.Offset += n
		if err := s.db.Update(func(tx *bolt.Tx) error { return s.take(tx, file, src, lines, forget) }); err != nil {
			return fmt.Errorf("copy %s: %w", file, err)
		}
		s.mu.Lock()
		if forget {
			delete(s.sources, file)
		} else {
			s.sources[file] = src
		}
		s.mu.Unlock()
	}
}

// take records lines and how far the file was read.
func (s *Store) take(tx *bolt.Tx, file string, src source, lines []string, forget bool) error {
	if len(lines) > 0 {
		st, err := s.reach(tx, src)
		if err != nil {
			return err
		}
		now := s.now()
		at := max(now, st.Last) // the order of the file, whatever the clock does
		events := make([]event, len(lines))
		for i, l := range lines {
			events[i] = event{at: position{hi: uint64(at)}, ingested: now, message: l}
		}
		if err := s.write(tx, src.Group, st, events); err != nil {
			return err
		}
	}
	if forget {
		return tx.Bucket(sourcesBucket).Delete([]byte(file))
	}
	return put(tx.Bucket(sourcesBucket), file, src)
}

// reach gives a source's stream, making it where somebody deleted it.
func (s *Store) reach(tx *bolt.Tx, src source) (*stream, error) {
	if _, err := s.addGroup(tx, src.Group); err != nil {
		return nil, err
	}
	st, _, err := s.addStream(tx, src.Group, src.Stream)
	return st, err
}

// gain reads the whole lines that a file has from an offset on, and how many
// bytes they are; with final a last line without end as well. Empty lines are no
// events, and those to skip are left out.
func (s *Store) gain(file string, offset int64, final bool) (lines []string, n int64, err error) {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || info.Size() <= offset {
		return nil, 0, err
	}
	text, err := io.ReadAll(io.NewSectionReader(f, offset, chunk))
	if err != nil {
		return nil, 0, err
	}
	final = final && len(text) < chunk // else more follows
	for len(text) > 0 {
		end := bytes.IndexByte(text, '\n') + 1
		if end == 0 || end > maxLine {
			switch {
			case len(text) >= maxLine:
				end = maxLine
			case end == 0 && final:
				end = len(text)
			case end == 0:
				return lines, n, nil
			}
		}
		if line := strings.ToValidUTF8(strings.TrimRight(string(text[:end]), "\r\n"), "\uFFFD"); line != "" && !s.skips(line) {
			lines = append(lines, line)
		}
		text, n = text[end:], n+int64(end)
	}
	return lines, n, nil
}

func (s *Store) skips(line string) bool {
	return s.cfg.Skip != "" && strings.HasPrefix(line, s.cfg.Skip)
}
