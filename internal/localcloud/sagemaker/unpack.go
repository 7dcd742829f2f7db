package sagemaker

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// maxUnpacked is the most that one archive may unpack to, in bytes: 20 GiB,
// far above any model a development machine can serve and far below what
// fills its disk by one crafted archive.
const maxUnpacked = 20 << 30

// bounds keep a crafted archive from taking the machine. Honest ones stay far
// within them.
type bounds struct {
	bytes   int64 // of all files
	entries int   // files and folders, those on the way to each counted again
	free    int64 // bytes that may be unpacked however few they were packed in
	ratio   int64 // above that: unpacked bytes for each packed one
}

// boundsOf are those of an archive that may unpack to so many bytes. Deflate
// makes of a byte 1032 at most, and of one of real data rarely 20.
func boundsOf(bytes int64) bounds {
	return bounds{bytes: bytes, entries: 1 << 20, free: 1 << 30, ratio: 200}
}

// maxPath and maxDepth bound the names of entries: below maxPath every system
// can open what was unpacked, and within maxDepth remove it again.
const (
	maxPath  = 1024 // bytes
	maxDepth = 64   // folders
)

// unpack extracts a gzipped tar into dir, at most limit bytes. It refuses what
// leaves dir, is neither file nor folder (AWS takes no links either), has a name
// that no honest tool writes, is damaged, or is much larger than it looks. Of
// two entries with one name the later counts, as with tar.
func unpack(r io.Reader, dir string, limit int64) error { return unpackWithin(r, dir, boundsOf(limit)) }

func unpackWithin(r io.Reader, dir string, b bounds) error {
	packed := &counter{Reader: r}
	z, err := gzip.NewReader(packed)
	if err != nil {
		return fmt.Errorf("not a gzipped archive: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	u := &unpacking{bounds: b, root: root, packed: packed}
	stream := &inflated{Reader: z, unpacking: u}
	for t := tar.NewReader(stream); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return finish(stream)
		}
		if err != nil {
			return fmt.Errorf("archive: %w", err)
		}
		if err := u.entry(h, t); err != nil {
			return fmt.Errorf("archive entry %.200q: %w", h.Name, err)
		}
	}
}

// finish reads what follows the last entry, for the checksum of all is at the
// end. What follows that and is not gzip is padding.
func finish(stream io.Reader) error {
	if _, err := io.Copy(io.Discard, stream); err != nil && !errors.Is(err, gzip.ErrHeader) {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

// unpacking is an archive on its way to a folder.
type unpacking struct {
	bounds
	root   *os.Root
	packed *counter
	done   int64 // bytes of files so far
}

func (u *unpacking) entry(h *tar.Header, r io.Reader) error {
	name := filepath.Clean(filepath.FromSlash(h.Name))
	if err := checkEntry(name); err != nil {
		return err
	}
	if u.entries -= 1 + strings.Count(name, "/"); u.entries < 0 {
		return errors.New("the archive has too many files and folders")
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.root.MkdirAll(name, 0o755)
	case tar.TypeReg:
	case tar.TypeXGlobalHeader:
		return nil
	default:
		return fmt.Errorf("type %q: only files and folders can be unpacked", h.Typeflag)
	}
	if h.Size > u.bytes-u.done {
		return fmt.Errorf("unpacks beyond the limit of %d bytes", u.bytes)
	}
	if err := u.root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := u.root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, fs.FileMode(h.Mode)&0o755|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(&unpacked{f, u}, r)
	return errors.Join(err, f.Close())
}

func checkEntry(name string) error {
	switch {
	case !filepath.IsLocal(name):
		return errors.New("leaves the folder it is unpacked to")
	case strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("has control characters in its name")
	case len(name) > maxPath || strings.Count(name, "/") > maxDepth:
		return fmt.Errorf("has a path of more than %d bytes or %d folders", maxPath, maxDepth)
	}
	return nil
}

// plausible tells whether so much may have come of what was read so far.
func (u *unpacking) plausible(bytes int64) error {
	if bytes > u.free && bytes-u.free > u.ratio*u.packed.n {
		return fmt.Errorf("unpacks to %d bytes and more from %d, which no honest archive does", bytes, u.packed.n)
	}
	return nil
}

// counter counts what is read.
type counter struct {
	io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// inflated is the tar, headers and all.
type inflated struct {
	io.Reader
	*unpacking
	n int64
}

func (s *inflated) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.n += int64(n); err == nil {
		err = s.plausible(s.n)
	}
	return n, err
}

// unpacked is a file that grows. A sparse one can be larger than the tar.
type unpacked struct {
	file io.Writer
	*unpacking
}

func (f *unpacked) Write(p []byte) (int, error) {
	f.done += int64(len(p))
	if err := f.plausible(f.done); err != nil {
		return 0, err
	}
	return f.file.Write(p)
}
