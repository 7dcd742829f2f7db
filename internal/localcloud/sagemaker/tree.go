package sagemaker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// tree is a folder that a container has below /opt/ml. It need not be there.
type tree struct {
	root   string // what the container finds at /opt/ml
	folder string // below it, with slashes
}

func (h host) tree(folder string) tree { return tree{h.ml, folder} }

func (t tree) dir() string { return filepath.Join(t.root, filepath.FromSlash(t.folder)) }

// inside is a container's name of one of its files.
func (t tree) inside(file string) string {
	return path.Join(optRoot, filepath.ToSlash(strings.TrimPrefix(file, t.root)))
}

// each visits the files of a tree, with their names below the folder. Links stand
// for the file or folder that they lead to; one that leads nowhere, out of
// /opt/ml or into itself is an error: what it was to be kept for would be lost
// in silence. Pipes, sockets and devices are left out.
func (t tree) each(visit func(name, file string, info fs.FileInfo) error) error {
	dir, err := t.reach(t.dir(), t.dir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return t.walk(dir, "", nil, visit)
}

func (t tree) walk(dir, name string, above []string, visit func(name, file string, info fs.FileInfo) error) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	above = append(slices.Clip(above), dir)
	for _, entry := range entries {
		file, below := filepath.Join(dir, entry.Name()), path.Join(name, entry.Name())
		if entry.Type()&fs.ModeSymlink != 0 {
			file, err = t.follow(file)
		}
		var info fs.FileInfo
		if err == nil {
			info, err = os.Lstat(file)
		}
		switch {
		case err != nil:
		case info.IsDir() && slices.Contains(above, file):
			return fmt.Errorf("%s is a link to a folder that it is in: remove it", path.Join(optRoot, t.folder, below))
		case info.IsDir():
			err = t.walk(file, below, above, visit)
		case info.Mode().IsRegular():
			err = visit(below, file, info)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // which went away meanwhile
			return err
		}
	}
	return nil
}

// follow gives what a link leads to. In its namespace a container names its files
// by /opt/ml, without one by their place on this machine.
func (t tree) follow(link string) (string, error) {
	leads, err := os.Readlink(link)
	if err != nil {
		return "", err
	}
	to := leads
	if below, ok := strings.CutPrefix(leads, optRoot+"/"); ok {
		to = filepath.Join(t.root, below)
	} else if !filepath.IsAbs(leads) {
		to = filepath.Join(filepath.Dir(link), leads)
	}
	found, err := t.reach(link, to)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is a link to %s, and there is nothing: remove it", t.inside(link), leads)
	}
	return found, err
}

// reach gives the place of what a path leads to, by whatever links. link is what
// an error names.
func (t tree) reach(link, to string) (string, error) {
	root, err := filepath.EvalSymlinks(t.root)
	if err != nil {
		return "", err
	}
	found, err := filepath.EvalSymlinks(to)
	if err != nil {
		return "", fmt.Errorf("%s: %w", t.inside(link), err)
	}
	below, err := filepath.Rel(root, found)
	if err != nil || !filepath.IsLocal(below) {
		return "", fmt.Errorf("%s is a link to a place that is not below %s: put a copy of that there", t.inside(link), optRoot)
	}
	return filepath.Join(t.root, below), nil
}
