package sagemaker

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// modelData is where a model's files are: one archive, one file, or all objects
// under a prefix.
type modelData struct {
	DataURL string                // may be empty: a container without data
	Kind    types.S3ModelDataType // S3Object if empty
	Plain   bool                  // the files themselves, not a model.tar.gz
}

// modelDataOf reads the two ways to give model data; path is the request's name
// of the container.
func modelDataOf(path string, url *string, source *types.ModelDataSource) (modelData, error) {
	if source == nil {
		return modelData{DataURL: aws.ToString(url)}, nil
	}
	if url != nil {
		return modelData{}, invalid("%sModelDataUrl and %sModelDataSource cannot both be given: give one of them", path, path)
	}
	path += "ModelDataSource."
	if err := first(only(path, source, "S3DataSource"), required(source, "S3DataSource")); err != nil {
		return modelData{}, err
	}
	path += "S3DataSource."
	s := source.S3DataSource
	if err := only(path, s, "S3Uri", "S3DataType", "CompressionType", "ModelAccessConfig"); err != nil {
		return modelData{}, err
	}
	d := modelData{*s.S3Uri, s.S3DataType, s.CompressionType == types.ModelCompressionTypeNone}
	if d.Kind != types.S3ModelDataTypeS3Prefix {
		return d, nil
	}
	switch {
	case !d.Plain:
		return d, invalid("%sS3DataType S3Prefix goes with CompressionType None: an archive is an S3Object", path)
	case !strings.HasSuffix(d.DataURL, "/"):
		return d, invalid("%sS3Uri %q: a prefix ends with a slash", path, d.DataURL)
	}
	return d, nil
}

// checkModelData refuses model data that is not there, as AWS does.
func (s *Service) checkModelData(ctx context.Context, d modelData) error {
	if d.DataURL == "" {
		return nil
	}
	at, err := parseLocation("ModelDataUrl", d.DataURL)
	if err != nil {
		return err
	}
	objects, err := s.cfg.Objects.List(ctx, at.bucket, at.key)
	if err != nil {
		return invalid("Could not access model data at %s: %v", d.DataURL, err)
	}
	for _, o := range objects {
		if o.Key == at.key || d.Kind == types.S3ModelDataTypeS3Prefix {
			return nil
		}
	}
	return invalid("Could not find model data at %s.", d.DataURL)
}

// fetchPlain fetches a model that is no archive. Each file has the path below
// the prefix, or the last part of the key.
func (s *Service) fetchPlain(ctx context.Context, d modelData, at location, dir string) error {
	if d.Kind != types.S3ModelDataTypeS3Prefix {
		name := at.key[strings.LastIndex(at.key, "/")+1:]
		return s.fetch(ctx, at, filepath.Join(dir, name))
	}
	list, err := s.sources(ctx, types.S3DataTypeS3Prefix, d.DataURL)
	if err != nil {
		return err
	}
	return s.download(ctx, list, dir)
}
