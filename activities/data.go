package activities

import (
	"context"
	"fmt"
	"strings"

	"go.temporal.io/sdk/activity"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// Data takes snapshots of sources, checks and splits them. Bucket is Steward's
// own bucket.
type Data struct {
	Objects *cloud.Objects
	Bucket  string
}

// Discard deletes everything under the given S3 prefixes, all of which must lie
// in the model's own part of Steward's bucket.
func (d *Data) Discard(ctx context.Context, in lifecycle.DiscardInput) error {
	for _, uri := range in.URIs {
		if !strings.HasPrefix(uri, modelURI(d.Bucket, in.Model, "")) {
			return lifecycle.Fail(lifecycle.Invalid, "discard %s: it is outside model %s's part of bucket %s", uri, in.Model, d.Bucket)
		}
	}
	for _, uri := range in.URIs {
		activity.RecordHeartbeat(ctx, lifecycle.Progress{Job: "discard", Status: "deleting " + uri})
		if err := d.Objects.DeletePrefix(ctx, uri); err != nil {
			return err
		}
	}
	return nil
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
