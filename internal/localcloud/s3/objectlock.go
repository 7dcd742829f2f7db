package s3

import (
	"net/http"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// lockConfiguration is the body of PutObjectLockConfiguration. A bucket that has
// one is versioned for good.
type lockConfiguration struct {
	Enabled string    `xml:"ObjectLockEnabled"`
	Rule    *lockRule `xml:"Rule"`
}

type lockRule struct {
	Default struct {
		Mode  string `xml:"Mode"`
		Days  *int   `xml:"Days"`
		Years *int   `xml:"Years"`
	} `xml:"DefaultRetention"`
}

const lockDocument = "object-lock"

// The longest default retention, in days and in years (AWS's quotas).
const (
	maxRetentionDays  = 36500
	maxRetentionYears = 100
)

func (c *lockConfiguration) check() error {
	if c.Enabled != "Enabled" {
		return malformed("ObjectLockEnabled is %q, not Enabled", c.Enabled)
	}
	if c.Rule == nil {
		return nil
	}
	d := c.Rule.Default
	switch {
	case d.Mode != governance && d.Mode != compliance:
		return malformed("Mode is %q, neither GOVERNANCE nor COMPLIANCE", d.Mode)
	case (d.Days == nil) == (d.Years == nil):
		return malformed("DefaultRetention needs either Days or Years")
	case d.Days != nil && *d.Days <= 0, d.Years != nil && *d.Years <= 0:
		return refuse(http.StatusBadRequest, "InvalidRetentionPeriod", "Default retention period must be a positive integer value")
	case value(d.Days) > maxRetentionDays, value(d.Years) > maxRetentionYears:
		return refuse(http.StatusBadRequest, "InvalidRetentionPeriod", "Default retention period too large: at most %d days or %d years", maxRetentionDays, maxRetentionYears)
	}
	return nil
}

// putObjectLock sets the default retention; a versioned bucket gets object lock
// by it.
func (s *Store) putObjectLock(x *exchange, r *http.Request, at location) error {
	var c lockConfiguration
	if err := readXML(r, "ObjectLockConfiguration", &c); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		b, err := getBucket(tx, at.bucket)
		if err != nil {
			return err
		}
		if b.Versioning != gofakes3.VersioningEnabled {
			return refuse(http.StatusConflict, gofakes3.ErrInvalidBucketState, "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
		}
		return putDocument(tx, at.bucket, lockDocument, c)
	})
}

func (s *Store) getObjectLock(x *exchange, _ *http.Request, at location) error {
	var c lockConfiguration
	found, err := s.document(at.bucket, lockDocument, &c)
	if err != nil {
		return err
	}
	if !found {
		return refuse(http.StatusNotFound, gofakes3.ErrObjectLockConfigurationNotFound, "Object Lock configuration does not exist for this bucket")
	}
	return writeXML(x, "ObjectLockConfiguration", c)
}
