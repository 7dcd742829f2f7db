package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
	"steward/internal/project"
)

// uploadSources packs the folders that a model file names as sources of
// scripts, which are those of dir, and uploads each under the digest of its
// content. It returns the text to apply: the file's own unless it names a folder.
func (a *app) uploadSources(ctx context.Context, dir string, file lifecycle.ModelFile, text []byte) ([]byte, error) {
	var objects *cloud.Objects
	for i := range file.Spec.Training.Candidates {
		script := file.Spec.Training.Candidates[i].Script
		if script == nil || script.Remote() {
			continue
		}
		if objects == nil {
			if err := a.useEmbeddedCloud(); err != nil {
				return nil, err
			}
			clients, err := cloud.New(ctx)
			if err != nil {
				return nil, err
			}
			objects = cloud.NewObjects(clients.S3)
		}
		uri, err := a.uploadSource(ctx, objects, dir, file.Metadata.Name, *script)
		if err != nil {
			return nil, fmt.Errorf("spec.training.candidates[%d].script: %w", i, err)
		}
		script.Source = uri
	}
	if objects == nil {
		return text, nil
	}
	return json.Marshal(file) // JSON is YAML
}

func (a *app) uploadSource(ctx context.Context, objects *cloud.Objects, dir, model string, script lifecycle.Script) (string, error) {
	if !filepath.IsAbs(script.Source) {
		script.Source = filepath.Join(dir, script.Source)
	}
	packed, err := project.Pack(script.Source, script.EntryPoint, script.Inference)
	if err != nil {
		return "", usageError{err}
	}
	c, err := a.config()
	if err != nil {
		return "", err
	}
	uri := lifecycle.CodeURI(c.Bucket, model, packed.Digest)
	err = objects.PutNew(ctx, uri, packed.Archive)
	if errors.Is(err, cloud.ErrExists) { // the same content
		return uri, nil
	}
	return uri, err
}
