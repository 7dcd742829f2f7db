package s3

import (
	"crypto/sha1" //nolint:gosec // a checksum that S3 offers
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/rclone/gofakes3"
)

const checksumPrefix = "X-Amz-Checksum-"

// checksums are the algorithms of "Checking object integrity" in the S3 user
// guide, by the header that carries them.
var checksums = map[string]func() hash.Hash{
	checksumPrefix + "Crc32":     func() hash.Hash { return crc32.NewIEEE() },
	checksumPrefix + "Crc32c":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	checksumPrefix + "Crc64nvme": func() hash.Hash { return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5)) },
	checksumPrefix + "Sha1":      sha1.New,
	checksumPrefix + "Sha256":    sha256.New,
}

// checksum passes a body through and at its end compares it with what the header
// or the trailing header of the request says.
type checksum struct {
	io.Reader
	name   string // of the header; "" if there is none to compare
	sum    hash.Hash
	stated func() string
}

// newChecksum makes the checksum of a request's body.
func newChecksum(r *http.Request) (*checksum, error) {
	for name, algorithm := range checksums {
		if stated := r.Header.Get(name); stated != "" {
			return &checksum{r.Body, name, algorithm(), func() string { return stated }}, nil
		}
	}
	return newTrailing(r)
}

// newTrailing is newChecksum of trailing headers only.
func newTrailing(r *http.Request) (*checksum, error) {
	name := textproto.CanonicalMIMEHeaderKey(r.Header.Get("X-Amz-Trailer"))
	if name == "" {
		return &checksum{Reader: r.Body}, nil
	}
	algorithm, ok := checksums[name]
	if !ok {
		return nil, gofakes3.ErrorInvalidArgument("x-amz-trailer", strings.ToLower(name), "The value specified in the x-amz-trailer header is not supported")
	}
	return &checksum{r.Body, name, algorithm(), func() string { return r.Trailer.Get(name) }}, nil
}

func (c *checksum) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.name == "" {
		return n, err
	}
	c.sum.Write(p[:n])
	if err == io.EOF && c.stated() != base64.StdEncoding.EncodeToString(c.sum.Sum(nil)) {
		algorithm := strings.ToUpper(strings.TrimPrefix(c.name, checksumPrefix))
		return n, refuse(http.StatusBadRequest, gofakes3.ErrBadDigest, "The %s you specified did not match the calculated checksum.", algorithm)
	}
	return n, err
}

// trailer is a checksum that gofakes3 does not answer: one that is known only when
// the body was read, or that of a part.
type trailer struct{ *checksum }

// keep puts it where gofakes3 keeps those of headers.
func (t trailer) keep(meta map[string]string) {
	if t.checksum != nil {
		meta[t.name] = t.stated()
	}
}

// show puts it into the answer.
func (t trailer) show(x *exchange) {
	if t.checksum != nil {
		x.set(t.name, t.stated())
	}
}
