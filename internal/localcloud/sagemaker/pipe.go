package sagemaker

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// feed is a channel in Pipe mode on one host: the objects that are written, one
// after the other, into the named pipe of each epoch.
type feed struct {
	dir, channel string
	list         []source
	gzip         bool
}

// pipe is the named pipe of an epoch: /opt/ml/input/data/<channel>_<epoch>.
func (f feed) pipe(epoch int) string {
	return filepath.Join(f.dir, fmt.Sprintf("%s_%d", f.channel, epoch))
}

// open makes an epoch's pipe.
func (f feed) open(epoch int) error {
	return syscall.Mkfifo(f.pipe(epoch), 0o666)
}

// feeds are the feeds of a job at work.
type feeds struct {
	stop    context.CancelFunc
	running sync.WaitGroup
	once    sync.Once
	broken  chan struct{} // closed when one cannot go on
	err     error         // why; to be read when broken is closed
}

// feedAll writes the feeds, whose first pipes are there, until it is halted.
func (s *Service) feedAll(ctx context.Context, all []feed) *feeds {
	ctx, stop := context.WithCancel(ctx)
	w := &feeds{stop: stop, broken: make(chan struct{})}
	for _, f := range all {
		w.running.Go(func() {
			if err := s.feed(ctx, f); err != nil && ctx.Err() == nil {
				w.once.Do(func() {
					w.err = fmt.Errorf("channel %s: %w", f.channel, err)
					close(w.broken)
				})
			}
		})
	}
	return w
}

func (w *feeds) halt() {
	w.stop()
	w.running.Wait()
}

// failure is why a feed broke, if one did.
func (w *feeds) failure() error {
	select {
	case <-w.broken:
		return w.err
	default:
		return nil
	}
}

// feed writes one epoch each time the container opens a pipe. The pipe of the
// next epoch is there before the present one ends. A container that removes its
// pipes wants no more.
func (s *Service) feed(ctx context.Context, f feed) error {
	for epoch := 0; ; epoch++ {
		w, err := awaitReader(ctx, f.pipe(epoch))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		err = f.open(epoch + 1)
		if err == nil {
			err = s.writeEpoch(ctx, f, w)
		}
		err = errors.Join(err, w.Close())
		if err != nil && !errors.Is(err, syscall.EPIPE) { // a reader may leave when it has enough
			return fmt.Errorf("epoch %d: %w", epoch, err)
		}
	}
}

// readerInterval is how often a pipe is asked whether somebody reads it.
const readerInterval = 5 * time.Millisecond

// awaitReader opens a pipe for writing once somebody reads it. It does not wait in
// the opening itself, which nothing could end once the container has removed the
// pipe; then it is fs.ErrNotExist. What is no pipe but a link is refused.
func awaitReader(ctx context.Context, pipe string) (*os.File, error) {
	tick := time.NewTicker(readerInterval)
	defer tick.Stop()
	for {
		w, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
		if !errors.Is(err, syscall.ENXIO) { // nobody reads yet
			return w, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Service) writeEpoch(ctx context.Context, f feed, w *os.File) error {
	defer context.AfterFunc(ctx, func() { _ = w.Close() })() // ends a write that nobody reads
	for _, src := range f.list {
		if err := s.writeObject(ctx, f, src.at, w); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) writeObject(ctx context.Context, f feed, at location, w io.Writer) error {
	body, err := s.cfg.Objects.Get(ctx, at.bucket, at.key)
	if err != nil {
		return fmt.Errorf("get %s: %w", at, err)
	}
	defer func() { _ = body.Close() }()
	r := io.Reader(body)
	if f.gzip {
		if r, err = gzip.NewReader(body); err != nil {
			return fmt.Errorf("%s is not compressed with gzip: %w", at, err)
		}
	}
	if _, err := io.Copy(w, r); err != nil {
		return fmt.Errorf("write %s: %w", at, err)
	}
	return nil
}
