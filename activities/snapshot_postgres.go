package activities

import (
	"context"
	"fmt"
	"time"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
	"steward/internal/postgres"
)

// queried runs the query of a source. Its rows are files of the snapshot, which
// no later one knows before it has asked again.
func (t *taking) queried(ctx context.Context, source lifecycle.Source) ([]*foundFile, error) {
	databases := t.Databases
	if databases == nil {
		databases = postgres.New(nil, 0)
	}
	what := "querying " + source.Place()
	defer alive(ctx, what)()
	query := postgres.Query{Connection: source.Postgres.Connection, SQL: source.Postgres.Query, ID: t.in.Data.ID, Time: t.in.Data.Time}
	parts, err := databases.Export(ctx, query, t.dir, pulse{ctx, what}.beat)
	if err != nil {
		return nil, cloud.Wrap(err, "source %s", source.Name)
	}
	var files []*foundFile
	for i, p := range parts {
		files = append(files, &foundFile{local: p.Name, read: fileRead{SHA256: p.SHA256}, snapshotFile: snapshotFile{
			Origin: source.Name, Source: fmt.Sprintf("%s/%s/%d", source.Place(), source.Name, i+1),
			Seen: time.Now().UTC(), Format: dataset.Parquet, Bytes: p.Bytes, SHA256: p.SHA256,
		}})
	}
	return files, nil
}
