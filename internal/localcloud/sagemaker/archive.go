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

// pack writes the files below dirs as one gzipped tar. It reports whether there
// were any. Of files that have the same name that of the first folder is taken.
// Links and devices are refused: they would not mean the same elsewhere.
func pack(file string, dirs ...string) (found bool, err error) {
	f, err := os.Create(file)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	packed := map[string]bool{".": true}
	for _, dir := range dirs {
		err = errors.Join(err, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name, err := filepath.Rel(dir, path)
			if err != nil || packed[name] {
				return err
			}
			packed[name] = true
			found = found || !d.IsDir()
			return packOne(w, name, path, d)
		}))
	}
	return found, errors.Join(err, w.Close(), z.Close())
}

func packOne(w *tar.Writer, name, path string, d fs.DirEntry) error {
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
