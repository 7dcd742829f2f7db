package sagemaker

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Image says which command plays a container image. Pattern is matched as by
// path.Match against the image's name without tag or digest; the first match
// of a list wins. `train` or `serve` is appended to Command; a training job's
// ContainerEntrypoint takes the whole command's place and ContainerArguments
// that of `train`.
type Image struct {
	Pattern string   `json:"pattern"`
	Command []string `json:"command"`
}

type images []Image

// checkImages refuses what can never run. A program given by a relative path is
// that of this process's folder: containers work in folders of their own.
func checkImages(list []Image) (images, error) {
	checked := make(images, len(list))
	for i, img := range list {
		if _, err := path.Match(img.Pattern, ""); err != nil || img.Pattern == "" {
			return nil, fmt.Errorf("images[%d]: pattern %q: want a name such as steward/linear or team/*", i, img.Pattern)
		}
		if len(img.Command) == 0 || img.Command[0] == "" {
			return nil, fmt.Errorf("images[%d]: pattern %q: command is empty: name the program that plays this image", i, img.Pattern)
		}
		img.Command = slices.Clone(img.Command)
		if program := img.Command[0]; strings.ContainsRune(program, filepath.Separator) {
			abs, err := filepath.Abs(program)
			if err != nil {
				return nil, fmt.Errorf("images[%d]: %w", i, err)
			}
			img.Command[0] = abs
		}
		checked[i] = img
	}
	return checked, nil
}

// command resolves an image to the command that plays it.
func (l images) command(image string) ([]string, error) {
	name := untagged(image)
	for _, img := range l {
		if ok, _ := path.Match(img.Pattern, name); ok {
			return img.Command, nil
		}
	}
	known := make([]string, len(l))
	for i, img := range l {
		known[i] = img.Pattern
	}
	return nil, invalid("Requested image %s not found. Known to this local cloud: %s", image, strings.Join(known, ", "))
}

// untagged strips :tag and @digest; a colon before the last slash is a port.
func untagged(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		image = image[:i]
	}
	return image
}
