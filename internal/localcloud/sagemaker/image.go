package sagemaker

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"steward/internal/localcloud/scriptmode"
)

// Image says what plays a container image: exactly one of Command, Python and
// Docker. Pattern is matched as by path.Match against the image's name without
// tag or digest; the first match of a list wins.
//
// `train` or `serve` is appended to the command; a training job's
// ContainerEntrypoint takes the whole command's place and ContainerArguments
// that of `train`.
type Image struct {
	Pattern string   `json:"pattern"`
	Command []string `json:"command,omitempty"`

	// Python is an interpreter, a name or a path. With Requirements it runs in a
	// virtual environment that has them. It runs Script, or else, in script mode,
	// what the job or model names (see package scriptmode).
	Python       string       `json:"python,omitempty"`
	Requirements Requirements `json:"requirements,omitzero"`
	Script       string       `json:"script,omitempty"`
	// Framework gives script mode's functions the defaults of a framework's own
	// container: "" (NumPy arrays) or "xgboost" (a DMatrix).
	Framework string `json:"framework,omitempty"`

	// Docker is the image that a container engine runs; "*" is the one that was
	// asked for.
	Docker string `json:"docker,omitempty"`
}

type images []Image

// frameworks are the images that the SageMaker Python SDK names for its
// framework estimators, whatever the registry's host.
func frameworks() []Image {
	return []Image{
		{Pattern: "*/sagemaker-scikit-learn", Python: "python3", Requirements: Requirements{Lines: scriptmode.ScikitLearn()}},
		{Pattern: "*/sagemaker-xgboost", Python: "python3", Requirements: Requirements{Lines: scriptmode.XGBoost()}, Framework: "xgboost"},
	}
}

// CheckImages refuses what can never run. Errors name the entry, the field, its
// value and what to do.
func CheckImages(list []Image) error {
	_, err := checkImages(list)
	return err
}

// checkImages also makes paths absolute: a program given by a relative path is
// that of this process's folder, for containers work in folders of their own.
func checkImages(list []Image) (images, error) {
	checked := make(images, len(list))
	for i, img := range list {
		err := img.check()
		if err == nil {
			err = img.locate()
		}
		if err != nil {
			return nil, fmt.Errorf("images[%d]: pattern %q: %w", i, img.Pattern, err)
		}
		checked[i] = img
	}
	return checked, nil
}

func (img *Image) check() error {
	if _, err := path.Match(img.Pattern, ""); err != nil || img.Pattern == "" {
		return errors.New("want a name such as steward/linear or team/*")
	}
	kinds := img.kinds()
	switch {
	case len(kinds) == 0 || len(img.Command) > 0 && img.Command[0] == "":
		return errors.New("command is empty: name the program that plays this image, or give python or docker in its place")
	case len(kinds) > 1:
		return fmt.Errorf("it has %s: give exactly one of command, python and docker", strings.Join(kinds, " and "))
	case img.Python == "" && (img.Script != "" || !img.Requirements.empty() || img.Framework != ""):
		return fmt.Errorf("requirements, script and framework go with python, not with %s: take them out", kinds[0])
	}
	return first(img.checkFramework(), img.Requirements.check())
}

// kinds are the ways in which an entry says that it is played.
func (img *Image) kinds() (kinds []string) {
	if len(img.Command) > 0 {
		kinds = append(kinds, "command")
	}
	if img.Docker != "" {
		kinds = append(kinds, "docker")
	}
	if img.Python != "" {
		kinds = append(kinds, "python")
	}
	return kinds
}

func (img *Image) checkFramework() error {
	switch {
	case img.Framework == "":
		return nil
	case img.Framework != "xgboost":
		return fmt.Errorf(`framework %q: it is "xgboost" or left out`, img.Framework)
	case img.Script != "":
		return fmt.Errorf("framework %q is for script mode, and there is a script %q: keep one of them", img.Framework, img.Script)
	}
	return nil
}

func (img *Image) locate() (err error) {
	img.Command = slices.Clone(img.Command)
	programs := []*string{&img.Python, &img.Script}
	if len(img.Command) > 0 {
		programs = append(programs, &img.Command[0])
	}
	for _, p := range programs {
		if strings.ContainsRune(*p, filepath.Separator) || p == &img.Script && *p != "" {
			if *p, err = filepath.Abs(*p); err != nil {
				return err
			}
		}
	}
	if img.Script != "" {
		if info, err := os.Stat(img.Script); err != nil || info.IsDir() {
			return fmt.Errorf("script %q is not a file: correct its path", img.Script)
		}
	}
	return nil
}

// find resolves an image to what plays it.
func (l images) find(image string) (*Image, error) {
	name := untagged(image)
	for i := range l {
		if ok, _ := path.Match(l[i].Pattern, name); ok {
			return &l[i], nil
		}
	}
	known := make([]string, len(l))
	for i, img := range l {
		known[i] = img.Pattern
	}
	return nil, invalid("Requested image %s not found. Known to this local cloud: %s", image, strings.Join(known, ", "))
}

// check refuses an image that nothing plays.
func (l images) check(image string) error {
	_, err := l.find(image)
	return err
}

// untagged strips :tag and @digest; a colon before the last slash is a port.
func untagged(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		image = image[:i]
	}
	return image
}
