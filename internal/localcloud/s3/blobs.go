package s3

import (
	"bytes"
	"crypto/md5" //nolint:gosec // S3 defines the ETag as MD5
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/rclone/gofakes3"
)

// inlineMax is the largest body, in bytes, kept in the index: below it, one
// sync of the index is cheaper than a file of its own.
const inlineMax = 16 << 10

// neverInline as that limit puts every body into a file.
const neverInline = -1

// extent is a piece of a body: a whole file under blobs/.
type extent struct {
	Blob string
	Size int64
}

// body is stored content: inline, or in one extent for each part it came in.
type body struct {
	inline  []byte
	extents []extent
	size    int64
	md5     []byte
}

// blobs are the files of a store's larger bodies. A file that is being read is
// removed only when its last reader has closed it.
type blobs struct {
	dir     string
	session string // ends the names of the files that this process writes
	unlink  func(path string) error
	mu      sync.Mutex
	readers map[string]int
	doomed  map[string]bool
}

func newBlobs(dir string) *blobs {
	return &blobs{dir: dir, session: newID()[:12], unlink: os.Remove, readers: map[string]int{}, doomed: map[string]bool{}}
}

// path spreads the files over 256 directories, so that none grows long.
func (b *blobs) path(id string) string { return filepath.Join(b.dir, id[:2], id) }

// both gives err and what cleaning up after it gave. A single error stays as it
// is, for gofakes3 reads its code from its type.
func both(err, cleanup error) error {
	switch {
	case cleanup == nil:
		return err
	case err == nil:
		return cleanup
	default:
		return errors.Join(err, cleanup)
	}
}

func newID() string {
	var id [12]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// write stores what in holds, exactly size bytes unless size is -1, and inline
// if that is at most inlineMax. Until a record names the result it is nobody's:
// the caller commits or drops it.
func (b *blobs) write(in io.Reader, size, inlineMax int64) (body, error) {
	sum := md5.New() //nolint:gosec // S3 defines the ETag as MD5
	in = io.TeeReader(in, sum)
	head, err := io.ReadAll(io.LimitReader(in, inlineMax+1))
	if err != nil {
		return body{}, err
	}
	out := body{inline: head, size: int64(len(head))}
	if out.size > inlineMax {
		if out, err = b.writeFile(io.MultiReader(bytes.NewReader(head), in)); err != nil {
			return body{}, err
		}
	}
	if size >= 0 && out.size != size {
		b.discard(out.extents)
		return body{}, gofakes3.ErrIncompleteBody
	}
	out.md5 = sum.Sum(nil)
	return out, nil
}

func (b *blobs) writeFile(in io.Reader) (body, error) {
	id := newID()[:12] + b.session
	f, err := os.OpenFile(b.path(id), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return body{}, err
	}
	n, err := io.Copy(f, in)
	if err == nil {
		err = f.Sync()
	}
	err = both(err, f.Close())
	if err == nil {
		err = syncDir(filepath.Dir(f.Name()))
	}
	if err != nil {
		return body{}, both(err, os.Remove(f.Name()))
	}
	return body{extents: []extent{{id, n}}, size: n}, nil
}

// makeDirs makes the directories that path spreads files over, durably: a file
// in a directory that a power cut takes away is lost, however well it was synced.
func (b *blobs) makeDirs() error {
	for i := range 256 {
		if err := os.MkdirAll(filepath.Join(b.dir, fmt.Sprintf("%02x", i)), 0o700); err != nil {
			return err
		}
	}
	return errors.Join(syncDir(b.dir), syncDir(filepath.Dir(b.dir))) // the second has the index
}

// makeDir makes a directory and those above it durably.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// pin keeps files until unpin, unless a drop of them was before.
func (b *blobs) pin(extents []extent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range extents {
		b.readers[e.Blob]++
	}
}

// unpin lets files go, and removes those that were only waiting for it.
func (b *blobs) unpin(extents []extent) {
	var unused []extent
	b.mu.Lock()
	for _, e := range extents {
		if b.readers[e.Blob]--; b.readers[e.Blob] > 0 {
			continue
		}
		delete(b.readers, e.Blob)
		if b.doomed[e.Blob] {
			delete(b.doomed, e.Blob)
			unused = append(unused, e)
		}
	}
	b.mu.Unlock()
	b.discard(unused)
}

// remove removes a file; one that is gone is fine.
func (b *blobs) remove(e extent) error {
	if err := b.unlink(b.path(e.Blob)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// discard drops what nobody needs any more. It only tells the log when that
// fails: what was to be done is done, and the next Open removes the files.
func (b *blobs) discard(extents []extent) {
	if err := b.drop(extents); err != nil {
		slog.Error("object store: files left behind until the next start", "error", err)
	}
}

// drop removes files that no record names any more. It looks for readers under
// the lock and removes without it, so that readers do not wait for removals: the
// transaction that ended the last name is over, so who pins later finds that out.
func (b *blobs) drop(extents []extent) error {
	var errs []error
	for _, e := range b.unread(extents) {
		errs = append(errs, b.remove(e))
	}
	return errors.Join(errs...)
}

// unread gives the files without readers; the last reader removes the others.
func (b *blobs) unread(extents []extent) (unread []extent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range extents {
		if b.readers[e.Blob] > 0 {
			b.doomed[e.Blob] = true
		} else {
			unread = append(unread, e)
		}
	}
	return unread
}
