package s3

import (
	"context"
	"crypto/md5" //nolint:gosec // S3 defines the ETag as MD5
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// upload is a multipart upload under way.
type upload struct {
	Bucket, Key string
	Meta        map[string]string
	Initiated   time.Time `json:",omitzero"`
	qualities
}

// part is an uploaded part: a file that the object takes over without a copy.
type part struct {
	MD5     []byte
	Size    int64
	Extents []extent
}

// minPart is the least size of a part that is not the last: 5 MiB (S3's quota).
const minPart = 5 << 20

// partKey sorts an upload's parts by number, which is at most 10,000.
func partKey(id gofakes3.UploadID, number int) []byte {
	return fmt.Appendf(nil, "%s/%05d", id, number)
}

func getJSON(b *bolt.Bucket, key []byte, v any) (found bool, err error) {
	value := b.Get(key)
	if value == nil {
		return false, nil
	}
	if err := json.Unmarshal(value, v); err != nil {
		return false, fmt.Errorf("index record %q is damaged: %w", key, err)
	}
	return true, nil
}

func putJSON(b *bolt.Bucket, key []byte, v any) error {
	value, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, value)
}

// CreateMultipartUpload begins an upload.
func (s *Store) CreateMultipartUpload(ctx context.Context, bucket, key string, meta map[string]string) (gofakes3.UploadID, error) {
	if id, ok := resumedUpload(ctx); ok {
		return id, nil
	}
	if strings.Contains(key, "\x00") {
		return "", gofakes3.ErrorInvalidArgument("key", key, "a key cannot contain the character NUL")
	}
	x, id := exchangeOf(ctx), gofakes3.UploadID(newID())
	u := upload{bucket, key, meta, time.Now().UTC(), x.made}
	err := s.db.Update(func(tx *bolt.Tx) (err error) {
		if u.Encryption, err = s.encryptionOf(tx, bucket, u.Encryption); err != nil {
			return err
		}
		if _, err := lockOf(tx, bucket, u.Lock, u.Initiated); err != nil {
			return err
		}
		return putJSON(tx.Bucket(uploadsBucket), []byte(id), u)
	})
	if err != nil {
		return "", x.noted(err)
	}
	x.showEncryption(u.Encryption)
	return id, nil
}

// UploadPart stores a part durably, in place of one of the same number.
func (s *Store) UploadPart(ctx context.Context, _, _ string, id gofakes3.UploadID, number int, size int64, in io.Reader) (string, error) {
	if etag, ok := resumedPart(ctx); ok {
		return etag, nil
	}
	x := exchangeOf(ctx)
	b, err := s.blobs.write(in, size, neverInline)
	if err != nil {
		return "", x.noted(err)
	}
	var old part
	var u upload
	err = s.db.Batch(func(tx *bolt.Tx) error {
		u = upload{}
		if found, err := getJSON(tx.Bucket(uploadsBucket), []byte(id), &u); err != nil || !found {
			return both(err, gofakes3.ErrNoSuchUpload)
		}
		parts := tx.Bucket(partsBucket)
		old = part{}
		if _, err := getJSON(parts, partKey(id, number), &old); err != nil {
			return err
		}
		return putJSON(parts, partKey(id, number), part{b.md5, b.size, b.extents})
	})
	if err != nil {
		s.blobs.discard(b.extents)
		return "", x.noted(err)
	}
	s.blobs.discard(old.Extents)
	x.showEncryption(u.Encryption)
	x.trailer.show(x)
	return quote(hex.EncodeToString(b.md5)), nil
}

// CompleteMultipartUpload makes the object of its parts and ends the upload, in
// one transaction.
func (s *Store) CompleteMultipartUpload(ctx context.Context, bucket, key string, id gofakes3.UploadID, in *gofakes3.CompleteMultipartUploadRequest) (gofakes3.VersionID, string, error) {
	var r *record
	err := s.commit(ctx, bucket, key, func(tx *bolt.Tx) (_ *record, unused []extent, err error) {
		if r, err = assemble(tx, key, id, in.Parts); err != nil {
			return nil, nil, err
		}
		unused, err = forget(tx, id, r.Extents)
		return r, unused, err
	})
	if err != nil {
		return "", "", err
	}
	return gofakes3.VersionID(r.Version), quote(r.etag()), nil
}

// assemble makes the record of the parts that the client lists.
func assemble(tx *bolt.Tx, key string, id gofakes3.UploadID, list []gofakes3.CompletedPart) (*record, error) {
	var u upload
	found, err := getJSON(tx.Bucket(uploadsBucket), []byte(id), &u)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, gofakes3.ErrNoSuchUpload
	}
	if len(list) == 0 {
		return nil, malformed("it lists no part")
	}
	for i := range list[1:] {
		if list[i].PartNumber >= list[i+1].PartNumber {
			return nil, gofakes3.ErrInvalidPartOrder
		}
	}
	r := newRecord(key, u.Meta, body{})
	r.qualities = u.qualities
	sum := md5.New() //nolint:gosec // S3 defines the ETag as MD5
	for i, want := range list {
		var p part
		found, err := getJSON(tx.Bucket(partsBucket), partKey(id, want.PartNumber), &p)
		if err != nil {
			return nil, err
		}
		if !found || strings.Trim(want.ETag, `"`) != hex.EncodeToString(p.MD5) {
			return nil, gofakes3.ErrInvalidPart
		}
		if i < len(list)-1 && p.Size < minPart {
			return nil, refuse(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		sum.Write(p.MD5)
		r.Parts, r.Extents, r.Size = append(r.Parts, p.Size), append(r.Extents, p.Extents...), r.Size+p.Size
	}
	r.MD5 = sum.Sum(nil)
	return r, nil
}

// AbortMultipartUpload ends an upload and removes its parts.
func (s *Store) AbortMultipartUpload(ctx context.Context, _, _ string, id gofakes3.UploadID) error {
	var unused []extent
	err := s.db.Update(func(tx *bolt.Tx) (err error) {
		unused, err = forget(tx, id, nil)
		return err
	})
	if err != nil {
		return exchangeOf(ctx).noted(err)
	}
	s.blobs.discard(unused)
	return nil
}
