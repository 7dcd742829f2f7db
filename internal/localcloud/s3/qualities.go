package s3

import (
	"net/http"
)

// qualities are what the headers of PutObject, CopyObject and
// CreateMultipartUpload say of the object to be made, besides its metadata.
type qualities struct {
	Encryption *encryption `json:",omitempty"`
	Lock       *lock       `json:",omitempty"`
}

// takeQualities reads the qualities from the headers and takes them out, for
// gofakes3 refuses them.
func takeQualities(h http.Header) (q qualities, err error) {
	if q.Encryption, err = takeEncryption(h); err != nil {
		return q, err
	}
	q.Lock, err = takeLock(h)
	return q, err
}
