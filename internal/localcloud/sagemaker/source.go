package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxSource is the most that a source archive may unpack to, in bytes.
const maxSource = 2 << 30

// fetchSource puts a project's source into the folder code of base, which plays
// /opt/ml. submitted is what the SageMaker Python SDK calls the submit
// directory: an archive in S3, or an archive or folder below /opt/ml (a channel
// named code, or the model). When nothing was submitted, a model may have
// brought its code along.
func (s *Service) fetchSource(ctx context.Context, submitted, base, tmp string) error {
	code := filepath.Join(base, "code")
	if submitted == "" {
		submitted = "/opt/ml/model/code"
		if info, err := os.Stat(filepath.Join(base, "model", "code")); err != nil || !info.IsDir() {
			return os.MkdirAll(code, 0o755) // the program says what it misses
		}
	}
	if strings.HasPrefix(submitted, "s3://") {
		at, err := parseLocation("sagemaker_submit_directory", submitted)
		if err != nil {
			return err
		}
		file := filepath.Join(tmp, "source.tar.gz")
		if err := s.fetch(ctx, at, file); err != nil {
			return fmt.Errorf("source: %w", err)
		}
		return errors.Join(unpackSource(submitted, file, code), os.Remove(file))
	}
	within, ok := strings.CutPrefix(strings.TrimPrefix(submitted, "file://"), "/opt/ml/")
	if within = filepath.Clean(filepath.FromSlash(within)); !ok || !filepath.IsLocal(within) || within == "." {
		return fmt.Errorf("sagemaker_submit_directory %q: want s3://bucket/source.tar.gz or a path below /opt/ml", submitted)
	}
	info, err := os.Stat(filepath.Join(base, within))
	switch {
	case err != nil:
		return fmt.Errorf("sagemaker_submit_directory %q: %w", submitted, err)
	case !info.IsDir():
		return unpackSource(submitted, filepath.Join(base, within), code)
	case within == "code":
		return nil
	case strings.HasPrefix(within, "code"+string(filepath.Separator)):
		return fmt.Errorf("sagemaker_submit_directory %q: a folder there would have to take the place of the one that it is in: submit /opt/ml/code, or a folder elsewhere", submitted)
	}
	return errors.Join(os.RemoveAll(code), os.Symlink(within, code))
}

func unpackSource(name, file, code string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := os.MkdirAll(code, 0o755); err != nil {
		return err
	}
	if err := unpack(f, code, maxSource); err != nil {
		return fmt.Errorf("source %s: %w", name, err)
	}
	return nil
}
