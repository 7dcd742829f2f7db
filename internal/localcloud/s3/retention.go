package s3

import (
	"net/http"
	"time"

	"github.com/rclone/gofakes3"
	bolt "go.etcd.io/bbolt"
)

// retention is the body of PutObjectRetention; an empty one lifts it.
type retention struct {
	Mode  string `xml:"Mode,omitempty"`
	Until string `xml:"RetainUntilDate,omitempty"`
}

func (s *Store) putRetention(x *exchange, r *http.Request, at location) error {
	var in retention
	if err := readXML(r, "Retention", &in); err != nil {
		return err
	}
	if in.Mode != "" && in.Mode != governance && in.Mode != compliance || (in.Mode == "") != (in.Until == "") {
		return malformed("Mode is %q and RetainUntilDate %q: both are needed, with GOVERNANCE or COMPLIANCE, or neither", in.Mode, in.Until)
	}
	want := lock{Mode: in.Mode}
	if in.Until != "" {
		var err error
		if want.Until, err = futureDate("RetainUntilDate", in.Until); err != nil {
			return err
		}
	}
	return s.relock(x, at, func(l *lock) error {
		if err := l.mayRetain(want, time.Now(), x.bypass); err != nil {
			return err
		}
		l.Mode, l.Until = want.Mode, want.Until
		return nil
	})
}

func (s *Store) getRetention(x *exchange, _ *http.Request, at location) error {
	l, err := s.lockAt(x, at)
	if err != nil {
		return err
	}
	if l == nil || l.Mode == "" {
		return errNotLocked()
	}
	return writeXML(x, "Retention", retention{l.Mode, l.Until.Format(isoLayout)})
}

// legalHold is the body of PutObjectLegalHold.
type legalHold struct {
	Status string `xml:"Status"`
}

func (s *Store) putLegalHold(x *exchange, r *http.Request, at location) error {
	var in legalHold
	if err := readXML(r, "LegalHold", &in); err != nil {
		return err
	}
	if in.Status != holdOn && in.Status != holdOff {
		return malformed("Status is %q, neither ON nor OFF", in.Status)
	}
	return s.relock(x, at, func(l *lock) error {
		l.Hold, l.HoldSet = in.Status == holdOn, true
		return nil
	})
}

func (s *Store) getLegalHold(x *exchange, _ *http.Request, at location) error {
	l, err := s.lockAt(x, at)
	if err != nil {
		return err
	}
	if l == nil || !l.HoldSet {
		return errNotLocked()
	}
	return writeXML(x, "LegalHold", legalHold{l.hold()})
}

func errNotLocked() error {
	return refuse(http.StatusNotFound, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
}

// lockAt reads the lock of a version in a bucket that has object lock.
func (s *Store) lockAt(x *exchange, at location) (l *lock, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		r, err := lockable(tx, at, x.version)
		if err == nil {
			l = r.Lock
		}
		return err
	})
	return l, err
}

// relock changes the lock of a version.
func (s *Store) relock(x *exchange, at location, change func(*lock) error) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		r, err := lockable(tx, at, x.version)
		if err != nil {
			return err
		}
		if r.Lock == nil {
			r.Lock = &lock{}
		}
		if err := change(r.Lock); err != nil {
			return err
		}
		x.set("X-Amz-Version-Id", r.Version)
		return rewrite(tx, at.bucket, r)
	})
}

func lockable(tx *bolt.Tx, at location, version string) (*record, error) {
	if _, err := getBucket(tx, at.bucket); err != nil {
		return nil, err
	}
	found, err := getDocument(tx, at.bucket, lockDocument, &lockConfiguration{})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, errNoLock()
	}
	r, err := find(tx, at.bucket, at.key, version)
	switch {
	case err != nil:
		return nil, err
	case r == nil && version != "":
		return nil, gofakes3.ErrNoSuchVersion
	case r == nil, r.Deleted && version == "":
		return nil, gofakes3.KeyNotFound(at.key)
	case r.Deleted:
		return nil, errMarker()
	}
	return r, nil
}

func errMarker() error {
	return refuse(http.StatusMethodNotAllowed, gofakes3.ErrMethodNotAllowed, "The specified method is not allowed against this resource.")
}
