// Package scriptmode is a small Python package that does for a user's script
// what SageMaker's framework containers do: train and serve it by the names
// and conventions of the SageMaker Training and Inference Toolkits. It is
// embedded here and written to disk to be run.
//
// What belongs here: the Python sources and the requirements of the framework
// images. Finding interpreters, building environments and fetching the user's
// source is the affair of package sagemaker.
package scriptmode

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed python/*.py python/scriptmode/*.py
var sources embed.FS

//go:embed requirements-scikit-learn.txt
var scikitLearn string

//go:embed requirements-xgboost.txt
var xgboost string

// ScikitLearn and XGBoost are the pinned requirements of the framework images.
// The versions are this project's choice: they install under Python 3.11 to
// 3.13 and are not those that an image's tag names.
func ScikitLearn() []string { return lines(scikitLearn) }

// XGBoost are those of the XGBoost image: see [ScikitLearn].
func XGBoost() []string { return lines(xgboost) }

func lines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }

// Version is the oldest Python that runs the package.
const Version = "3.9"

// Builder is the program, in the folder that [Write] makes, that builds a
// virtual environment: <python> <builder> <folder> <requirements file>…
const Builder = "build.py"

// Write puts the package below dir and returns its folder, which Python runs
// as `<python> <folder> train|serve`. The folder is named after the content and
// made whole or not at all, also when the machine goes down; a program that runs
// from an older one keeps it.
func Write(dir string) (string, error) {
	root, err := fs.Sub(sources, "python")
	if err != nil {
		return "", err
	}
	digest, err := digestOf(root)
	if err != nil {
		return "", err
	}
	to := filepath.Join(dir, "scriptmode-"+digest[:16])
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(dir, "tmp-")
	if err != nil {
		return "", err
	}
	err = os.CopyFS(tmp, root)
	if err == nil {
		err = os.Chmod(tmp, 0o755)
	}
	if err == nil {
		err = filepath.WalkDir(tmp, func(path string, _ fs.DirEntry, err error) error { return errors.Join(err, settle(path)) })
	}
	if err == nil {
		err = os.Rename(tmp, to)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(tmp))
	}
	return to, settle(dir)
}

// settle waits until a file or folder is on disk.
func settle(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func digestOf(root fs.FS) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		sum.Write([]byte(name + "\x00"))
		sum.Write(text)
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}
