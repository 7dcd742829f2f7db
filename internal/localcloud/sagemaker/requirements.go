package sagemaker

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Requirements are what pip installs into an image's environment, a requirement
// a line. In JSON it is a list of lines, or the path of a requirements file,
// which [Requirements.Read] reads.
type Requirements struct {
	Lines []string
	File  string
}

func (r Requirements) empty() bool { return len(r.Lines) == 0 && r.File == "" }

// IsZero lets JSON leave them out.
func (r Requirements) IsZero() bool { return r.empty() }

// UnmarshalJSON implements [json.Unmarshaler].
func (r *Requirements) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, &r.File) == nil || json.Unmarshal(text, &r.Lines) == nil {
		return nil
	}
	return fmt.Errorf("requirements %s: want a list of requirements or the path of a requirements file", text)
}

// MarshalJSON implements [json.Marshaler].
func (r Requirements) MarshalJSON() ([]byte, error) {
	if r.File != "" {
		return json.Marshal(r.File)
	}
	return json.Marshal(r.Lines)
}

// Read takes the lines from the file, if one is named.
func (r *Requirements) Read() error {
	if r.File == "" {
		return nil
	}
	text, err := os.ReadFile(r.File)
	if err != nil {
		return fmt.Errorf("requirements: %w", err)
	}
	r.Lines, r.File = strings.Split(strings.TrimSpace(string(text)), "\n"), ""
	return nil
}

// check refuses what an environment that is kept by its requirements' text
// cannot hold: things that change while the text does not.
func (r Requirements) check() error {
	if r.File != "" {
		return errors.New("requirements: the file was not read")
	}
	for _, line := range r.Lines {
		if isLocal(line) {
			return fmt.Errorf("requirements: %q refers to files here, which may change: write what it stands for, or publish it as a package", line)
		}
	}
	return nil
}

// isLocal reports whether a requirement is not told by its text alone.
func isLocal(line string) bool {
	line = strings.TrimSpace(line)
	for _, begin := range []string{"-r", "-c", "-e", "--requirement", "--constraint", "--editable", ".", "/", "file:"} {
		if strings.HasPrefix(line, begin) {
			return true
		}
	}
	return strings.Contains(line, "@ file:")
}

// requirementFile is what pip is given: text, or a file in the project if the
// text alone does not say what is meant. Then digest is that of the project.
type requirementFile struct{ text, path, digest string }

func requirementFiles(own Requirements, project string) ([]requirementFile, error) {
	var files []requirementFile
	if len(own.Lines) > 0 {
		files = append(files, requirementFile{text: strings.Join(own.Lines, "\n")})
	}
	file := filepath.Join(project, "requirements.txt")
	text, err := os.ReadFile(file)
	if project == "" || errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	if err != nil {
		return nil, err
	}
	f := requirementFile{text: string(bytes.TrimSpace(text))}
	if slices.ContainsFunc(strings.Split(f.text, "\n"), isLocal) {
		f.path = file
		if f.digest, err = folderDigest(project); err != nil {
			return nil, err
		}
	}
	if f.text == "" {
		return files, nil
	}
	return append(files, f), nil
}

// folderDigest is a digest of all files below a folder.
func folderDigest(dir string) (string, error) {
	sum := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(sum, "%s\n%x\n", path[len(dir):], sha256.Sum256(text))
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}
