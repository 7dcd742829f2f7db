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
)

// maxUnpacked is the most that one archive may unpack to, in bytes: 20 GiB,
// far above any model a development machine can serve and far below what
// fills its disk by one crafted archive.
const maxUnpacked = 20 << 30

// pack writes the files below dir as a gzipped tar. It reports whether there
// were any. Links and devices are refused: they would not mean the same
// elsewhere.
func pack(file, dir string) (found bool, err error) {
	f, err := os.Create(file)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		if !d.IsDir() {
			found = true
		}
		return packOne(w, dir, path, d)
	})
	return found, errors.Join(err, w.Close(), z.Close())
}

func packOne(w *tar.Writer, dir, path string, d fs.DirEntry) error {
	if !d.IsDir() && !d.Type().IsRegular() {
		return fmt.Errorf("%s is a %s: only files and folders can be packed", path, d.Type())
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	h, err := tar.FileInfoHeader(info, "")
	if err != nil {
		return err
	}
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	h.Name, h.Uid, h.Gid, h.Uname, h.Gname = filepath.ToSlash(name), 0, 0, "", ""
	if err := w.WriteHeader(h); err != nil || d.IsDir() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.Copy(w, f)
	return err
}

// unpack extracts a gzipped tar into dir, at most limit bytes. An entry that
// leaves dir, or that is not a file or folder, is refused.
func unpack(r io.Reader, dir string, limit int64) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("not a gzipped archive: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("archive: %w", err)
		}
		n, err := unpackOne(root, h, t, limit)
		if err != nil {
			return fmt.Errorf("archive entry %q: %w", h.Name, err)
		}
		limit -= n
	}
}

func unpackOne(root *os.Root, h *tar.Header, r io.Reader, limit int64) (int64, error) {
	name := filepath.Clean(filepath.FromSlash(h.Name))
	if !filepath.IsLocal(name) {
		return 0, errors.New("leaves the folder it is unpacked to")
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return 0, root.MkdirAll(name, 0o755)
	case tar.TypeReg:
	case tar.TypeXGlobalHeader:
		return 0, nil
	default:
		return 0, fmt.Errorf("type %q: only files and folders can be unpacked", h.Typeflag)
	}
	if h.Size > limit {
		return 0, fmt.Errorf("unpacks beyond the limit of %d bytes", int64(maxUnpacked))
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return 0, err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, fs.FileMode(h.Mode)&0o755|0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(f, r)
	return n, errors.Join(err, f.Close())
}
