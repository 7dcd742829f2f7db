package localcloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"steward/internal/localcloud/sagemaker"
)

// LoadImages reads a registry file: a JSON list of objects with the members
// pattern and command, as in [sagemaker.Image]. Errors name the file and line.
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
	return images, nil
}
