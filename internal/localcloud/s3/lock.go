package s3

import (
	"net/http"
	"time"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// lock keeps a version from being deleted: until a time, in one of two modes, or
// as long as there is a legal hold.
type lock struct {
	Mode  string    `json:",omitempty"`
	Until time.Time `json:",omitzero"`
	Hold  bool      `json:",omitempty"`
	// HoldSet tells a hold that was lifted from one that never was.
	HoldSet bool `json:",omitempty"`
}

const (
	governance = "GOVERNANCE"
	compliance = "COMPLIANCE"
	holdOn     = "ON"
	holdOff    = "OFF"

	lockModeHeader  = "X-Amz-Object-Lock-Mode"
	lockUntilHeader = "X-Amz-Object-Lock-Retain-Until-Date"
	lockHoldHeader  = "X-Amz-Object-Lock-Legal-Hold"
	bypassHeader    = "X-Amz-Bypass-Governance-Retention"
)

func errLocked() error {
	return refuse(http.StatusForbidden, "AccessDenied", "Access Denied because object protected by object lock.")
}

func errNoLock() error {
	return refuse(http.StatusBadRequest, gofakes3.ErrInvalidRequest, "Bucket is missing Object Lock Configuration")
}

// retained tells whether the mode protects at a time.
func (l *lock) retained(now time.Time) bool { return l != nil && l.Mode != "" && now.Before(l.Until) }

// mayDelete tells whether the version may be deleted for good.
func (l *lock) mayDelete(now time.Time, bypass bool) error {
	if l == nil || !l.Hold && (!l.retained(now) || l.Mode == governance && bypass) {
		return nil
	}
	return errLocked()
}

// mayRetain tells whether the retention may become that of want: a mode that
// protects can be prolonged by all, governance lifted or shortened with bypass.
func (l *lock) mayRetain(want lock, now time.Time, bypass bool) error {
	switch {
	case !l.retained(now):
	case want.Mode == l.Mode && !want.Until.Before(l.Until):
	case l.Mode == governance && bypass:
	default:
		return errLocked()
	}
	return nil
}

// takeLock reads the lock that a request's headers ask for and takes them out.
func takeLock(h http.Header) (*lock, error) {
	mode, until, hold := h.Get(lockModeHeader), h.Get(lockUntilHeader), h.Get(lockHoldHeader)
	for _, name := range []string{lockModeHeader, lockUntilHeader, lockHoldHeader} {
		h.Del(name)
	}
	l := lock{Mode: mode, Hold: hold == holdOn, HoldSet: hold != ""}
	switch {
	case mode == "" && until == "" && hold == "":
		return nil, nil
	case (mode == "") != (until == ""):
		return nil, gofakes3.ErrorInvalidArgument("x-amz-object-lock-mode", mode, "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	case mode != "" && mode != governance && mode != compliance:
		return nil, gofakes3.ErrorInvalidArgument("x-amz-object-lock-mode", mode, "Unknown wormMode directive")
	case hold != "" && hold != holdOn && hold != holdOff:
		return nil, gofakes3.ErrorInvalidArgument("x-amz-object-lock-legal-hold", hold, "Legal Hold must be either of 'ON' or 'OFF'")
	}
	if until != "" {
		var err error
		if l.Until, err = futureDate("x-amz-object-lock-retain-until-date", until); err != nil {
			return nil, err
		}
	}
	return &l, nil
}

func futureDate(name, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, gofakes3.ErrorInvalidArgument(name, text, "The retain until date must be provided in ISO 8601 format")
	}
	if !t.After(time.Now()) {
		return t, gofakes3.ErrorInvalidArgument(name, text, "The retain until date must be in the future!")
	}
	return t.UTC(), nil
}

// checkLockDigest requires a digest of the body where S3 does: with a lock.
func checkLockDigest(h http.Header) error {
	for name := range checksums {
		if h.Get(name) != "" {
			return nil
		}
	}
	if h.Get("Content-Md5") != "" || h.Get("X-Amz-Trailer") != "" {
		return nil
	}
	return refuse(http.StatusBadRequest, gofakes3.ErrInvalidRequest, "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")
}

// lockOf completes what a request asks for by its bucket's default retention.
func lockOf(tx *bolt.Tx, bucket string, asked *lock, now time.Time) (*lock, error) {
	var config lockConfiguration
	found, err := getDocument(tx, bucket, lockDocument, &config)
	if err != nil {
		return nil, err
	}
	if !found {
		if asked != nil {
			return nil, errNoLock()
		}
		return nil, nil
	}
	if config.Rule == nil || asked != nil && asked.Mode != "" {
		return asked, nil
	}
	l := lock{}
	if asked != nil {
		l = *asked
	}
	d := config.Rule.Default
	l.Mode, l.Until = d.Mode, now.AddDate(value(d.Years), 0, value(d.Days)).UTC()
	return &l, nil
}

func value(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// showLock tells in the answer's headers how a version is locked.
func (x *exchange) showLock(l *lock) {
	if l == nil {
		return
	}
	if l.Mode != "" {
		x.set(lockModeHeader, l.Mode)
		x.set(lockUntilHeader, l.Until.Format(isoLayout))
	}
	if l.HoldSet {
		x.set(lockHoldHeader, l.hold())
	}
}

func (l *lock) hold() string {
	if l.Hold {
		return holdOn
	}
	return holdOff
}

// isoLayout is how S3 writes times in documents.
const isoLayout = "2006-01-02T15:04:05.000Z"
