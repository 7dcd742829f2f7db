package activities

import (
	"context"
	"fmt"

	"steward/internal/cloud"
	"steward/internal/download"
	"steward/internal/lifecycle"
	"steward/internal/postgres"
)

// Data takes snapshots of sources, checks and splits them. Bucket is Steward's
// own bucket. Web downloads files and Databases answers queries; nil allows none.
// A file of the training channel has FileRows rows, or a few more; 1<<19 when it
// is 0: enough files to share out, none too large to be read at once.
type Data struct {
	Objects   *cloud.Objects
	Bucket    string
	Web       *download.Client
	Databases *postgres.Databases
	FileRows  int
}

// Discard deletes what a release made for itself: parts, training output, scores.
// The snapshot that it was built on is the model's, and stays.
func (d *Data) Discard(ctx context.Context, in lifecycle.DiscardInput) error {
	if in.Model == "" || in.Release < 1 {
		return lifecycle.Fail(lifecycle.Invalid, "discard: name a model and a release from 1 on, not %q and %d", in.Model, in.Release)
	}
	uri := releaseURI(d.Bucket, in.Of, "")
	defer alive(ctx, "deleting "+uri)()
	return d.Objects.DeletePrefix(ctx, uri)
}

// modelURI names what belongs to a model.
func modelURI(bucket, model, path string) string {
	return fmt.Sprintf("s3://%s/models/%s/%s", bucket, model, path)
}

// releaseURI names what belongs to a release.
func releaseURI(bucket string, of lifecycle.Of, path string) string {
	return modelURI(bucket, of.Model, fmt.Sprintf("releases/%d/%s", of.Release, path))
}

// contentURI names a content-addressed copy of a source file.
func contentURI(bucket, sha256 string) string {
	return fmt.Sprintf("s3://%s/objects/%s", bucket, sha256)
}
