package localcloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"steward/internal/localcloud/sagemaker"
)

// LoadImages reads a registry file: a JSON list of objects with the members of
// [sagemaker.Image]. Requirements files, scripts and interpreters that are
// given by a relative path are those of the file's folder. Errors name the
// file and the line, or the entry and the field.
func LoadImages(path string) ([]sagemaker.Image, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("image registry: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var images []sagemaker.Image
	err = d.Decode(&images)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more follows the list")
		}
	}
	if err != nil {
		line := 1 + bytes.Count(text[:d.InputOffset()], []byte("\n"))
		return nil, fmt.Errorf(`image registry %s: line %d or after: %w; want a list such as [{"pattern": "steward/*", "command": ["steward-image"]}]`, path, line, err)
	}
	for i := range images {
		if err := complete(&images[i], filepath.Dir(path)); err != nil {
			return nil, fmt.Errorf("image registry %s: images[%d]: pattern %q: %w", path, i, images[i].Pattern, err)
		}
	}
	if err := sagemaker.CheckImages(images); err != nil {
		return nil, fmt.Errorf("image registry %s: %w", path, err)
	}
	return images, nil
}

// complete reads an entry's requirements file and makes its paths those of the
// registry's folder.
func complete(img *sagemaker.Image, dir string) error {
	within := func(p string) string {
		if p == "" || filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(dir, p)
	}
	img.Script, img.Requirements.File = within(img.Script), within(img.Requirements.File)
	if strings.ContainsRune(img.Python, filepath.Separator) {
		img.Python = within(img.Python)
	}
	return img.Requirements.Read()
}
