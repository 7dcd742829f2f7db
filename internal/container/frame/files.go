package frame

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// files lists the regular files of a channel in a fixed order. Names that
// start with a dot or an underscore are other tools' markers and left out.
func files(dir string) ([]string, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	var found []string
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		if hidden := strings.HasPrefix(entry.Name(), ".") || strings.HasPrefix(entry.Name(), "_"); hidden {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() {
			found = append(found, path)
		}
		return err
	})
	slices.Sort(found)
	return found, err
}

// file is one open CSV file past its header row.
type file struct {
	*Rows
	header []string
	name   string // for messages
	close  func()
}

var (
	gzipMagic    = []byte{0x1f, 0x8b}
	parquetMagic = []byte("PAR1")
	byteOrder    = []byte("\ufeff")
)

// open opens a plain or gzipped CSV file and reads its header.
func open(path string) (*file, error) {
	disk, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &file{name: filepath.Base(path), close: func() { _ = disk.Close() }}
	err = f.begin(disk)
	if err != nil {
		f.close()
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return f, nil
}

func (f *file) begin(disk io.Reader) error {
	buffered := bufio.NewReaderSize(disk, 1<<16)
	if start, _ := buffered.Peek(2); bytes.Equal(start, gzipMagic) {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return err
		}
		buffered = bufio.NewReaderSize(unzipped, 1<<16)
	}
	start, _ := buffered.Peek(4)
	if bytes.Equal(start, parquetMagic) {
		return errors.New("is a Parquet file; give CSV with a header row")
	}
	if bytes.HasPrefix(start, byteOrder) {
		_, _ = buffered.Discard(len(byteOrder))
	}
	f.Rows = NewRows(buffered, 0)
	record, err := f.Next()
	if errors.Is(err, io.EOF) {
		return errors.New("is empty; the first line must name the columns")
	}
	f.header = slices.Clone(record)
	return err
}
