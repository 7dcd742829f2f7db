package lifecycle

import "strings"

// Source is where rows come from: the files under an S3 prefix, one file that is
// downloaded by http or https, a query, or what the model was asked. Exactly one
// of URI, Postgres and Traffic says where; Format goes with URI.
type Source struct {
	Name       string    `json:"name" jsonschema:"minLength=1"`
	URI        string    `json:"uri,omitempty" jsonschema:"pattern=^(s3://[a-z0-9][a-z0-9.-]+(/.*)?|https?://[A-Za-z0-9.:\\[\\]-]+/.*)$"`
	Format     string    `json:"format,omitempty" jsonschema:"enum=parquet,enum=csv,enum=jsonl"`
	Partitions string    `json:"partitions,omitempty" jsonschema_description:"folders below uri that name a period, written with 2006, 01, 02 and 15: year=2006/month=01 or dt=2006-01-02"`
	SHA256     string    `json:"sha256,omitempty" jsonschema:"pattern=^[0-9a-f]{64}$" jsonschema_description:"of a file that is downloaded: another one is refused"`
	Postgres   *Postgres `json:"postgres,omitempty" jsonschema_description:"rows of a query"`
	Traffic    *Traffic  `json:"traffic,omitempty" jsonschema_description:"what the model was asked, with what really happened"`
}

// Traffic is the model's own captured requests, joined with ground truth.
type Traffic struct {
	Last Duration `json:"last,omitempty" jsonschema_description:"use only requests of this long before those whose truth has matured; all when absent"`
}

// Postgres is a query of a PostgreSQL database.
type Postgres struct {
	Connection string `json:"connection" jsonschema:"pattern=^[a-z][a-z0-9]*(-[a-z0-9]+)*$" jsonschema_description:"name of a connection that the worker's operator configured"`
	Query      string `json:"query" jsonschema:"minLength=1" jsonschema_description:"one select; its rows are put in the order of the id"`
}

// Remote tells whether the source is downloaded from a host.
func (s Source) Remote() bool {
	return strings.HasPrefix(s.URI, "http://") || strings.HasPrefix(s.URI, "https://")
}

// Place is where a source is, for people.
func (s Source) Place() string {
	switch {
	case s.Postgres != nil:
		return "postgres:" + s.Postgres.Connection
	case s.Traffic != nil:
		return "traffic"
	}
	return s.URI
}

// Places lists where the sources are, for people.
func (d Data) Places() string {
	places := make([]string, len(d.Sources))
	for i, s := range d.Sources {
		places[i] = s.Place()
	}
	return strings.Join(places, ", ")
}

// SourceUse is what a snapshot took from one source.
type SourceUse struct {
	Name  string `json:"name"`
	Files int    `json:"files"`
	New   int    `json:"new"` // of them, those that no former snapshot had read
	Rows  int64  `json:"rows"`
	Note  string `json:"note,omitempty"` // what was left out, and why
}

// Lineage locates the document that says where each file of a release's
// snapshot came from, in which version, and when it was seen there.
type Lineage struct {
	URI    string `json:"uri"`
	Digest string `json:"digest"`
}
