package s3

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// encryption is how S3 would have encrypted an object. It is kept and given
// back; nothing is encrypted. Objects without one have SSE-S3, as all have on
// AWS since January 2023.
type encryption struct {
	Algorithm string
	Key       string `json:",omitempty"` // of KMS
	BucketKey bool   `json:",omitempty"`
}

const (
	sseHeader          = "X-Amz-Server-Side-Encryption"
	sseKeyHeader       = sseHeader + "-Aws-Kms-Key-Id"
	sseContextHeader   = sseHeader + "-Context"
	sseBucketKeyHeader = sseHeader + "-Bucket-Key-Enabled"
	sseS3              = "AES256"
)

var algorithms = []string{sseS3, "aws:kms", "aws:kms:dsse"}

func (e encryption) byKMS() bool { return strings.HasPrefix(e.Algorithm, "aws:kms") }

func takeEncryption(h http.Header) (*encryption, error) {
	e := encryption{Algorithm: h.Get(sseHeader), Key: h.Get(sseKeyHeader)}
	e.BucketKey, _ = strconv.ParseBool(h.Get(sseBucketKeyHeader))
	if e.Key != "" && !e.byKMS() {
		return nil, gofakes3.ErrorInvalidArgument("x-amz-server-side-encryption-aws-kms-key-id", e.Key, "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
	}
	if e.Algorithm != "" && !slices.Contains(algorithms, e.Algorithm) {
		return nil, gofakes3.ErrorInvalidArgument("x-amz-server-side-encryption", e.Algorithm, "The encryption method specified is not supported")
	}
	for _, name := range []string{sseHeader, sseKeyHeader, sseContextHeader, sseBucketKeyHeader} {
		h.Del(name)
	}
	if e.Algorithm == "" && !e.BucketKey {
		return nil, nil
	}
	return &e, nil
}

// refuseCustomerKeys refuses SSE-C in any request.
func refuseCustomerKeys(h http.Header) error {
	for name := range h {
		if strings.Contains(name, "Server-Side-Encryption-Customer-") {
			return refuse(http.StatusNotImplemented, gofakes3.ErrNotImplemented,
				"server-side encryption with customer-provided keys (%s) is not offered: use SSE-S3 or SSE-KMS", strings.ToLower(name))
		}
	}
	return nil
}

// encryptionOf completes what a request asks for by its bucket's default.
func (s *Store) encryptionOf(tx *bolt.Tx, bucket string, asked *encryption) (*encryption, error) {
	e := encryption{}
	if asked != nil {
		e = *asked
	}
	if e.Algorithm == "" {
		var config encryptionConfiguration
		found, err := getDocument(tx, bucket, encryptionDocument, &config)
		if err != nil || !found {
			return nil, err
		}
		d := config.Rules[0]
		e.Algorithm, e.Key, e.BucketKey = d.Default.Algorithm, d.Default.Key, d.BucketKey || e.BucketKey
	}
	if e.byKMS() && e.Key == "" {
		e.Key = "arn:aws:kms:" + s.region + ":" + s.account + ":alias/aws/s3"
	}
	return &e, nil
}

// showEncryption tells in the answer's headers how an object is encrypted.
func (x *exchange) showEncryption(e *encryption) {
	if e == nil {
		x.set(sseHeader, sseS3)
		return
	}
	x.set(sseHeader, e.Algorithm)
	x.set(sseKeyHeader, e.Key)
	if e.BucketKey && e.byKMS() {
		x.set(sseBucketKeyHeader, "true")
	}
}

// encryptionConfiguration is the body of PutBucketEncryption.
type encryptionConfiguration struct {
	Rules []encryptionRule `xml:"Rule"`
}

type encryptionRule struct {
	Default struct {
		Algorithm string `xml:"SSEAlgorithm"`
		Key       string `xml:"KMSMasterKeyID,omitempty"`
	} `xml:"ApplyServerSideEncryptionByDefault"`
	BucketKey bool `xml:"BucketKeyEnabled"`
}

const encryptionDocument = "encryption"

func (c *encryptionConfiguration) check() error {
	if len(c.Rules) != 1 {
		return malformed("one Rule is needed, not %d", len(c.Rules))
	}
	d := c.Rules[0].Default
	if !slices.Contains(algorithms, d.Algorithm) {
		return malformed("SSEAlgorithm %q is not one of %s", d.Algorithm, strings.Join(algorithms, ", "))
	}
	if d.Key != "" && d.Algorithm == sseS3 {
		return gofakes3.ErrorInvalidArgument("KMSMasterKeyID", d.Key, "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
	}
	return nil
}

// getEncryption answers SSE-S3 for a bucket without a configuration, as AWS does.
func (s *Store) getEncryption(x *exchange, r *http.Request, at location) error {
	var c encryptionConfiguration
	found, err := s.document(at.bucket, encryptionDocument, &c)
	if err != nil {
		return err
	}
	if !found {
		c.Rules = make([]encryptionRule, 1)
		c.Rules[0].Default.Algorithm = sseS3
	}
	return writeXML(x, "ServerSideEncryptionConfiguration", c)
}
