package project_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/project"
)

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

func names(t *testing.T, archive []byte) (list []string) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(archive))
	require.NoError(t, err)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		require.NoError(t, err)
		list = append(list, h.Name)
	}
}

func TestPackIsOfTheContentAlone(t *testing.T) {
	files := map[string]string{"train.py": "print(1)", "lib/a.py": "x = 1"}
	one, err := project.Pack(folder(t, files), "train.py", "lib/a.py")
	require.NoError(t, err)
	require.Equal(t, []string{"lib/a.py", "train.py"}, names(t, one.Archive))
	files[".git/HEAD"], files["lib/__pycache__/a.pyc"], files[".env"] = "x", "x", "SECRET=1"
	dir := folder(t, files)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "train.py"), time.Unix(1, 0), time.Unix(1, 0)))
	two, err := project.Pack(dir, "train.py")
	require.NoError(t, err)
	require.Equal(t, one, two)
	require.NoError(t, os.Chmod(filepath.Join(dir, "train.py"), 0o755))
	three, err := project.Pack(dir, "train.py")
	require.NoError(t, err)
	require.NotEqual(t, two.Digest, three.Digest, "a program may be run")
}

func TestPackFollowsTheFolderItself(t *testing.T) {
	dir := folder(t, map[string]string{"train.py": "print(1)"})
	link := filepath.Join(t.TempDir(), "src")
	require.NoError(t, os.Symlink(dir, link))
	packed, err := project.Pack(link, "train.py")
	require.NoError(t, err)
	require.Equal(t, []string{"train.py"}, names(t, packed.Archive))
}

func TestPackRefuses(t *testing.T) {
	dir := folder(t, map[string]string{"train.py": "print(1)"})
	_, err := project.Pack(dir, "train.py", "inference.py")
	require.ErrorContains(t, err, "has no program inference.py: correct source, entryPoint or inference")
	_, err = project.Pack(filepath.Join(dir, "none"), "train.py")
	require.ErrorContains(t, err, "has no program train.py")
	hidden := folder(t, map[string]string{".src/train.py": "print(1)"})
	_, err = project.Pack(hidden, ".src/train.py")
	require.ErrorContains(t, err, "program .src/train.py is left out, as all that is hidden")
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "link")))
	_, err = project.Pack(dir, "train.py")
	require.ErrorContains(t, err, "link is neither a file nor a folder")
	require.NoError(t, os.Remove(filepath.Join(dir, "link")))
	require.NoError(t, os.Truncate(filepath.Join(dir, "train.py"), project.MaxBytes+1))
	_, err = project.Pack(dir, "train.py")
	require.ErrorContains(t, err, "more than 100 MiB: keep data out")
}
