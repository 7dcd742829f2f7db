// Package project packs a folder with a user's program as SageMaker's script mode
// takes it: a gzipped tar. The same content gives the same bytes, wherever and
// whenever it is packed, so that a digest names it.
package project

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// MaxBytes is the most that a project's files may have together: it is packed in
// memory, and data does not belong into it.
const MaxBytes = 100 << 20

// Packed is a project's archive and its digest, as "sha256:<hex>".
type Packed struct {
	Archive []byte
	Digest  string
}

// Pack packs the files below dir, which must have the programs. Hidden files and
// what Python caches are left out; links and devices are refused, for they
// would not mean the same elsewhere.
func Pack(dir string, programs ...string) (Packed, error) {
	for _, program := range programs {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(program)))
		if err != nil || !info.Mode().IsRegular() {
			return Packed{}, fmt.Errorf("folder %s has no program %s: correct source, entryPoint or inference", dir, program)
		}
	}
	dir, err := filepath.EvalSymlinks(dir) // a walk does not follow its root
	if err != nil {
		return Packed{}, err
	}
	var out bytes.Buffer
	// Without a name or a time, and stored: how well one version of a compressor does
	// must not change what the content is called.
	z, err := gzip.NewWriterLevel(&out, gzip.NoCompression)
	if err != nil {
		return Packed{}, err
	}
	p := &packing{dir: dir, tar: tar.NewWriter(z), packed: map[string]bool{}}
	err = filepath.WalkDir(dir, p.add) // in the order of names
	if err := errors.Join(err, p.tar.Close(), z.Close()); err != nil {
		return Packed{}, fmt.Errorf("pack %s: %w", dir, err)
	}
	for _, program := range programs {
		if !p.packed[path.Clean(program)] {
			return Packed{}, fmt.Errorf("pack %s: the program %s is left out, as all that is hidden or in a Python cache: move it", dir, program)
		}
	}
	sum := sha256.Sum256(out.Bytes())
	return Packed{out.Bytes(), "sha256:" + hex.EncodeToString(sum[:])}, nil
}

type packing struct {
	dir    string
	tar    *tar.Writer
	bytes  int64
	packed map[string]bool // names in the archive
}

func (p *packing) add(file string, d fs.DirEntry, err error) error {
	if err != nil || file == p.dir {
		return err
	}
	switch {
	case strings.HasPrefix(d.Name(), ".") || d.Name() == "__pycache__":
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	case d.IsDir():
		return nil // folders come with their files
	case !d.Type().IsRegular():
		return fmt.Errorf("%s is neither a file nor a folder: put the file itself there", file)
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	if p.bytes += info.Size(); p.bytes > MaxBytes { // before it is read
		return fmt.Errorf("the files have more than %d MiB: keep data out of the source folder", MaxBytes>>20)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(p.dir, file)
	if err != nil {
		return err
	}
	h := tar.Header{Name: filepath.ToSlash(name), Typeflag: tar.TypeReg, Size: int64(len(text)), Mode: 0o644}
	if info.Mode()&0o100 != 0 {
		h.Mode = 0o755
	}
	if err := p.tar.WriteHeader(&h); err != nil {
		return err
	}
	p.packed[h.Name] = true
	_, err = p.tar.Write(text)
	return err
}
