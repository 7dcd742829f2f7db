package s3

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// uploadPage is the answer of ListMultipartUploads, being filled.
type uploadPage struct {
	Bucket             string
	KeyMarker          string
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      string `xml:",omitempty"`
	NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
	Prefix             string `xml:",omitempty"`
	Delimiter          string `xml:",omitempty"`
	EncodingType       string `xml:",omitempty"`
	MaxUploads         int
	IsTruncated        bool
	Uploads            []listedUpload `xml:"Upload"`
	Folders            []folder       `xml:"CommonPrefixes"`

	encode func(string) string
}

type listedUpload struct {
	Key          string
	UploadID     string `xml:"UploadId"`
	StorageClass gofakes3.StorageClass
	Initiated    string
}

type folder struct{ Prefix string }

// maxUploads is S3's limit of a page.
const maxUploads = 1000

// listUploads answers ListMultipartUploads. gofakes3 knows of no bucket without
// any.
func (s *Store) listUploads(x *exchange, r *http.Request, at location) error {
	q := r.URL.Query()
	page := uploadPage{
		Bucket: at.bucket, KeyMarker: q.Get("key-marker"), UploadIDMarker: q.Get("upload-id-marker"), Prefix: q.Get("prefix"),
		Delimiter: q.Get("delimiter"), EncodingType: q.Get("encoding-type"), MaxUploads: maxUploads,
		encode: func(s string) string { return s },
	}
	if page.EncodingType == "url" {
		page.encode = gofakes3.URLEncode
	}
	if text := q.Get("max-uploads"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return gofakes3.ErrorInvalidArgument("max-uploads", text, "Argument max-uploads must be an integer between 0 and 2147483647")
		}
		page.MaxUploads = min(n, maxUploads)
	}
	uploads, err := s.uploadsOf(at.bucket)
	if err != nil {
		return err
	}
	page.fill(uploads)
	for _, name := range []*string{&page.KeyMarker, &page.NextKeyMarker, &page.Prefix, &page.Delimiter} {
		*name = page.encode(*name)
	}
	return writeXML(x, "ListMultipartUploadsResult", page)
}

type namedUpload struct {
	upload
	id string
}

// uploadsOf gives a bucket's uploads by key, the first that began first.
func (s *Store) uploadsOf(bucket string) (out []namedUpload, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		if _, err := getBucket(tx, bucket); err != nil {
			return err
		}
		return eachUpload(tx, func(id gofakes3.UploadID, u upload) error {
			if u.Bucket == bucket {
				out = append(out, namedUpload{u, string(id)})
			}
			return nil
		})
	})
	slices.SortFunc(out, func(a, b namedUpload) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), a.Initiated.Compare(b.Initiated), cmp.Compare(a.id, b.id))
	})
	return out, err
}

func (p *uploadPage) fill(uploads []namedUpload) {
	l := listing{prefix: p.Prefix, delimiter: p.Delimiter}
	last := ""
	for _, u := range p.rest(uploads) {
		if !strings.HasPrefix(u.Key, p.Prefix) {
			continue
		}
		in := l.fold(u.Key)
		if in != "" && (in == last || in == p.KeyMarker) {
			continue
		}
		if len(p.Uploads)+len(p.Folders) == p.MaxUploads {
			p.IsTruncated = true
			return
		}
		if last = in; in != "" {
			p.Folders = append(p.Folders, folder{p.encode(in)})
			p.NextKeyMarker, p.NextUploadIDMarker = in, ""
			continue
		}
		p.Uploads = append(p.Uploads, listedUpload{p.encode(u.Key), u.id, gofakes3.StorageStandard, u.Initiated.Format(isoLayout)})
		p.NextKeyMarker, p.NextUploadIDMarker = u.Key, u.id
	}
	p.NextKeyMarker, p.NextUploadIDMarker = "", ""
}

// rest are the uploads behind the markers.
func (p *uploadPage) rest(uploads []namedUpload) []namedUpload {
	i := slices.IndexFunc(uploads, func(u namedUpload) bool { return u.Key > p.KeyMarker })
	if i < 0 {
		i = len(uploads)
	}
	if p.UploadIDMarker != "" {
		if j := slices.IndexFunc(uploads, func(u namedUpload) bool { return u.Key == p.KeyMarker && u.id == p.UploadIDMarker }); j >= 0 {
			i = j + 1
		}
	}
	return uploads[i:]
}
