package s3

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// The index: buckets holds name → bucketRecord, uploads and parts the multipart
// uploads under way, documents the buckets' configurations, notifications those
// that nobody has taken yet. Each S3 bucket has objects/<name>, key → current record,
// and versions/<name>, key NUL order → record, the newest first, which stays
// empty until the bucket is versioned.
var (
	bucketsBucket   = []byte("buckets")
	uploadsBucket   = []byte("uploads")
	partsBucket     = []byte("parts")
	documentsBucket = []byte("documents")
)

func objectsBucket(bucket string) []byte  { return []byte("objects/" + bucket) }
func versionsBucket(bucket string) []byte { return []byte("versions/" + bucket) }

type bucketRecord struct {
	Created    time.Time
	Versioning gofakes3.VersioningStatus `json:",omitempty"`
}

// record is one version of an object.
type record struct {
	Key      string
	Size     int64
	MD5      []byte  // of the body, or of its parts' MD5s
	Parts    []int64 `json:",omitempty"` // sizes, if the object came in parts
	Meta     map[string]string
	Modified time.Time
	Order    string // sorts the versions of a key, the newest first
	Version  string `json:",omitempty"` // empty is S3's version "null"
	Deleted  bool   `json:",omitempty"` // a delete marker
	qualities
	Extents []extent

	inline []byte
}

// encode gives a record as one line of JSON with the inline body after it, so
// that listings need not decode bodies.
func (r *record) encode() ([]byte, error) {
	head, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("record of %s: %w", r.Key, err)
	}
	return slices.Concat(head, []byte{'\n'}, r.inline), nil
}

// decodeRecord copies what it keeps: bolt's memory ends with the transaction.
func decodeRecord(value []byte) (*record, error) {
	head, inline, ok := bytes.Cut(value, []byte{'\n'})
	if !ok {
		return nil, fmt.Errorf("index record is damaged: %.100q", value)
	}
	r := &record{inline: bytes.Clone(inline)}
	if err := json.Unmarshal(head, r); err != nil {
		return nil, fmt.Errorf("index record is damaged: %w: %.100q", err, head)
	}
	return r, nil
}

func putRecord(b *bolt.Bucket, key []byte, r *record) error {
	value, err := r.encode()
	if err != nil {
		return err
	}
	return b.Put(key, value)
}

// getRecord gives nil if there is none.
func getRecord(b *bolt.Bucket, key []byte) (*record, error) {
	value := b.Get(key)
	if value == nil {
		return nil, nil
	}
	return decodeRecord(value)
}

// etag is the MD5 of the body or, of an object that came in N parts, the MD5 of
// the parts' MD5s followed by "-N".
func (r *record) etag() string {
	sum := hex.EncodeToString(r.MD5)
	if len(r.Parts) > 0 {
		sum += "-" + strconv.Itoa(len(r.Parts))
	}
	return sum
}

// object is the record as gofakes3 wants it, without contents.
func (r *record) object() *gofakes3.Object {
	return &gofakes3.Object{
		Name: r.Key, Metadata: r.Meta, Size: r.Size, Hash: r.MD5, PartSizes: r.Parts,
		VersionID: gofakes3.VersionID(r.Version), IsDeleteMarker: r.Deleted,
		Contents: io.NopCloser(strings.NewReader("")),
	}
}

func newRecord(key string, meta map[string]string, b body) *record {
	meta = maps.Clone(meta)
	if meta == nil {
		meta = map[string]string{}
	}
	return &record{Key: key, Size: b.size, MD5: b.md5, Meta: meta, Modified: time.Now().UTC(), Extents: b.extents, inline: b.inline}
}
