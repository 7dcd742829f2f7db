// Package pythontest finds the Python that .ci/prepare has installed for tests.
package pythontest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Python is an interpreter with the packages of all framework images.
func Python(t testing.TB) string {
	t.Helper()
	return prepared(t, "python", "bin", "python")
}

// Wheels is a folder with those packages, for pip.
func Wheels(t testing.TB) string {
	t.Helper()
	return prepared(t, "wheels")
}

// Offline lets pip install from [Wheels] and from nowhere else.
func Offline(t *testing.T) {
	t.Helper()
	t.Setenv("PIP_NO_INDEX", "1")
	t.Setenv("PIP_FIND_LINKS", Wheels(t))
	t.Setenv("PIP_COMPILE", "0") // saves a third of the time
}

func prepared(t testing.TB, elem ...string) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..", "..", "..")
	path := filepath.Join(append([]string{root, ".tools"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run .ci/prepare", err)
	}
	return path
}
